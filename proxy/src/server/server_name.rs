//! The name that a viewer's TLS handshake asked for (RFC 6066, section 3), kept for the requests that follow.
//!
//! Pingora hands a request what it knows of the connection beneath, and has no room of its own for the name: it
//! travels where the reply of a CONNECT proxy would.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::StatusCode;
use pingora::{
    http::ResponseHeader,
    protocols::{Digest, Ssl, raw_connect::ProxyDigest},
};

/// A place for the name, which is known only once the connection has been wrapped.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<Arc<ProxyDigest>>>);

struct ServerName(String);

impl Slot {
    /// Takes the name from a handshake that is done.
    pub(super) fn fill(&self, handshake: &impl Ssl) {
        let name = handshake.get_ssl().and_then(|ssl| ssl.server_name());
        let Some(name) = name.map(str::to_ascii_lowercase) else {
            return;
        };
        if let Ok(nothing) = ResponseHeader::build(StatusCode::OK, Some(0)) {
            let digest = ProxyDigest::new(Box::new(nothing), Some(Box::new(ServerName(name))));
            // A connection has one handshake.
            let _ = self.0.set(Arc::new(digest));
        }
    }

    pub(super) fn digest(&self) -> Option<Arc<ProxyDigest>> {
        self.0.get().cloned()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// The name in lower case; `None` on plain connections, and where the viewer named none.
pub(crate) fn of(digest: &Digest) -> Option<&str> {
    let data = digest.proxy_digest.as_ref()?.user_data.as_ref()?;
    data.downcast_ref::<ServerName>().map(|name| name.0.as_str())
}
