//! A viewer's connection, of which a request's session sees that request alone (RFC 9112, section 9.3.2).
//!
//! A viewer may send requests before the answer to the first has come. Pingora takes what it reads of them to itself,
//! out of reach of the check of heads, or takes it for a fault and ends the answer that is under way. So no session
//! gets to read it: what has been read after a request's end waits here until its turn comes, and no more is read
//! until then, whereupon the kernel makes the viewer wait. What waits is no more than came with one read.
//!
//! Where a request's end is not known from here ([`Framing::Unknown`]), its session reads what it likes: after an
//! `Upgrade` the viewer has to wait for the answer anyway, and a request that is refused is the last.
//!
//! As long as something waits here, the end of what a viewer sends is not seen: it is after that.

mod described;
mod longer_head;

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

pub(crate) use self::longer_head::LinesToAdd;
use super::{
    head::{Framing, Head},
    stall::Stall,
};
use crate::chunked_body::ChunkedBody;

/// A connection whose requests are read one by one.
pub(crate) struct InTurn<S> {
    /// There until it is given back.
    inner: Option<S>,
    turn: Turn,
    /// What was read of later requests.
    later: BytesMut,
    way: Way,
    stall: Stall,
    back: Option<oneshot::Sender<Box<S>>>,
    /// For the head that is written next.
    lines: LinesToAdd,
    /// What is still to be written of a head with such lines.
    head: BytesMut,
}

/// What is still to be read of the request whose turn it is.
#[derive(Debug)]
enum Turn {
    /// Whatever comes.
    Open,
    /// So many bytes.
    Length(u64),
    Chunked(ChunkedBody),
}

/// Which ways are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Both,
    /// We have sent our last.
    In,
    /// The viewer has, or the connection is broken.
    None,
}

/// Nothing of what is read and written: cookies are among it.
impl<S: fmt::Debug> fmt::Debug for InTurn<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTurn")
            .field("inner", &self.inner)
            .field("turn", &self.turn)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl<S> InTurn<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner: Some(inner),
            turn: Turn::Open,
            later: BytesMut::new(),
            way: Way::Both,
            stall: Stall::default(),
            back: None,
            lines: LinesToAdd::default(),
            head: BytesMut::new(),
        }
    }

    /// Where the connection comes out again when a session that has sent its last drops it, unless the viewer has
    /// sent its last as well: then the viewer may still be sending.
    pub(super) fn when_dropped(&mut self) -> oneshot::Receiver<Box<S>> {
        let (back, dropped) = oneshot::channel();
        self.back = Some(back);
        dropped
    }

    /// From now on writing may stand still for so long.
    pub(super) fn limit_stall(&mut self, limit: Duration) {
        self.stall.limit(limit);
    }

    /// Begins a request; what its session has to be given of what was read with its head.
    pub(super) fn begin(&mut self, head: Head) -> BytesMut {
        let Head {
            mut bytes,
            length,
            framing,
        } = head;
        let came = bytes.get(length..).unwrap_or_default();
        let own = match framing {
            Framing::Unknown => {
                self.turn = Turn::Open;
                came.len()
            }
            Framing::Length(whole) => {
                let own = first_of(came, whole);
                self.turn = Turn::Length(whole.saturating_sub(own as u64));
                own
            }
            Framing::Chunked => {
                let mut chunks = ChunkedBody::BEGIN;
                let own = chunks.take(came);
                self.turn = Turn::Chunked(chunks);
                own
            }
        };
        if own < came.len() {
            self.later = bytes.split_off(length + own);
        }
        bytes
    }

    /// Ends a request; what has been read of the next one. `None`: it is not known where it begins.
    pub(super) fn end(&mut self) -> Option<BytesMut> {
        let is_known = self.is_whole() || matches!(self.turn, Turn::Open);
        self.turn = Turn::Open;
        is_known.then(|| std::mem::take(&mut self.later))
    }

    /// Whether the request has been read to its end.
    const fn is_whole(&self) -> bool {
        matches!(self.turn, Turn::Length(0) | Turn::Chunked(ChunkedBody::Ended))
    }

    fn inner(&mut self) -> io::Result<Pin<&mut S>>
    where
        S: Unpin,
    {
        let inner = self.inner.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(inner))
    }

    /// What has become of an attempt to write.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let written = ready!(self.stall.judge(cx, written));
        Poll::Ready(self.note(written))
    }

    /// Writes what is left of a head with lines added.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        while !self.head.is_empty() {
            let mut head = std::mem::take(&mut self.head);
            let written = self.inner()?.poll_write(cx, &head);
            if let Poll::Ready(Ok(count)) = written {
                head.advance(count);
            }
            self.head = head;
            if ready!(self.judge(cx, written))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        self.head = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Notes the end of the connection.
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.way = Way::None;
        }
        result
    }
}

