//! One origin's metrics, its labels looked up once.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::Metrics;

/// One origin's metrics.
#[derive(Debug)]
pub(crate) struct OriginMetrics {
    site: String,
    origin: String,
    duration: Histogram,
    new: IntCounter,
    reused: IntCounter,
    errors: IntCounterVec,
    fit: IntGaugeVec,
}

impl Metrics {
    /// The metrics of one of a site's origins.
    pub(crate) fn origin(&self, site: &str, origin: &str) -> OriginMetrics {
        let connections = |reused| self.upstream_connections.with_label_values(&[site, origin, reused]);
        OriginMetrics {
            site: site.to_owned(),
            origin: origin.to_owned(),
            duration: self.upstream_duration.with_label_values(&[site, origin]),
            new: connections("no"),
            reused: connections("yes"),
            errors: self.upstream_errors.clone(),
            fit: self.upstream_fit.clone(),
        }
    }
}

impl OriginMetrics {
    /// A connection to the origin is at hand.
    pub(crate) fn connected(&self, reused: bool) {
        if reused {
            self.reused.inc();
        } else {
            self.new.inc();
        }
    }

    /// How many of the origin's servers are fit to be asked.
    pub(crate) fn fit(&self) -> IntGauge {
        self.fit.with_label_values(&[self.site.as_str(), self.origin.as_str()])
    }

    /// The origin's response header is there.
    pub(crate) fn answered(&self, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
    }

    /// The origin did not answer properly.
    pub(crate) fn failed(&self, kind: &'static str) {
        let labels = [self.site.as_str(), self.origin.as_str(), kind];
        self.errors.with_label_values(&labels).inc();
    }
}
