//! One event and one count for each request, at its end. No query, no cookie, no token.

use pingora::proxy::Session;

use crate::{
    cache::Outcome,
    exchange::Exchange,
    metrics::{Metrics, RequestOutcome, UNKNOWN_SITE},
};

/// Longer paths are cut in the log.
const MAX_PATH: usize = 512;

/// Counts and logs a request that has ended.
pub(crate) fn finish(session: &Session, exchange: &Exchange, metrics: &Metrics) {
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
    let request = session.req_header();
    tracing::info!(
        target: "portcullis::access",
        request_id = exchange.id,
        site,
        method = request.method.as_str(),
        path = path(session),
        status,
        decision = exchange.verdict.as_str(),
        reason = exchange.reason,
        duration_us = u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX),
        bytes = outcome.body_bytes,
        cache = exchange.cached.outcome.map(Outcome::as_str),
        client = exchange.passed.as_ref().map(|passed| tracing::field::display(passed.client)),
        "request"
    );
}

fn path(session: &Session) -> &str {
    let path = session.req_header().uri.path();
    path.get(..MAX_PATH)
        .unwrap_or(if path.len() <= MAX_PATH { path } else { "(long)" })
}