/// How many of these bytes are among so many.
fn first_of(bytes: &[u8], count: u64) -> usize {
    usize::try_from(count).map_or(bytes.len(), |count| count.min(bytes.len()))
}

impl<S: AsyncRead + Unpin> AsyncRead for InTurn<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let is_whole = this.is_whole();
        if is_whole && !this.later.is_empty() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = ready!(this.inner()?.poll_read(cx, buf));
        this.note(read)?;
        let came = buf.filled().get(before..).unwrap_or_default();
        if came.is_empty() {
            if before < buf.capacity() {
                this.way = Way::None;
            }
            return Poll::Ready(Ok(()));
        }
        let own = match &mut this.turn {
            Turn::Open => came.len(),
            Turn::Length(left) => {
                let own = first_of(came, *left);
                *left = left.saturating_sub(own as u64);
                own
            }
            Turn::Chunked(chunks) => chunks.take(came),
        };
        if own < came.len() {
            this.later.extend_from_slice(came.get(own..).unwrap_or_default());
            buf.set_filled(before + own);
        }
        if is_whole { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InTurn<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(head) = this.lines.added_to(buf)? {
            this.head = head;
        }
        if !this.head.is_empty() {
            ready!(this.poll_head(cx))?;
            return Poll::Ready(Ok(buf.len()));
        }
        let written = this.inner()?.poll_write(cx, buf);
        this.judge(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.inner()?.poll_write_vectored(cx, bufs);
        this.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = this.inner()?.poll_flush(cx);
        this.judge(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = this.inner()?.poll_shutdown(cx);
        let shut = ready!(this.judge(cx, shut));
        if this.way == Way::Both {
            this.way = Way::In;
        }
        Poll::Ready(shut)
    }
}

impl<S> Drop for InTurn<S> {
    fn drop(&mut self) {
        if self.way == Way::In
            && let (Some(inner), Some(back)) = (self.inner.take(), self.back.take())
        {
            // Without anyone who waits for it, it ends here.
            let _ = back.send(Box::new(inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn connection() -> (InTurn<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1 << 16);
        (InTurn::new(ours), theirs)
    }

    fn head(bytes: &str, framing: Framing) -> Head {
        let length = bytes.find("\r\n\r\n").unwrap() + 4;
        Head {
            bytes: bytes.into(),
            length,
            framing,
        }
    }

    const GET: &str = "GET / HTTP/1.1\r\n\r\n";

    #[tokio::test]
    async fn nothing_of_what_is_read_or_written_is_shown() {
        let (mut stream, _viewer) = connection();
        stream.later.extend_from_slice(b"cookie: secret");
        stream.head.extend_from_slice(b"set-cookie: secret");
        stream.lines.set(b"set-cookie: secret".to_vec());
        let shown = format!("{stream:?}");
        assert!(shown.starts_with("InTurn"), "{shown}");
        // As text, and as the numbers of its bytes.
        assert!(!shown.contains("secret") && !shown.contains("115, 101, 99"), "{shown}");
    }

    #[tokio::test]
    async fn a_session_gets_its_own_body_and_nothing_after_it() {
        for (framing, body) in [
            (Framing::Length(0), ""),
            (Framing::Length(4), "body"),
            (Framing::Chunked, "4\r\nbody\r\n0\r\n\r\n"),
        ] {
            let all = format!("{GET}{body}{GET}");
            for cut in GET.len()..all.len() {
                let (mut stream, mut viewer) = connection();
                let (with_head, rest) = all.split_at(cut);
                let mut got = stream.begin(head(with_head, framing)).to_vec();
                viewer.write_all(rest.as_bytes()).await.unwrap();
                while !stream.is_whole() {
                    assert!(stream.read_buf(&mut got).await.unwrap() > 0);
                }
                assert_eq!(got, format!("{GET}{body}").as_bytes(), "{framing:?} cut at {cut}");
                // One who waits for the viewer to leave goes on waiting.
                let mut byte = [0];
                let mut waiting = tokio_test::task::spawn(stream.read(&mut byte));
                assert!(waiting.poll().is_pending() && waiting.poll().is_pending());
                drop(waiting);
                let mut next = stream.end().unwrap();
                while next.len() < GET.len() {
                    stream.read_buf(&mut next).await.unwrap();
                }
                assert_eq!(next, GET.as_bytes(), "{framing:?} cut at {cut}");
            }
        }
    }

    #[tokio::test]
    async fn a_viewer_that_leaves_after_its_request_is_seen_to_leave() {
        let (mut stream, viewer) = connection();
        stream.begin(head(GET, Framing::Length(0)));
        drop(viewer);
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn while_a_request_waits_no_more_is_read() {
        let (mut stream, mut viewer) = connection();
        stream.begin(head(GET, Framing::Length(0)));
        viewer.write_all(GET.repeat(100).as_bytes()).await.unwrap();
        let mut byte = [0];
        for _ in 0..10 {
            assert!(tokio_test::task::spawn(stream.read(&mut byte)).poll().is_pending());
        }
        assert_eq!(stream.end().unwrap(), &b"G"[..]);
    }

    #[tokio::test]
    async fn where_a_body_s_end_is_in_doubt_no_request_is_looked_for() {
        let (mut stream, _viewer) = connection();
        let given = stream.begin(head("P / HTTP/1.1\r\n\r\n0\r\n\nGET", Framing::Chunked));
        assert!(given.ends_with(b"GET"));
        assert!(stream.end().is_none());
        stream.begin(head(GET, Framing::Length(1)));
        assert!(stream.end().is_none());
    }

    #[tokio::test]
    async fn what_is_another_protocol_s_is_read_by_its_session() {
        let (mut stream, mut viewer) = connection();
        let given = stream.begin(head(&format!("{GET}fra"), Framing::Unknown));
        assert!(given.ends_with(b"fra"));
        viewer.write_all(b"mes").await.unwrap();
        let mut frames = [0; 3];
        stream.read_exact(&mut frames).await.unwrap();
        assert_eq!(&frames, b"mes");
    }

    #[tokio::test]
    async fn lines_are_added_to_the_next_head_however_little_is_taken_at_a_time() {
        for most in [1, 7, 1 << 16] {
            let (ours, mut theirs) = duplex(most);
            let mut stream = InTurn::new(ours);
            stream.lines.set(b"A: 1\r\nB: 2\r\n".to_vec());
            let writing = async move {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n").await.unwrap();
                stream.write_all(b"body\r\n\r\n").await.unwrap();
                assert!(!stream.lines.take_back());
            };
            let mut written = String::new();
            let (_, read) = tokio::join!(writing, theirs.read_to_string(&mut written));
            read.unwrap();
            assert_eq!(written, "HTTP/1.1 200 OK\r\nX: y\r\nA: 1\r\nB: 2\r\n\r\nbody\r\n\r\n");
        }
    }

    #[tokio::test]
    async fn what_is_no_head_gets_no_lines() {
        let (mut stream, mut viewer) = connection();
        stream.lines.set(b"A: 1\r\n".to_vec());
        let error = stream.write_all(b"body").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        drop(stream);
        assert_eq!(viewer.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn it_is_given_back_where_we_have_sent_our_last_and_the_viewer_may_not_have() {
        let (mut stream, _viewer) = connection();
        let mut dropped = stream.when_dropped();
        stream.shutdown().await.unwrap();
        drop(stream);
        assert!(dropped.try_recv().is_ok());
        // An answer that was broken off ends without order, and whoever has left is not waited for.
        let (mut stream, _viewer) = connection();
        let mut dropped = stream.when_dropped();
        stream.write_all(b"begin").await.unwrap();
        drop(stream);
        assert!(dropped.try_recv().is_err());
        let (mut stream, viewer) = connection();
        let mut dropped = stream.when_dropped();
        drop(viewer);
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        stream.shutdown().await.unwrap();
        drop(stream);
        assert!(dropped.try_recv().is_err());
    }
}
