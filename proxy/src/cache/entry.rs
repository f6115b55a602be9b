//! A response that is kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use pingora::{
    cache::{CacheMeta, key::HashBinary},
    http::ResponseHeader,
};

use crate::sealed_copy::SealedCopy;

/// What an entry takes up beside header and body, roughly.
const OVERHEAD: u64 = 512;

/// Whose an entry is: what purging goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The site's name.
    pub(crate) site: Arc<str>,
    /// The path that viewers ask for.
    pub(crate) path: Arc<str>,
}

/// Everything but the body.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) owner: Owner,
    pub(super) header: ResponseHeader,
    created: SystemTime,
    /// When it was of age 0.
    epoch: SystemTime,
    pub(super) fresh_until: SystemTime,
    stale_while_revalidate: u32,
    stale_if_error: u32,
    pub(super) variance: Option<HashBinary>,
}

/// A response that is kept, whole.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// The body once more, for connections that it can be sent on without being copied.
    pub(super) copy: Option<Arc<SealedCopy>>,
    /// Whether such a connection has asked for it before.
    pub(super) was_wanted: AtomicBool,
    refreshing: AtomicBool,
}

impl Head {
    pub(super) fn new(owner: Owner, meta: &CacheMeta) -> Self {
        Self {
            owner,
            header: meta.response_header_copy(),
            created: meta.created(),
            epoch: meta.epoch(),
            fresh_until: meta.fresh_until(),
            stale_while_revalidate: meta.stale_while_revalidate_sec(),
            stale_if_error: meta.stale_if_error_sec(),
            variance: meta.variance(),
        }
    }

    /// In Pingora's form, which cannot be copied.
    pub(super) fn meta(&self) -> CacheMeta {
        let mut meta = CacheMeta::new(
            self.fresh_until,
            self.created,
            self.stale_while_revalidate,
            self.stale_if_error,
            self.header.clone(),
        );
        meta.set_epoch_override(self.epoch);
        if let Some(variance) = self.variance {
            meta.set_variance(variance);
        }
        meta
    }
}

impl Entry {
    pub(super) fn new(head: Head, body: Bytes) -> Self {
        Self {
            head,
            body,
            copy: None,
            was_wanted: AtomicBool::new(false),
            refreshing: AtomicBool::new(false),
        }
    }

    /// The same with a copy of its body.
    pub(super) fn with_copy(self: &Arc<Self>, copy: Arc<SealedCopy>) -> Self {
        Self {
            copy: Some(copy),
            ..Self::new(self.head.clone(), self.body.clone())
        }
    }

    /// The same body with a new header.
    pub(super) fn renewed(&self, head: Head) -> Self {
        Self {
            copy: self.copy.clone(),
            ..Self::new(head, self.body.clone())
        }
    }

    /// In bytes.
    pub(super) fn weight(&self) -> u64 {
        let fields = self.head.header.headers.iter();
        let header: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        let copies = 1 + usize::from(self.copy.is_some());
        OVERHEAD + (header + self.head.owner.path.len() + copies * self.body.len()) as u64
    }

    /// Whether it may be served without asking anybody.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.head.fresh_until >= now
    }

    /// Whether it may be served while it is being revalidated.
    pub(crate) fn may_be_refreshed_behind(&self, now: SystemTime) -> bool {
        let window = Duration::from_secs(self.head.stale_while_revalidate.into());
        !window.is_zero() && self.head.fresh_until.checked_add(window).is_some_and(|end| now < end)
    }

    /// Claims the refreshing; `None` when somebody else has. It is free again once the claim is dropped.
    pub(crate) fn claim_refresh(self: &Arc<Self>) -> Option<RefreshClaim> {
        let claimed = !self.refreshing.swap(true, Ordering::AcqRel);
        claimed.then(|| RefreshClaim(Arc::clone(self)))
    }

    pub(super) fn age(&self, now: SystemTime) -> u64 {
        now.duration_since(self.head.epoch).unwrap_or_default().as_secs()
    }

    /// Whether it was kept before that other one, of which it is a variant: then it has been replaced with it.
    pub(super) fn is_older_than(&self, primary: &Self) -> bool {
        self.head.created < primary.head.created
    }
}

/// The right to refresh an entry in the background; the next request may try once it is gone.
#[derive(Debug)]
pub(crate) struct RefreshClaim(Arc<Entry>);

impl Drop for RefreshClaim {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}
