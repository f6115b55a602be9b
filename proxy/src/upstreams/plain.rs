//! A connection to an origin without TLS, in the shape that Pingora's sessions use.
//!
//! Pingora's own has buffers of its own in front of the sockets, which its HTTP/1 sessions do not need, and keeps
//! the socket to itself, which a body that never leaves the kernel does need (see `pipe.rs`).

use std::{
    io,
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use pingora::{
    Error, ErrorType, Result,
    protocols::{
        GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
        UniqueIDType, raw_connect::ProxyDigest,
    },
    upstreams::peer::{HttpPeer, Peer as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};

/// A plain TCP connection to an origin.
#[derive(Debug)]
pub(crate) struct PlainStream {
    inner: TcpStream,
    read: usize,
}

impl PlainStream {
    /// Whether a peer is reached this way.
    pub(super) fn serves(peer: &HttpPeer) -> bool {
        !peer.tls() && peer.address().as_inet().is_some() && peer.get_proxy().is_none()
    }

    /// A new connection, within the peer's time for it.
    ///
    /// # Errors
    /// Why there is none, by the same types as Pingora's.
    pub(super) async fn connect(peer: &HttpPeer) -> Result<Self> {
        let Some(address) = peer.address().as_inet() else {
            return Error::e_explain(ErrorType::ConnectError, "not an IP address");
        };
        let connecting = TcpStream::connect(address);
        let connected = match peer.connection_timeout() {
            Some(limit) => timeout(limit, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
            None => connecting.await,
        };
        let stream = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let inner = stream.map_err(|error| Error::because(kind(&error), "connecting to an origin", error))?;
        Ok(Self { inner, read: 0 })
    }

    /// The socket. Whoever reads from it reads past the session.
    pub(crate) const fn socket(&self) -> &TcpStream {
        &self.inner
    }

    /// How many bytes the request under way has read.
    pub(crate) const fn has_read(&self) -> usize {
        self.read
    }
}

fn kind(error: &io::Error) -> ErrorType {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
        io::ErrorKind::TimedOut => ErrorType::ConnectTimedout,
        io::ErrorKind::AddrNotAvailable => ErrorType::BindError,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => ErrorType::ConnectNoRoute,
        _ => ErrorType::ConnectError,
    }
}

impl AsyncRead for PlainStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.read += buf.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // A request is written before anything of its response is read.
        self.read = 0;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for PlainStream {
    async fn shutdown(&mut self) {
        // The origin may have gone first.
        let _ = self.inner.shutdown().await;
    }
}

impl UniqueID for PlainStream {
    fn id(&self) -> UniqueIDType {
        self.inner.as_raw_fd()
    }
}

impl Ssl for PlainStream {}
impl Peek for PlainStream {}

/// Nobody asks when a connection to an origin was made, nor whereto.
impl GetTimingDigest for PlainStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for PlainStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for PlainStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}
