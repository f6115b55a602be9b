//! What the proxy counts, for Prometheus. No label takes a value from a viewer.

mod observer;
mod origin;
mod site;

use auth_core::UnixTime;
use prometheus::{
    Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

use crate::cache::Outcome;

pub(crate) use origin::OriginMetrics;
pub(crate) use site::{RequestOutcome, SiteMetrics, Verdict};

/// The site label of requests for hosts that nobody serves.
pub(crate) const UNKNOWN_SITE: &str = "unknown";

/// From a cached decision (hundreds of nanoseconds) to one with a signature check and a busy machine.
const DECISION_SECONDS: [f64; 10] = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2];
/// From an answer of our own to a slow origin.
const REQUEST_SECONDS: [f64; 12] = [5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5, 10.0];
/// Providers answer in tens of milliseconds; the budget ends at some seconds.
const PROVIDER_SECONDS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Every metric of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    decisions: IntCounterVec,
    decision_duration: HistogramVec,
    logins: IntCounterVec,
    refreshes: IntCounterVec,
    token_requests: IntCounterVec,
    token_duration: HistogramVec,
    key_fetches: IntCounterVec,
    key_age: GaugeVec,
    upstream_duration: HistogramVec,
    upstream_connections: IntCounterVec,
    upstream_errors: IntCounterVec,
    upstream_fit: IntGaugeVec,
    response_bytes: IntCounterVec,
    cache: IntCounterVec,
    /// Connections of viewers that are open now, by listener.
    pub(crate) connections: IntGaugeVec,
    /// Lines of the access log that were lost because it was not written fast enough.
    pub(crate) access_lines_lost: IntCounter,
    /// 1 while requests in flight are being finished.
    pub(crate) draining: IntGauge,
    loaded: Gauge,
    reloads: IntCounterVec,
    certificate_ends: IntGaugeVec,
}

