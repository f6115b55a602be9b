//! What the cache did for a request: the label of metrics and log events, and the X-Cache header.

use pingora::cache::CachePhase;

/// What the cache did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered from the cache, fresh.
    Hit,
    /// Answered from the cache, stale: the origin failed, or is being asked meanwhile.
    Stale,
    /// Answered from the cache, after the origin said that nothing has changed.
    Revalidated,
    /// What was there was stale; the origin answered anew.
    Expired,
    /// Nothing was there; the origin answered.
    Miss,
    /// The cache was not asked, or the answer is not one to be kept.
    Bypass,
}

impl Outcome {
    /// In the order of [`index`](Self::index).
    pub(crate) const ALL: [Self; 6] = [
        Self::Hit,
        Self::Stale,
        Self::Revalidated,
        Self::Expired,
        Self::Miss,
        Self::Bypass,
    ];

    /// What Pingora's state machine ended in.
    pub(crate) const fn of(phase: CachePhase) -> Self {
        match phase {
            CachePhase::Hit => Self::Hit,
            CachePhase::Stale | CachePhase::StaleUpdating => Self::Stale,
            CachePhase::Revalidated | CachePhase::RevalidatedNoCache(_) => Self::Revalidated,
            CachePhase::Expired => Self::Expired,
            CachePhase::Miss => Self::Miss,
            CachePhase::Disabled(_) | CachePhase::Uninit | CachePhase::Bypass | CachePhase::CacheKey => Self::Bypass,
        }
    }

    /// The label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::Expired => "expired",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
