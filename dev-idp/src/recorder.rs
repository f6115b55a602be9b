//! What was asked of the provider, for tests that count and inspect.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, Method, header};
use tokio::sync::watch;

use crate::endpoint::Endpoint;

/// Older requests are forgotten; the counters are not.
const KEPT: usize = 1000;

/// One request as it arrived.
///
/// It holds secrets (codes, client credentials): show it in a failing test, never in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Where it went.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Authorization`
    pub authorization: Option<String>,
    /// Body of a token or revocation request; empty for the other endpoints.
    pub body: String,
}

impl RecordedRequest {
    pub(crate) fn new(endpoint: Endpoint, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: HeaderName| {
            headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            endpoint,
            method: method.clone(),
            path: path.to_owned(),
            content_type: text(header::CONTENT_TYPE),
            authorization: text(header::AUTHORIZATION),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The first value of a form field in the body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

#[derive(Debug, Default)]
struct Record {
    recent: VecDeque<RecordedRequest>,
    counts: HashMap<Endpoint, usize>,
}

/// A handle on the record; clones share it.
#[derive(Clone, Debug)]
pub struct Recorder {
    record: Arc<Mutex<Record>>,
    changed: watch::Sender<()>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            record: Arc::default(),
            changed: watch::Sender::new(()),
        }
    }

    pub(crate) fn add(&self, request: RecordedRequest) {
        let mut record = self.record();
        *record.counts.entry(request.endpoint).or_default() += 1;
        if record.recent.len() == KEPT {
            record.recent.pop_front();
        }
        record.recent.push_back(request);
        drop(record);
        self.changed.send_replace(());
    }

    /// How many requests an endpoint has had, faulty answers included.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.record().counts.get(&endpoint).copied().unwrap_or_default()
    }

    /// The same for every endpoint that has had one.
    pub(crate) fn counts(&self) -> HashMap<Endpoint, usize> {
        self.record().counts.clone()
    }

    /// The latest requests to an endpoint, oldest first.
    #[must_use]
    pub fn of(&self, endpoint: Endpoint) -> Vec<RecordedRequest> {
        self.record()
            .recent
            .iter()
            .filter(|request| request.endpoint == endpoint)
            .cloned()
            .collect()
    }

    /// Waits until an endpoint has had `count` requests in all; put your own time-out around it.
    pub async fn wait_for(&self, endpoint: Endpoint, count: usize) {
        let mut changed = self.changed.subscribe();
        while self.count(endpoint) < count {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(endpoint: Endpoint) -> RecordedRequest {
        RecordedRequest::new(
            endpoint,
            &Method::POST,
            "/oauth2/token",
            &HeaderMap::new(),
            b"a=1&b=x%20y",
        )
    }

    #[test]
    fn fields_are_decoded() {
        assert_eq!(request(Endpoint::Token).field("b").as_deref(), Some("x y"));
        assert_eq!(request(Endpoint::Token).field("c"), None);
    }

    #[test]
    fn the_count_outlives_the_kept_requests() {
        let recorder = Recorder::new();
        for _ in 0..KEPT + 5 {
            recorder.add(request(Endpoint::Token));
        }
        assert_eq!(recorder.count(Endpoint::Token), KEPT + 5);
        assert_eq!(recorder.of(Endpoint::Token).len(), KEPT);
    }

    #[tokio::test]
    async fn waiting_ends_with_the_request_waited_for() {
        let recorder = Recorder::new();
        let waiting = tokio::spawn({
            let recorder = recorder.clone();
            async move { recorder.wait_for(Endpoint::Jwks, 2).await }
        });
        recorder.add(request(Endpoint::Jwks));
        recorder.add(request(Endpoint::Jwks));
        waiting.await.unwrap();
    }
}
