//! Small writes wait for what follows them, so that a response's header and the beginning of its body are one
//! packet and one call of the system. What waits takes memory only until it is written: connections are silent
//! most of the time, and there are many of them.
//!
//! What the kernel sends as one packet is written in one call with what waits before it. A larger piece is not: the
//! reader who has been woken by a header takes the body in while it is still being written, which on two cores that
//! have nothing else to do came out a quarter cheaper for 100 KB.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More than that is written at once.
const MOST_WAITING: usize = 8 * 1024;
/// A packet within the kernel, on its way to the network's card.
const PACKET: usize = 64 * 1024;
/// Pieces in one call: what waits, a chunk's size, the chunk, its end.
const PIECES: usize = 4;

/// A stream whose small writes wait.
pub(super) struct Corked<S> {
    inner: S,
    waiting: BytesMut,
}

/// Nothing of what waits: cookies are among it.
impl<S: fmt::Debug> fmt::Debug for Corked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Corked")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S> Corked<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            waiting: BytesMut::new(),
        }
    }

    pub(super) const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What waits, and what it waits for. Whoever writes it another way says how much.
    pub(super) const fn parts(&mut self) -> (&mut BytesMut, &S) {
        (&mut self.waiting, &self.inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> Corked<S> {
    /// Writes all that waits.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.waiting))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.advance(count);
        }
        self.waiting = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Lets pieces wait that are small enough, or writes what waits and of them as much as is taken. Gives how much
    /// of them has been taken care of.
    fn poll_pieces(&mut self, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let together = self.waiting.len() + length;
        if together <= MOST_WAITING {
            if self.waiting.is_empty() {
                self.waiting.reserve(MOST_WAITING);
            }
            pieces.iter().for_each(|piece| self.waiting.extend_from_slice(piece));
            return Poll::Ready(Ok(length));
        }
        if together > PACKET || pieces.len() >= PIECES {
            ready!(self.poll_waiting(cx))?;
        }
        while !self.waiting.is_empty() {
            let count = ready!(self.poll_together(cx, pieces))?;
            if count > 0 {
                return Poll::Ready(Ok(count));
            }
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }

    /// Writes what waits and pieces after it in one call. Gives how much of the pieces has been written, which is
    /// nothing as long as something waits.
    fn poll_together(&mut self, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut all = [IoSlice::new(&[]); PIECES];
        let slices = [IoSlice::new(&self.waiting)];
        let slices = slices.iter().chain(pieces);
        all.iter_mut().zip(slices).for_each(|(place, slice)| *place = *slice);
        let all = &all[..=pieces.len()];
        let count = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, all))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let waited = self.waiting.len().min(count);
        self.waiting.advance(waited);
        if self.waiting.is_empty() {
            self.waiting = BytesMut::new();
        }
        Poll::Ready(Ok(count - waited))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_pieces(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_pieces(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Takes so many bytes in each call.
    struct Slow {
        most: usize,
        calls: Vec<Vec<u8>>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(buf)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            pieces: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let mut all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
            all.truncate(self.most);
            let count = all.len();
            self.calls.push(all);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn corked(most: usize) -> Corked<Slow> {
        Corked::new(Slow {
            most,
            calls: Vec::new(),
        })
    }

    #[tokio::test]
    async fn small_writes_wait_for_the_flush_and_leave_nothing_behind() {
        let mut stream = corked(usize::MAX);
        stream.write_all(b"header ").await.unwrap();
        stream.write_all(b"body").await.unwrap();
        assert!(stream.get_ref().calls.is_empty());
        stream.flush().await.unwrap();
        assert_eq!(stream.get_ref().calls, [b"header body".to_vec()]);
        assert_eq!(stream.waiting.capacity(), 0);
    }

    #[tokio::test]
    async fn what_is_larger_than_a_packet_is_written_as_it_is_after_what_waits() {
        let mut stream = corked(usize::MAX);
        let large = vec![b'x'; PACKET];
        stream.write_all(b"header").await.unwrap();
        stream.write_all(&large).await.unwrap();
        assert_eq!(stream.get_ref().calls, [b"header".to_vec(), large]);
    }

    #[tokio::test]
    async fn what_makes_one_packet_with_what_waits_is_written_with_it() {
        let mut stream = corked(usize::MAX);
        let body = vec![b'x'; PACKET - 6];
        stream.write_all(b"header").await.unwrap();
        stream.write_all(&body).await.unwrap();
        assert_eq!(stream.get_ref().calls, [[b"header".as_slice(), &body].concat()]);
        assert_eq!(stream.waiting.capacity(), 0);
    }

    #[tokio::test]
    async fn more_pieces_than_there_is_room_for_follow_what_waits() {
        let mut stream = corked(usize::MAX);
        let piece = vec![b'x'; MOST_WAITING];
        let pieces = [
            IoSlice::new(&piece),
            IoSlice::new(b"1"),
            IoSlice::new(b"2"),
            IoSlice::new(b"3"),
        ];
        stream.write_all(b"header").await.unwrap();
        assert_eq!(stream.write_vectored(&pieces).await.unwrap(), MOST_WAITING + 3);
        assert_eq!(
            stream.get_ref().calls,
            [b"header".to_vec(), [&piece[..], b"123"].concat()]
        );
    }

    #[tokio::test]
    async fn every_byte_is_written_once_and_in_order_however_little_is_taken_at_a_time() {
        let whole: Vec<u8> = (0..50_000_u32)
            .map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1])
            .collect();
        for most in [1, 5, 6, 7, 8 * 1024, 9_000, 100_000] {
            let mut stream = corked(most);
            let mut rest = whole.as_slice();
            for length in [6, 9_000, 1, 8 * 1024, 8 * 1024 + 1, 100].into_iter().cycle() {
                let (piece, after) = rest.split_at(length.min(rest.len()));
                stream.write_all(piece).await.unwrap();
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            stream.shutdown().await.unwrap();
            assert_eq!(stream.get_ref().calls.concat(), whole, "{most}");
        }
    }
}
