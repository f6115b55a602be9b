//! How often one viewer may use the paths that make us call the identity provider.
//!
//! One cell for each viewer, found by a keyed hash of its address (of an IPv6 address, the network part), so
//! memory is fixed and nobody can choose whom to share a cell with. A cell is the time at which its bucket
//! would be full again: the generic cell rate algorithm, without a lock.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Half a megabyte.
const CELLS: usize = 1 << 16;
const MINUTE: u64 = 60_000_000_000;

/// Counts requests by viewer.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Nanoseconds after `start`.
    cells: Box<[AtomicU64]>,
    start: Instant,
    hash: RandomState,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect(),
            start: Instant::now(),
            hash: RandomState::new(),
        }
    }

    /// Counts a request of that viewer. `Some`: it is one too many, and this is when the next one will not be.
    pub(crate) fn refuse(&self, client: IpAddr, per_minute: u32, now: Instant) -> Option<Duration> {
        let step = MINUTE.checked_div(u64::from(per_minute))?;
        let now = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX);
        let cell = self.cell(client)?;
        let counted = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full| {
            let next = full.max(now) + step;
            (next <= now + MINUTE).then_some(next)
        });
        let full = counted.err()?;
        Some(Duration::from_nanos((full + step).saturating_sub(now + MINUTE)))
    }

    fn cell(&self, client: IpAddr) -> Option<&AtomicU64> {
        let network = match client.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64 | 1 << 63,
        };
        let hash = self.hash.hash_one(network);
        self.cells.get(hash as usize % CELLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_s_worth_passes_at_once_and_then_one_at_a_time() {
        let throttle = Throttle::new();
        let client = address("192.0.2.7");
        let now = throttle.start + Duration::from_secs(5);
        for _ in 0..30 {
            assert_eq!(throttle.refuse(client, 30, now), None);
        }
        assert_eq!(throttle.refuse(client, 30, now), Some(Duration::from_secs(2)));
        let later = now + Duration::from_secs(2);
        assert_eq!(throttle.refuse(client, 30, later), None);
        assert!(throttle.refuse(client, 30, later).is_some());
        assert_eq!(
            throttle.refuse(address("192.0.2.8"), 30, later),
            None,
            "others are not affected"
        );
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_viewer() {
        let throttle = Throttle::new();
        let now = throttle.start;
        assert_eq!(throttle.refuse(address("2001:db8::1"), 1, now), None);
        assert!(throttle.refuse(address("2001:db8::2"), 1, now).is_some());
        assert_eq!(throttle.refuse(address("2001:db8:0:1::2"), 1, now), None);
    }

    #[test]
    fn without_a_limit_nothing_is_refused() {
        let throttle = Throttle::new();
        for _ in 0..1000 {
            assert_eq!(throttle.refuse(address("192.0.2.7"), 0, throttle.start), None);
        }
    }
}
