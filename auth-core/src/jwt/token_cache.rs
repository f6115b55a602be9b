//! Tokens that have passed every check, so that a known session costs no signature verification.
//!
//! The key is the whole token, compared byte for byte: a digest would cost more than it saves. Only
//! valid tokens get in, so that made-up ones cannot push good ones out.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::IdToken;
use crate::UnixTime;

/// A bounded cache of verified tokens.
#[derive(Debug)]
pub(crate) struct TokenCache(Cache<Arc<str>, Arc<IdToken>>);

impl TokenCache {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self(Cache::new(max_entries))
    }

    /// The token's claims, if it was verified before and is within its times at `now`.
    pub(crate) fn get(&self, token: &str, now: UnixTime) -> Option<Arc<IdToken>> {
        self.0.get(token).filter(|known| known.verify_time(now).is_ok())
    }

    pub(crate) fn insert(&self, verified: Arc<IdToken>) {
        self.0.insert(Arc::clone(verified.raw.expose()), verified);
    }

    /// Forgets everything: the keys that vouched for it have changed.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// How many tokens are known.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
