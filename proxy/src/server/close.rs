//! Closing a connection in stages (RFC 9112, section 9.6).
//!
//! Closing a socket into which a viewer has sent what nobody has read, or into which it goes on sending, makes the
//! kernel reset the connection, and the reset takes away what the viewer has not read yet of the last answer. So the
//! way out is closed first; then what still comes is read and thrown away until the viewer closes its side, or until
//! it has had its time or its bytes.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::timeout,
};

/// How long a viewer may go on sending.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// And how much.
const LINGER_BYTES: usize = 1 << 20;
/// Thrown away at a time.
const PIECE: usize = 8 * 1024;

/// Closes the way out, and lingers.
pub(super) async fn in_stages(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if let Ok(Ok(())) = timeout(LINGER, stream.shutdown()).await {
        linger(stream).await;
    }
}

/// Throws away what comes on a connection whose way out is closed.
pub(super) async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut left = LINGER_BYTES;
    let end = poll_fn(|cx| {
        // On the stack, so that no memory is held while nothing comes.
        let mut piece = [0; PIECE];
        loop {
            let mut buf = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf));
            let count = buf.filled().len();
            if read.is_err() || count == 0 || count >= left {
                return Poll::Ready(());
            }
            left -= count;
        }
    });
    // Whoever sends for longer is cut off.
    let _ = timeout(LINGER, end).await;
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, time::Instant};

    use super::*;

    #[tokio::test]
    async fn what_comes_is_thrown_away_until_the_other_side_closes() {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        let viewer = async {
            theirs.write_all(&[b'x'; 10_000]).await.unwrap();
            let mut answer = Vec::new();
            theirs.read_to_end(&mut answer).await.unwrap();
            theirs.shutdown().await.unwrap();
            answer
        };
        ours.write_all(b"answer").await.unwrap();
        let ((), answer) = tokio::join!(in_stages(&mut ours), viewer);
        assert_eq!(answer, b"answer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_stays_has_its_time() {
        let (mut ours, _theirs) = tokio::io::duplex(64);
        let started = Instant::now();
        in_stages(&mut ours).await;
        assert_eq!(started.elapsed(), LINGER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_goes_on_sending_has_its_bytes() {
        let started = Instant::now();
        linger(&mut tokio::io::repeat(b'x')).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
