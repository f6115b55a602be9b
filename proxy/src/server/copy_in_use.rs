//! A body that also lies in a file, while a connection sends it.
//!
//! Pingora writes a body to the connection's stream in pieces of the memory that it was given. Where such a piece is
//! memory that a sealed copy was made of, the stream has the kernel send those bytes from the copy. Nothing else
//! changes: the same bytes leave in the same order, as many of them as the kernel takes at a time.

use std::sync::{Arc, Mutex, PoisonError};

use pingora::proxy::Session;

use super::viewer::ViewerConnection;
use crate::sealed_copy::SealedCopy;

/// Sending a file has a price of its own: less than that is copied faster.
const LEAST: usize = 4 * 1024;

/// What a connection is sending just now.
#[derive(Debug, Default)]
pub(super) struct CopyAtHand(Mutex<Option<Arc<SealedCopy>>>);

impl CopyAtHand {
    fn set(&self, copy: Option<Arc<SealedCopy>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = copy;
    }

    /// The copy that has these bytes, and where.
    pub(super) fn place_of(&self, bytes: &[u8]) -> Option<(Arc<SealedCopy>, u64)> {
        if !CopyInUse::is_useful(bytes.len()) {
            return None;
        }
        let copy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = copy.as_ref()?;
        Some((Arc::clone(copy), copy.position(bytes)?))
    }
}

/// Makes a copy known to a connection until it is dropped.
#[derive(Debug)]
pub(crate) struct CopyInUse(Arc<ViewerConnection>);

impl CopyInUse {
    /// Whether so many bytes are worth it.
    pub(crate) const fn is_useful(length: usize) -> bool {
        length >= LEAST
    }

    /// Whether this request's connection can make use of a copy: the bytes are written to it as they are.
    pub(crate) fn is_usable(session: &Session) -> bool {
        let is_plain = || session.digest().is_some_and(|digest| digest.ssl_digest.is_none());
        session.as_downstream().as_http1().is_some() && is_plain()
    }

    /// Makes a copy known to a request's connection.
    pub(crate) fn on(session: &Session, copy: Arc<SealedCopy>) -> Option<Self> {
        let connection = ViewerConnection::in_digest(session.digest()?.proxy_digest.as_ref())?;
        connection.copy.set(Some(copy));
        Some(Self(connection))
    }
}

impl Drop for CopyInUse {
    fn drop(&mut self) {
        self.0.copy.set(None);
    }
}
