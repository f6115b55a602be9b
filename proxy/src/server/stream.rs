//! A viewer's TCP connection in the shape that Pingora serves.

use std::{
    fmt,
    net::SocketAddr,
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::BytesMut;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType, raw_connect::ProxyDigest,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use super::{corked::Corked, direct, viewer::ViewerConnection};

/// A viewer's connection.
pub(crate) struct ViewerStream {
    inner: Corked<TcpStream>,
    /// What was read already and is to be read again.
    early: BytesMut,
    connection: Arc<ViewerConnection>,
    /// Leads Pingora's sessions to the connection.
    digest: Option<Arc<ProxyDigest>>,
    /// When the connection is cut off, once that is known.
    end: Option<Pin<Box<Sleep>>>,
    established: SystemTime,
    socket: Arc<SocketDigest>,
}

/// Nothing of what was read: cookies are among it.
impl fmt::Debug for ViewerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewerStream")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl ViewerStream {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        Self::with_early(stream, peer, BytesMut::new())
    }

    /// A connection of which the beginning has been read.
    pub(super) fn with_early(stream: TcpStream, peer: SocketAddr, early: BytesMut) -> Self {
        let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
        // The cell is new, so it takes the value.
        let _ = digest.peer_addr.set(Some(peer.into()));
        let connection = ViewerConnection::new();
        Self {
            inner: Corked::new(stream),
            early,
            digest: connection.digest(),
            connection,
            end: None,
            established: SystemTime::now(),
            socket: Arc::new(digest),
        }
    }

    /// What is known of the connection whatever wraps it.
    pub(super) fn connection(&self) -> Arc<ViewerConnection> {
        Arc::clone(&self.connection)
    }
}

impl ViewerStream {
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        if self.end.is_none()
            && let Some(age) = self.connection.age()
        {
            self.end = Some(Box::pin(sleep(age)));
        }
        self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready())
    }
}

impl AsyncRead for ViewerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if !self.early.is_empty() {
            let count = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early.split_to(count));
            return Poll::Ready(Ok(()));
        }
        if self.is_overdue(cx) {
            return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for ViewerStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.has_pipe() {
            return direct::poll_send(&mut this.inner, cx, |socket| {
                this.connection.empty_pipe(socket, buf.len())
            });
        }
        if let Some((copy, position)) = this.connection.copy.place_of(buf) {
            let sent = direct::poll_send(&mut this.inner, cx, |socket| copy.send(socket, position, buf.len()));
            // Whatever is wrong with it, the bytes themselves are at hand.
            if let Ok(count) = ready!(sent) {
                return Poll::Ready(Ok(count));
            }
        }
        Pin::new(&mut this.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for ViewerStream {
    async fn shutdown(&mut self) {
        // The peer may have gone first.
        let _ = self.inner.shutdown().await;
    }
}

impl UniqueID for ViewerStream {
    fn id(&self) -> UniqueIDType {
        self.inner.get_ref().as_raw_fd()
    }
}

impl Ssl for ViewerStream {}
impl Peek for ViewerStream {}

impl GetTimingDigest for ViewerStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        vec![Some(TimingDigest {
            established_ts: self.established,
            ..TimingDigest::default()
        })]
    }
}

impl GetProxyDigest for ViewerStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.digest.clone()
    }
}

impl GetSocketDigest for ViewerStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(Arc::clone(&self.socket))
    }
}
