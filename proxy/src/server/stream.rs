//! A viewer's TCP connection in the shape that Pingora serves.

use std::{
    net::SocketAddr,
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use async_trait::async_trait;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType, raw_connect::ProxyDigest,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadBuf},
    net::TcpStream,
};

use super::server_name;

/// Holds a small response's header and body together in one packet.
const WRITE_BUFFER_BYTES: usize = 4096;

/// A viewer's connection.
#[derive(Debug)]
pub(crate) struct ViewerStream {
    inner: BufWriter<TcpStream>,
    established: SystemTime,
    socket: Arc<SocketDigest>,
    server_name: server_name::Slot,
}

impl ViewerStream {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
        // The cell is new, so it takes the value.
        let _ = digest.peer_addr.set(Some(peer.into()));
        Self {
            inner: BufWriter::with_capacity(WRITE_BUFFER_BYTES, stream),
            established: SystemTime::now(),
            socket: Arc::new(digest),
            server_name: server_name::Slot::default(),
        }
    }

    /// Where the name of a TLS handshake over this connection is to be put.
    pub(super) fn server_name(&self) -> server_name::Slot {
        self.server_name.clone()
    }
}

impl AsyncRead for ViewerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(self.inner.get_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for ViewerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
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
        self.server_name.digest()
    }
}

impl GetSocketDigest for ViewerStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(Arc::clone(&self.socket))
    }
}
