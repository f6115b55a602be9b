//! One site's metrics, its label looked up once.

use std::{sync::OnceLock, time::Duration};

use auth_core::{Decision, Endpoint, Reason};
use prometheus::{Histogram, IntCounter, IntCounterVec};

use super::{Metrics, status_class};

/// Who answered a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was refused before any decision.
    #[default]
    Refused,
    /// The core answered: a redirect or a page.
    Respond,
    /// The origin was asked.
    Forward,
}

impl Verdict {
    /// The label of metrics and log events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Respond => "respond",
            Self::Forward => "forward",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestOutcome {
    /// 0: the viewer was gone before there was an answer.
    pub(crate) status: u16,
    pub(crate) verdict: Verdict,
    pub(crate) duration: Duration,
    pub(crate) body_bytes: u64,
}

/// One site's metrics.
#[derive(Debug)]
pub(crate) struct SiteMetrics {
    site: String,
    requests: IntCounterVec,
    duration: Histogram,
    body_bytes: IntCounter,
    /// Requests that passed and were answered with 2xx, found once: most are such.
    usual_requests: OnceLock<IntCounter>,
    decisions: IntCounterVec,
    /// Those about known sessions, found once.
    usual_decisions: OnceLock<IntCounter>,
    decision_duration: Histogram,
    logins: IntCounterVec,
    refreshes: IntCounterVec,
}

impl Metrics {
    /// The metrics of a site.
    pub(crate) fn site(&self, site: &str) -> SiteMetrics {
        SiteMetrics {
            site: site.to_owned(),
            requests: self.requests.clone(),
            duration: self.request_duration.with_label_values(&[site]),
            body_bytes: self.response_bytes.with_label_values(&[site]),
            usual_requests: OnceLock::new(),
            decisions: self.decisions.clone(),
            usual_decisions: OnceLock::new(),
            decision_duration: self.decision_duration.with_label_values(&[site]),
            logins: self.logins.clone(),
            refreshes: self.refreshes.clone(),
        }
    }
}

impl SiteMetrics {
    /// A request has ended.
    pub(crate) fn requested(&self, outcome: &RequestOutcome) {
        let labels = [
            self.site.as_str(),
            status_class(outcome.status),
            outcome.verdict.as_str(),
        ];
        let counter = || self.requests.with_label_values(&labels);
        match (outcome.status, outcome.verdict) {
            (200..=299, Verdict::Forward) => self.usual_requests.get_or_init(counter).inc(),
            _ => counter().inc(),
        }
        self.duration.observe(outcome.duration.as_secs_f64());
        self.body_bytes.inc_by(outcome.body_bytes);
    }

    /// The core has decided; `computing` leaves out the time that its calls took.
    pub(crate) fn decided(&self, endpoint: Endpoint, decision: &Decision, computing: Duration) {
        let reason = decision.reason();
        let verdict = match decision {
            Decision::Forward(_) => Verdict::Forward,
            Decision::Respond(_) => Verdict::Respond,
        };
        let labels = [self.site.as_str(), verdict.as_str(), reason.as_str()];
        let counter = || self.decisions.with_label_values(&labels);
        match (verdict, reason) {
            (Verdict::Forward, Reason::SessionKnown) => self.usual_decisions.get_or_init(counter).inc(),
            _ => counter().inc(),
        }
        self.decision_duration.observe(computing.as_secs_f64());
        match endpoint {
            // Neither an end of a sign-in nor a failure: it goes on, or was not needed any more.
            Endpoint::SignIn if matches!(reason, Reason::SignInRestarted | Reason::SessionKept) => {}
            Endpoint::SignIn => {
                let signed_in = matches!(reason, Reason::SignedIn | Reason::SignedInOverBudget);
                self.count(&self.logins, if signed_in { "success" } else { "failure" });
            }
            Endpoint::SignOut | Endpoint::StartSignIn | Endpoint::InUse | Endpoint::SignedOut => {}
            Endpoint::Refresh | Endpoint::Renewal | Endpoint::Protected | Endpoint::Session => {
                if let Some(result) = refreshed(endpoint, reason) {
                    self.count(&self.refreshes, result);
                }
            }
        }
    }

    fn count(&self, counter: &IntCounterVec, result: &str) {
        counter.with_label_values(&[self.site.as_str(), result]).inc();
    }
}

/// How a renewal went, if there was one.
const fn refreshed(endpoint: Endpoint, reason: Reason) -> Option<&'static str> {
    match (endpoint, reason) {
        (_, Reason::Refreshed) => Some("success"),
        (_, Reason::RefreshTokenRejected) => Some("invalid_grant"),
        (_, Reason::TokenEndpoint | Reason::TokenReply | Reason::TokenSubject | Reason::SessionInGrace) => {
            Some("error")
        }
        (Endpoint::Refresh | Endpoint::Renewal, _) => Some("failure"),
        _ => None,
    }
}

impl Metrics {
    /// A request for a host that nobody serves, or one that was refused before its host was known.
    pub(crate) fn unknown_host(&self, outcome: &RequestOutcome) {
        let labels = [
            super::UNKNOWN_SITE,
            status_class(outcome.status),
            outcome.verdict.as_str(),
        ];
        self.requests.with_label_values(&labels).inc();
    }
}
