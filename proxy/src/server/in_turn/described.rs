//! What the connection below says of itself.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::InTurn;

#[async_trait]
impl<S: AsyncWrite + Unpin + Send> Shutdown for InTurn<S> {
    async fn shutdown(&mut self) {
        // The viewer may have gone first.
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl<S: UniqueID> UniqueID for InTurn<S> {
    fn id(&self) -> UniqueIDType {
        self.inner.as_ref().map_or(-1, UniqueID::id)
    }
}

impl<S: Ssl> Ssl for InTurn<S> {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.as_ref()?.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.as_ref()?.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.as_ref()?.selected_alpn_proto()
    }
}

/// No one looks ahead on a viewer's connection.
impl<S> Peek for InTurn<S> {}

impl<S: GetTimingDigest> GetTimingDigest for InTurn<S> {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner
            .as_ref()
            .map_or_else(Vec::new, GetTimingDigest::get_timing_digest)
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner
            .as_ref()
            .map_or(Duration::ZERO, GetTimingDigest::get_read_pending_time)
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner
            .as_ref()
            .map_or(Duration::ZERO, GetTimingDigest::get_write_pending_time)
    }
}

impl<S: GetProxyDigest> GetProxyDigest for InTurn<S> {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.as_ref()?.get_proxy_digest()
    }
}

impl<S: GetSocketDigest> GetSocketDigest for InTurn<S> {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.as_ref()?.get_socket_digest()
    }
}
