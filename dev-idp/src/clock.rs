//! The clock that tokens are issued by: the machine's, moved by an offset that tests set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
pub(crate) type UnixSeconds = i64;

#[derive(Debug)]
pub(crate) struct Clock {
    offset_seconds: AtomicI64,
}

impl Clock {
    pub(crate) fn new(offset_seconds: i64) -> Self {
        Self {
            offset_seconds: AtomicI64::new(offset_seconds),
        }
    }

    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset_seconds.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> UnixSeconds {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        seconds.saturating_add(self.offset_seconds.load(Ordering::Relaxed))
    }
}

/// `start` plus a lifetime.
pub(crate) fn after(start: UnixSeconds, seconds: u64) -> UnixSeconds {
    start.saturating_add_unsigned(seconds)
}
