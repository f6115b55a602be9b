//! Everything that is kept, and what is on its way there. Shared by all workers, and kept over reloads.
//!
//! Bounded by the bytes of headers and bodies; what has been of use stays longest (S3-FIFO's relative, CLOCK-Pro,
//! in shards, each with its lock). Bodies that are being filled count from their end.

use std::{
    collections::HashMap,
    hash::RandomState,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use pingora::cache::CacheMeta;
use quick_cache::{
    Lifecycle, OptionsBuilder, Weighter,
    sync::{Cache, EntryAction, EntryResult},
};

use super::{
    entry::{Entry, Head},
    fill::{Fill, Tag},
    key::Slot,
    purge::Purge,
};
use crate::sealed_copy::{self, Allowance, SealedCopy};

/// Fixed, since an entry can be no larger than a shard.
pub(crate) const SHARDS: u64 = 8;

/// Entries of a usual site are some ten kilobytes.
const USUAL_BYTES: u64 = 16 * 1024;

/// What is smaller is sent in one packet with its header, which costs less than any copy.
const LEAST_COPIED: usize = 64 * 1024;
/// Copies take no more than this part of the room.
const COPIES: u64 = 4;

/// What is kept.
#[derive(Debug)]
pub(crate) struct Store {
    entries: Cache<Slot, Arc<Entry>, Bytes, RandomState, Evictions>,
    fills: Mutex<Fills>,
    evicted: Arc<AtomicU64>,
    purges: AtomicU64,
    copies: Arc<Allowance>,
}

/// What is on its way.
#[derive(Debug, Default)]
struct Fills {
    /// Of each slot the latest one, for others to read along.
    by_slot: HashMap<Slot, Arc<Fill>>,
    /// All, for those who fetch them.
    by_tag: HashMap<Tag, Arc<Fill>>,
}

#[derive(Clone, Copy, Debug)]
struct Bytes;

impl Weighter<Slot, Arc<Entry>> for Bytes {
    fn weight(&self, _slot: &Slot, entry: &Arc<Entry>) -> u64 {
        entry.weight()
    }
}

#[derive(Clone, Debug)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<Slot, Arc<Entry>> for Evictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _slot: Slot, _entry: Arc<Entry>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What is at a slot.
#[derive(Debug)]
pub(super) enum Found {
    Entry(Arc<Entry>),
    Fill(Arc<Fill>),
}

impl Store {
    /// Room for that many bytes.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let evicted = Arc::new(AtomicU64::new(0));
        let items = (max_bytes / USUAL_BYTES).clamp(64, 1 << 20) as usize;
        let evictions = Evictions(Arc::clone(&evicted));
        let options = OptionsBuilder::new()
            .shards(SHARDS as usize)
            .estimated_items_capacity(items)
            .weight_capacity(max_bytes)
            .build();
        Self {
            entries: match options {
                Ok(options) => Cache::with_options(options, Bytes, RandomState::new(), evictions),
                // Both capacities are given, so this is never reached; as many shards as the library likes.
                Err(_) => Cache::with(items, max_bytes, Bytes, RandomState::new(), evictions),
            },
            fills: Mutex::default(),
            evicted,
            purges: AtomicU64::new(0),
            copies: Allowance::of(sealed_copy::most_files()),
        }
    }

    /// Makes it larger or smaller.
    pub(crate) fn resize(&self, max_bytes: u64) {
        if self.entries.capacity() != max_bytes {
            self.entries.set_capacity(max_bytes);
        }
    }

    pub(super) fn entry(&self, slot: &Slot) -> Option<Arc<Entry>> {
        self.entries.get(slot)
    }

    /// A fresh entry, or a response that is just coming; else an entry that is stale.
    pub(super) fn find(&self, slot: &Slot, now: SystemTime) -> Option<Found> {
        let entry = self.entries.get(slot);
        match entry {
            Some(entry) if entry.is_fresh(now) => Some(Found::Entry(entry)),
            entry => {
                let fill = self.fills().by_slot.get(slot).cloned().map(Found::Fill);
                fill.or_else(|| entry.map(Found::Entry))
            }
        }
    }

    /// Keeps an entry, in place of what was kept there.
    pub(super) fn keep(&self, slot: Slot, entry: Entry) {
        self.entries.insert(slot, Arc::new(entry));
    }

    pub(super) fn begin(&self, slot: Slot, fill: Arc<Fill>) {
        let mut fills = self.fills();
        fills.by_tag.insert(fill.tag, Arc::clone(&fill));
        fills.by_slot.insert(slot, fill);
    }

    /// A fill is over: with an entry, unless it broke off or has been purged meanwhile.
    pub(super) fn end(&self, slot: Slot, fill: &Arc<Fill>, entry: Option<Entry>) {
        if let Some(entry) = entry
            && fill.generation == self.generation()
        {
            self.keep(slot, entry);
        }
        let mut fills = self.fills();
        fills.by_tag.remove(&fill.tag);
        if fills.by_slot.get(&slot).is_some_and(|known| Arc::ptr_eq(known, fill)) {
            fills.by_slot.remove(&slot);
        }
    }

    /// The fill with that tag, purged or not.
    pub(super) fn fill(&self, tag: &Tag) -> Option<Arc<Fill>> {
        self.fills().by_tag.get(tag).cloned()
    }

    /// What was kept has been found current: new header, same body.
    pub(super) fn renew(&self, slot: Slot, meta: &CacheMeta) -> bool {
        let Some(entry) = self.entries.get(&slot) else {
            return false;
        };
        let head = Head::new(entry.head.owner.clone(), meta);
        self.keep(slot, entry.renewed(head));
        true
    }

    /// A copy of an entry's body, made when it is wanted for the second time. It counts like the body itself.
    pub(super) fn copy_of(&self, slots: &[Slot], entry: &Arc<Entry>) -> Option<Arc<SealedCopy>> {
        if let Some(copy) = &entry.copy {
            return Some(Arc::clone(copy));
        }
        let length = entry.body.len();
        let fits = 2 * (entry.weight() + length as u64) <= self.entries.shard_capacity();
        if length < LEAST_COPIED || !fits || !entry.was_wanted.swap(true, Ordering::Relaxed) {
            return None;
        }
        let most = usize::try_from(self.entries.capacity() / COPIES).unwrap_or(usize::MAX);
        let copy = SealedCopy::of(&entry.body, &self.copies, most)?;
        let with_copy = Arc::new(entry.with_copy(Arc::clone(&copy)));
        let is_kept = slots.iter().any(|slot| self.exchange(slot, entry, &with_copy));
        is_kept.then_some(copy)
    }

    /// Puts another entry in the place of that very one, if it is still there.
    fn exchange(&self, slot: &Slot, known: &Arc<Entry>, other: &Arc<Entry>) -> bool {
        let exchanged = self.entries.entry(slot, Some(Duration::ZERO), |_, entry| {
            let is_known = Arc::ptr_eq(entry, known);
            if is_known {
                *entry = Arc::clone(other);
            }
            EntryAction::Retain(is_known)
        });
        let is_exchanged = matches!(exchanged, EntryResult::Retained(true));
        if is_exchanged {
            // It is heavier: others make room.
            self.entries.set_capacity(self.entries.capacity());
        }
        is_exchanged
    }

    pub(super) fn remove(&self, slot: &Slot) -> bool {
        self.entries.remove(slot).is_some()
    }

    /// Removes what is meant, also from under those who are fetching it. Gives the number of entries.
    pub(crate) fn purge(&self, purge: &Purge) -> usize {
        self.purges.fetch_add(1, Ordering::AcqRel);
        let count = AtomicUsize::new(0);
        self.entries.retain(|_, entry| {
            let is_meant = purge.means(&entry.head.owner);
            count.fetch_add(usize::from(is_meant), Ordering::Relaxed);
            !is_meant
        });
        self.fills().by_slot.retain(|_, fill| !purge.means(&fill.head.owner));
        count.into_inner()
    }

    pub(super) fn generation(&self) -> u64 {
        self.purges.load(Ordering::Acquire)
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    /// Entries that are kept.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Entries that had to make room, so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn fills(&self) -> MutexGuard<'_, Fills> {
        self.fills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pingora::http::ResponseHeader;

    use super::*;
    use crate::cache::entry::Owner;

    fn slot(number: u64) -> Slot {
        Slot {
            primary: pingora::cache::key::hash_key(number.to_be_bytes()),
            variance: None,
        }
    }

    fn head(path: &str) -> Head {
        let now = SystemTime::now();
        let header = ResponseHeader::build(200, None).unwrap();
        let owner = Owner {
            site: "app".into(),
            path: path.into(),
        };
        Head::new(owner, &CacheMeta::new(now + Duration::from_secs(60), now, 0, 0, header))
    }

    fn keep(store: &Store, slot: Slot, path: &str, length: usize) {
        let fill = Arc::new(Fill::new(head(path), store.generation()));
        store.begin(slot, Arc::clone(&fill));
        store.end(slot, &fill, Some(Entry::new(head(path), vec![0; length].into())));
    }

    #[test]
    fn the_bytes_are_bounded_and_evictions_counted() {
        let store = Store::new(1 << 20);
        for number in 0..1000 {
            keep(&store, slot(number), "/", 10_000);
            assert!(store.bytes() <= 1 << 20);
        }
        assert!((50..110).contains(&store.entries()), "{}", store.entries());
        assert!(store.evicted() >= 890, "{}", store.evicted());
        store.resize(1 << 18);
        keep(&store, slot(1000), "/", 10_000);
        assert!(store.bytes() <= 1 << 18, "{}", store.bytes());
    }

    #[test]
    fn a_purge_removes_what_it_means_and_nothing_else() {
        let store = Store::new(1 << 20);
        keep(&store, slot(1), "/a/1", 10);
        keep(&store, slot(2), "/a/2", 10);
        keep(&store, slot(3), "/b", 10);
        assert_eq!(store.purge(&Purge::new(Some("app"), Some("/a/1"), None)), 1);
        assert_eq!(store.purge(&Purge::new(Some("other"), None, Some("/"))), 0);
        assert_eq!(store.purge(&Purge::new(None, None, Some("/a/"))), 1);
        assert_eq!(store.entries(), 1);
        assert_eq!(store.purge(&Purge::new(None, None, None)), 1);
    }

    #[test]
    fn what_was_being_fetched_during_a_purge_is_not_kept() {
        let store = Store::new(1 << 20);
        let fill = Arc::new(Fill::new(head("/a"), store.generation()));
        store.begin(slot(1), Arc::clone(&fill));
        assert!(store.find(&slot(1), SystemTime::now()).is_some());
        store.purge(&Purge::new(None, Some("/a"), None));
        assert!(store.find(&slot(1), SystemTime::now()).is_none());
        assert!(store.fill(&fill.tag).is_some(), "who fetches it goes on");
        store.end(slot(1), &fill, Some(Entry::new(head("/a"), "old".into())));
        assert!(store.entry(&slot(1)).is_none());
        assert!(store.fill(&fill.tag).is_none());
    }
}
