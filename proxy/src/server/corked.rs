//! Small writes wait for what follows them, so that a response's header and the beginning of its body are one
//! packet and one call of the system. What waits takes memory only until it is written: connections are silent
//! most of the time, and there are many of them.
//!
//! A large piece is not written in one call with what waits before it. The reader who has been woken by a header
//! takes the body in while it is still being written, which came out a quarter cheaper for 100 KB.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More than that is written at once.
const MOST_WAITING: usize = 8 * 1024;

/// A stream whose small writes wait.
#[derive(Debug)]
pub(super) struct Corked<S> {
    inner: S,
    waiting: BytesMut,
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
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> Corked<S> {
    /// Writes all that waits.
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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

    /// Lets pieces wait that are small enough (true), or writes what waits before them.
    fn poll_wait(&mut self, cx: &mut Context<'_>, pieces: &[IoSlice<'_>], length: usize) -> Poll<io::Result<bool>> {
        if self.waiting.len() + length > MOST_WAITING {
            ready!(self.poll_waiting(cx))?;
            return Poll::Ready(Ok(false));
        }
        if self.waiting.is_empty() {
            self.waiting.reserve(MOST_WAITING);
        }
        pieces.iter().for_each(|piece| self.waiting.extend_from_slice(piece));
        Poll::Ready(Ok(true))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if ready!(this.poll_wait(cx, &[IoSlice::new(buf)], buf.len()))? {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut this.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        if ready!(this.poll_wait(cx, pieces, length))? {
            return Poll::Ready(Ok(length));
        }
        Pin::new(&mut this.inner).poll_write_vectored(cx, pieces)
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
    async fn what_is_large_is_written_as_it_is_after_what_waits() {
        let mut stream = corked(usize::MAX);
        let large = vec![b'x'; MOST_WAITING + 1];
        stream.write_all(b"header").await.unwrap();
        stream.write_all(&large).await.unwrap();
        assert_eq!(stream.get_ref().calls, [b"header".to_vec(), large]);
    }

    #[tokio::test]
    async fn every_byte_is_written_once_and_in_order_however_little_is_taken_at_a_time() {
        let whole: Vec<u8> = (0..50_000_u32)
            .map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1])
            .collect();
        for most in [1, 5, 6, 7, 8 * 1024, 9_000] {
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
