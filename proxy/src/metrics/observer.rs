//! Counts the calls to a site's identity provider.

use auth_core::CallPurpose;
use auth_driver::{Observer, OutcomeClass, SettledCall};
use prometheus::{GaugeVec, HistogramVec, IntCounterVec};

use super::Metrics;

/// Listens to the driver of one site.
#[derive(Debug)]
pub(crate) struct DriverObserver {
    site: String,
    token_requests: IntCounterVec,
    token_duration: HistogramVec,
    key_fetches: IntCounterVec,
    key_age: GaugeVec,
    refreshes: IntCounterVec,
}

impl Metrics {
    /// A listener for the driver of that site.
    pub(crate) fn observer(&self, site: &str) -> DriverObserver {
        DriverObserver {
            site: site.to_owned(),
            token_requests: self.token_requests.clone(),
            token_duration: self.token_duration.clone(),
            key_fetches: self.key_fetches.clone(),
            key_age: self.key_age.clone(),
            refreshes: self.refreshes.clone(),
        }
    }
}

impl Observer for DriverObserver {
    fn call_settled(&self, call: SettledCall) {
        let site = self.site.as_str();
        let result = call.outcome.as_str();
        if call.purpose == CallPurpose::KeySet {
            self.key_fetches.with_label_values(&[site, result]).inc();
            if call.outcome == OutcomeClass::Replied {
                self.key_age
                    .with_label_values(&[site])
                    .set(auth_driver::now().as_secs_f64());
            }
            return;
        }
        let grant = call.purpose.as_str();
        self.token_requests.with_label_values(&[site, grant, result]).inc();
        self.token_duration
            .with_label_values(&[site, grant])
            .observe(call.duration.as_secs_f64());
        if call.outcome != OutcomeClass::Replied {
            tracing::warn!(
                target: "portcullis",
                site,
                purpose = grant,
                result,
                attempts = call.attempts,
                "the identity provider did not answer properly"
            );
        }
    }

    fn call_shared(&self, purpose: CallPurpose) {
        if purpose == CallPurpose::TokenRefresh {
            self.refreshes.with_label_values(&[self.site.as_str(), "shared"]).inc();
        }
    }
}
