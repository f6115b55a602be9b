//! How full the cache is, read when somebody asks.

use std::sync::Arc;

use prometheus::{
    IntCounter, IntGauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::store::Store;
use crate::metrics::Metrics;

struct Gauges {
    store: Arc<Store>,
    bytes: IntGauge,
    entries: IntGauge,
    evicted: IntCounter,
}

/// Shows the store among the metrics.
pub(super) fn register(store: &Arc<Store>, metrics: &Metrics) {
    let gauge = IntGauge::new;
    let gauges = (
        gauge("portcullis_cache_bytes", "Bytes of headers and bodies that are kept."),
        gauge("portcullis_cache_entries", "Responses that are kept."),
        IntCounter::new(
            "portcullis_cache_evictions_total",
            "Responses that had to make room for others.",
        ),
    );
    // The names are constants, and fit.
    if let (Ok(bytes), Ok(entries), Ok(evicted)) = gauges {
        metrics.register(Box::new(Gauges {
            store: Arc::clone(store),
            bytes,
            entries,
            evicted,
        }));
    }
}

impl Collector for Gauges {
    fn desc(&self) -> Vec<&Desc> {
        [self.bytes.desc(), self.entries.desc(), self.evicted.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.bytes.set(signed(self.store.bytes()));
        self.entries.set(signed(self.store.entries() as u64));
        // Counted up to where the store is, by whoever asks first.
        self.evicted
            .inc_by(self.store.evicted().saturating_sub(self.evicted.get()));
        [self.bytes.collect(), self.entries.collect(), self.evicted.collect()].concat()
    }
}