impl Metrics {
    /// All metrics at zero.
    ///
    /// # Errors
    /// Never in practice: all names are constants and differ.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let vec = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok(vec)
        };
        let histogram =
            |name: &str, help: &str, labels: &[&str], buckets: &[f64]| -> prometheus::Result<HistogramVec> {
                let vec = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
                registry.register(Box::new(vec.clone()))?;
                Ok(vec)
            };
        let key_age = GaugeVec::new(
            Opts::new(
                "portcullis_jwks_fetched_timestamp_seconds",
                "When the key set was last fetched; absent until then.",
            ),
            &["site"],
        )?;
        let connections = IntGaugeVec::new(
            Opts::new(
                "portcullis_open_connections",
                "Connections of viewers that are open now.",
            ),
            &["listener"],
        )?;
        let draining = IntGauge::new("portcullis_draining", "1 while requests in flight are being finished.")?;
        let loaded = Gauge::new(
            "portcullis_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded.",
        )?;
        registry.register(Box::new(key_age.clone()))?;
        registry.register(Box::new(connections.clone()))?;
        let access_lines_lost = IntCounter::new(
            "portcullis_access_log_lost_total",
            "Lines of the access log that were lost because it was not written fast enough.",
        )?;
        registry.register(Box::new(access_lines_lost.clone()))?;
        registry.register(Box::new(draining.clone()))?;
        registry.register(Box::new(loaded.clone()))?;
        let certificate_ends = IntGaugeVec::new(
            Opts::new(
                "portcullis_tls_cert_not_after_seconds",
                "When a certificate of the https listeners ends.",
            ),
            &["name"],
        )?;
        registry.register(Box::new(certificate_ends.clone()))?;
        let upstream_fit = IntGaugeVec::new(
            Opts::new(
                "portcullis_upstream_healthy",
                "Servers of an origin that are fit to be asked, as far as is known.",
            ),
            &["site", "origin"],
        )?;
        registry.register(Box::new(upstream_fit.clone()))?;
        let build = IntGaugeVec::new(
            Opts::new("portcullis_build_info", "1, labelled with the version."),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        Ok(Self {
            requests: counter(
                "portcullis_requests_total",
                "Requests by site, status class and who answered.",
                &["site", "code", "decision"],
            )?,
            request_duration: histogram(
                "portcullis_request_duration_seconds",
                "From the request's header to the end of the response.",
                &["site"],
                &REQUEST_SECONDS,
            )?,
            decisions: counter(
                "portcullis_auth_decisions_total",
                "Sign-in decisions by reason.",
                &["site", "decision", "reason"],
            )?,
            decision_duration: histogram(
                "portcullis_auth_decision_duration_seconds",
                "Time for a decision, calls to the identity provider left out.",
                &["site"],
                &DECISION_SECONDS,
            )?,
            logins: counter(
                "portcullis_logins_total",
                "Returns from the hosted UI by result.",
                &["site", "result"],
            )?,
            refreshes: counter(
                "portcullis_refreshes_total",
                "Session refreshes by result.",
                &["site", "result"],
            )?,
            token_requests: counter(
                "portcullis_token_requests_total",
                "Calls of the token endpoint by grant and result.",
                &["site", "grant", "result"],
            )?,
            token_duration: histogram(
                "portcullis_token_request_duration_seconds",
                "Time for calls of the token endpoint, repetitions included.",
                &["site", "grant"],
                &PROVIDER_SECONDS,
            )?,
            key_fetches: counter(
                "portcullis_jwks_fetch_total",
                "Fetches of the key set by result.",
                &["site", "result"],
            )?,
            upstream_duration: histogram(
                "portcullis_upstream_duration_seconds",
                "From asking the origin to its response header.",
                &["site", "origin"],
                &REQUEST_SECONDS,
            )?,
            upstream_connections: counter(
                "portcullis_upstream_connections_total",
                "Connections used towards the origin, new or kept.",
                &["site", "origin", "reused"],
            )?,
            upstream_errors: counter(
                "portcullis_upstream_errors_total",
                "Requests that the origin did not answer properly.",
                &["site", "origin", "kind"],
            )?,
            upstream_fit,
            response_bytes: counter(
                "portcullis_response_bytes_total",
                "Body bytes sent to viewers.",
                &["site"],
            )?,
            cache: counter(
                "portcullis_cache_total",
                "Requests of sites with a cache by what it did.",
                &["site", "result"],
            )?,
            key_age,
            connections,
            access_lines_lost,
            draining,
            loaded,
            reloads: at_zero(
                counter(
                    "portcullis_config_reloads_total",
                    "Attempts to reload the configuration, by result.",
                    &["result"],
                )?,
                &["success", "failure"],
            ),
            certificate_ends,
            registry,
        })
    }

    /// Notes how an attempt to reload ended.
    pub(crate) fn configuration_reloaded(&self, success: bool) {
        let result = if success { "success" } else { "failure" };
        self.reloads.with_label_values(&[result]).inc();
    }

    /// Notes when the certificates in force end.
    pub(crate) fn certificates_loaded(&self, ends: impl Iterator<Item = (String, i64)>) {
        self.certificate_ends.reset();
        for (name, end) in ends {
            let gauge = self.certificate_ends.with_label_values(&[&name]);
            // Of several with one name, the one that ends first is the one to worry about.
            gauge.set(if gauge.get() == 0 { end } else { end.min(gauge.get()) });
        }
    }

    /// Notes when the configuration came into force.
    pub(crate) fn configuration_loaded(&self, now: UnixTime) {
        self.loaded.set(now.as_secs_f64());
    }

    /// The counter of what a site's cache does.
    pub(crate) fn cache(&self, site: &str, outcome: Outcome) -> IntCounter {
        self.cache.with_label_values(&[site, outcome.as_str()])
    }

    /// Shows what others collect among these.
    pub(crate) fn register(&self, collector: Box<dyn Collector>) {
        // All names are constants and differ.
        let _ = self.registry.register(collector);
    }

    /// Everything in Prometheus' text format.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        // Writing to memory does not fail, and the families come from the registry.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}

/// Shows these from the start: a counter that appears with its first count has not increased, to Prometheus.
fn at_zero(counter: IntCounterVec, labels: &[&str]) -> IntCounterVec {
    for label in labels {
        counter.with_label_values(&[label]);
    }
    counter
}

/// `2xx` and so on.
const fn status_class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_registered_under_one_prefix() {
        let metrics = Metrics::new().unwrap();
        let site = metrics.site("a.example");
        site.requested(&RequestOutcome {
            status: 204,
            verdict: Verdict::Forward,
            duration: std::time::Duration::from_millis(3),
            body_bytes: 7,
        });
        let text = String::from_utf8(metrics.encode()).unwrap();
        assert!(
            text.contains("portcullis_requests_total{code=\"2xx\",decision=\"forward\",site=\"a.example\"} 1"),
            "{text}"
        );
        assert!(text.contains("portcullis_build_info{version="));
        assert!(text.contains("portcullis_config_reloads_total{result=\"failure\"} 0"));
        assert!(
            text.lines()
                .all(|line| line.starts_with('#') || line.starts_with("portcullis_"))
        );
    }
}
