//! One event or line, and one count, for each request, at its end. No query, no cookie, no token.

mod line;
mod sink;

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, Version, header};
use pingora::proxy::Session;
use time::OffsetDateTime;

use self::{
    line::{CLOUDFRONT_HEAD, Entry},
    sink::Sink,
};
use crate::{
    cache::Outcome,
    config::{AccessForm, AccessLogSettings, ConfigError, Problem},
    exchange::Exchange,
    metrics::{Metrics, RequestOutcome, UNKNOWN_SITE},
};

/// Longer paths are cut in the log.
const MAX_PATH: usize = 512;

/// Where requests are written down, and how.
#[derive(Debug)]
pub(crate) struct AccessLog {
    settings: AccessLogSettings,
    /// Where lines are written.
    sink: Option<Arc<Sink>>,
}

impl AccessLog {
    /// Opens what the settings say; the one `before` is reopened where they say the same.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn open(
        settings: &AccessLogSettings,
        metrics: &Metrics,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let sink = match (settings.form, before) {
            (AccessForm::Event | AccessForm::Off, _) => None,
            (_, Some(before)) if before.settings == *settings => {
                before.reopen();
                before.sink.clone()
            }
            (form, _) => {
                let head = if form == AccessForm::CloudFront {
                    CLOUDFRONT_HEAD
                } else {
                    ""
                };
                let opened = Sink::open(settings.file.as_deref(), head, metrics.access_lines_lost.clone());
                Some(Arc::new(opened.map_err(|error| {
                    ConfigError::from(Problem {
                        path: "access_log.file".into(),
                        found: format!("a file that cannot be written ({error})"),
                        expected: "a file in a folder that is there".into(),
                    })
                })?))
            }
        };
        Ok(Self {
            settings: settings.clone(),
            sink,
        })
    }

    /// Begins a new file where the old one has been moved away.
    pub(crate) fn reopen(&self) {
        if let Some(sink) = &self.sink {
            sink.reopen();
        }
    }
}

/// Counts and logs a request that has ended.
pub(crate) fn finish(session: &Session, exchange: &Exchange, metrics: &Metrics, log: &AccessLog) {
    if exchange.cached.errand.is_some() {
        // No viewer asked for it; the origin's metrics show it.
        return;
    }
    let status = session
        .response_written()
        .map_or(0, |response| response.status.as_u16());
    let outcome = RequestOutcome {
        status,
        verdict: exchange.verdict,
        duration: exchange.started.elapsed(),
        body_bytes: session.body_bytes_sent() as u64,
    };
    let site = match &exchange.site {
        Some(site) => {
            site.metrics.requested(&outcome);
            let cache = exchange
                .behaviour
                .as_ref()
                .and_then(|behaviour| behaviour.cache.as_ref());
            if let (Some(cache), Some(outcome)) = (cache, exchange.cached.outcome) {
                cache.count(outcome);
            }
            site.name.as_str()
        }
        None => {
            metrics.unknown_host(&outcome);
            UNKNOWN_SITE
        }
    };
    match (log.settings.form, &log.sink) {
        (AccessForm::Off, _) => {}
        (form, Some(sink)) => sink.line(entry(session, exchange, site, &outcome).line(form)),
        (_, None) => event(session, exchange, site, &outcome),
    }
}

fn micros(outcome: &RequestOutcome) -> u64 {
    u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX)
}

fn event(session: &Session, exchange: &Exchange, site: &str, outcome: &RequestOutcome) {
    tracing::info!(
        target: "portcullis::access",
        request_id = exchange.id,
        site,
        method = session.req_header().method.as_str(),
        path = path(session),
        status = outcome.status,
        decision = exchange.verdict.as_str(),
        reason = exchange.reason,
        duration_us = micros(outcome),
        bytes = outcome.body_bytes,
        cache = exchange.cached.outcome.map(Outcome::as_str),
        client = exchange.passed.as_ref().map(|passed| tracing::field::display(passed.client)),
        "request"
    );
}

fn entry<'a>(session: &'a Session, exchange: &'a Exchange, site: &'a str, outcome: &RequestOutcome) -> Entry<'a> {
    let request = session.req_header();
    let passed = exchange.passed.as_ref();
    Entry {
        now: OffsetDateTime::now_utc(),
        id: &exchange.id,
        site,
        client: passed.map(|passed| passed.client).or_else(|| peer(session)),
        method: request.method.as_str(),
        host: match passed {
            Some(passed) => passed.host.as_bytes(),
            None => field(&request.headers, &header::HOST),
        },
        path: path(session),
        version: if request.version == Version::HTTP_2 {
            "HTTP/2.0"
        } else {
            "HTTP/1.1"
        },
        scheme: passed.map_or("-", |passed| passed.scheme.as_str()),
        status: outcome.status,
        decision: exchange.verdict.as_str(),
        reason: exchange.reason,
        micros: micros(outcome),
        bytes: outcome.body_bytes,
        referer: field(&request.headers, &header::REFERER),
        agent: field(&request.headers, &header::USER_AGENT),
    }
}

fn peer(session: &Session) -> Option<IpAddr> {
    Some(session.client_addr()?.as_inet()?.ip())
}

fn field<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a [u8] {
    headers.get(name).map_or(&[], |value| value.as_bytes())
}

fn path(session: &Session) -> &str {
    let path = session.req_header().uri.path();
    path.get(..MAX_PATH)
        .unwrap_or(if path.len() <= MAX_PATH { path } else { "(long)" })
}
