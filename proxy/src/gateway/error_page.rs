//! Another document of the same origin in place of its error: a second request within the same exchange.
//!
//! Only what an origin says can lead here, and an origin is asked only for what may pass (pains of others with
//! error documents that bypassed their sign-in). The document is asked for once, whole, without the query and the
//! preconditions, which were about the path that is missing; if it cannot be had, the error stays.

use http::{
    HeaderName, StatusCode,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE},
};
use pingora::{cache::NoCacheReason, proxy::Session};

use crate::{
    config::Missing,
    exchange::{Exchange, Substitute},
    origin::Origin,
};

/// What a viewer said of the path that is missing, and not of the document that takes its place.
const ABOUT_ONE_PATH: [HeaderName; 6] = [
    RANGE,
    IF_RANGE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

/// Whether an error of that status is answered with a document. From then on the exchange is about that document.
pub(super) fn substitute(session: &mut Session, exchange: &mut Exchange, status: StatusCode) -> bool {
    if exchange.substitute.is_some() || !(status.is_client_error() || status.is_server_error()) {
        return false;
    }
    let Some(behaviour) = &exchange.behaviour else {
        return false;
    };
    let missing = match (status, &behaviour.origin.origin) {
        (StatusCode::NOT_FOUND, _) | (StatusCode::FORBIDDEN, Origin::S3(_)) => Missing::Yes,
        _ => Missing::No,
    };
    let request = session.req_header();
    let found = behaviour
        .error_pages
        .find(status, missing, &request.method, &request.headers);
    let Some((path, response_status)) = found else {
        return false;
    };
    exchange.substitute = Some(Substitute {
        path: path.clone(),
        error: status,
        status: response_status,
    });
    let request = session.req_header_mut();
    for name in &ABOUT_ONE_PATH {
        request.remove_header(name);
    }
    if session.cache.enabled() {
        // It would be stored as what the viewer asked for.
        session.cache.disable(NoCacheReason::Custom("error-page"));
    }
    true
}
