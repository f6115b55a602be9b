//! The response cache: in memory, shared by all workers, kept over reloads.
//!
//! A request gets here after it has been decided upon, never before, whether what it gets is fresh or stale
//! (T-CACHE-3). What is fresh is answered at once ([`Cache::find`]); everything else (who fetches and who
//! waits, revalidation, stale answers when the origin fails) is Pingora's state machine over our
//! [storage]. The rules are in one place each: what may be kept in [freshness], what
//! makes requests the same in [key], conditions and ranges in `origin::conditional` and `origin::range`.
//!
//! Nothing of one viewer gets into it: the origin is asked without cookies and identity, answers that set
//! cookies are not kept, and the session's own cookies are added to a response after it has left the cache
//! (T-CACHE-2). Its memory is bounded; a body that is being fetched is bounded by `max_object_bytes`.

mod cache_control;
mod door;
mod entry;
mod fill;
mod freshness;
mod gauges;
mod key;
mod outcome;
mod purge;
mod serve;
mod site_cache;
mod storage;
mod store;
mod ticket;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::HeaderMap;
use pingora::cache::{key::HashBinary, lock::CacheLock, predictor::Predictor};

pub use self::door::KeptObject;
pub(crate) use self::{
    entry::{Entry, RefreshClaim},
    key::{Codings, Parts, SENT_ON, variance},
    outcome::Outcome,
    purge::Purge,
    serve::{Part, apply_range, hit, is_not_modified},
    site_cache::{SiteCache, is_cacheable},
    ticket::{Asked, Errand, Ticket, Validated},
};
use self::{
    key::Slot,
    storage::{Streaming, Whole},
    store::Store,
};
use crate::{metrics::Metrics, sealed_copy::SealedCopy};

pub(crate) use self::store::SHARDS;

/// How long others wait for the one who fetches before they may do so too.
const LOCK: Duration = Duration::from_secs(10);
/// Keys, in each of 16 shards, of which the last answer could not be kept: they are not waited for.
const UNCACHEABLE: usize = 2048;
/// Keys of which the answer's length is not known beforehand.
const UNKNOWN_LENGTHS: usize = 16_384;

/// A cache. Pingora asks for parts that live as long as the process, so it does.
pub(crate) struct Cache {
    store: Arc<Store>,
    streaming: Streaming,
    whole: Whole,
    lock: CacheLock,
    predictor: Predictor<16>,
    unknown_lengths: quick_cache::sync::Cache<HashBinary, ()>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// The cache of one server, made when the first configuration wants one.
#[derive(Debug, Default)]
pub(crate) struct CacheCell(OnceLock<&'static Cache>);

impl CacheCell {
    /// The cache, with room for that many bytes.
    pub(crate) fn open(&self, max_bytes: usize, metrics: &Metrics) -> &'static Cache {
        let cache = self.0.get_or_init(|| {
            let store = Arc::new(Store::new(max_bytes as u64));
            gauges::register(&store, metrics);
            Box::leak(Box::new(Cache::new(store)))
        });
        cache.store.resize(max_bytes as u64);
        cache
    }

    /// Removes entries, if there are any.
    pub(crate) fn purge(&self, purge: &Purge) -> usize {
        self.0.get().map_or(0, |cache| cache.store.purge(purge))
    }
}

impl Drop for CacheCell {
    /// What cannot be given back is at least emptied.
    fn drop(&mut self) {
        self.purge(&Purge::default());
    }
}

impl Cache {
    fn new(store: Arc<Store>) -> Self {
        Self {
            streaming: Streaming(Arc::clone(&store)),
            whole: Whole(Arc::clone(&store)),
            store,
            lock: CacheLock::new(LOCK),
            predictor: Predictor::new(UNCACHEABLE, Some(|reason| reason == ticket::UNKNOWN_LENGTH)),
            unknown_lengths: quick_cache::sync::Cache::new(UNKNOWN_LENGTHS),
        }
    }

    /// What is kept for a request, fresh or not.
    pub(crate) fn find(&self, primary: HashBinary, request: &HeaderMap, codings: Codings) -> Option<Arc<Entry>> {
        let first = self.store.entry(&Slot {
            primary,
            variance: None,
        })?;
        let wanted = variance(&first.head.header.headers, request, codings);
        if wanted == first.head.variance {
            return Some(first);
        }
        let variant = self.store.entry(&Slot {
            primary,
            variance: Some(wanted?),
        })?;
        (variant.head.variance == wanted && !variant.is_older_than(&first)).then_some(variant)
    }

    /// A copy of the body of an entry that has been found there, to be sent without being copied; `None`: not this one.
    pub(crate) fn copy_of(&self, primary: HashBinary, entry: &Arc<Entry>) -> Option<Arc<SealedCopy>> {
        let slot = |variance| Slot { primary, variance };
        self.store.copy_of(&[slot(None), slot(entry.head.variance)], entry)
    }
}
