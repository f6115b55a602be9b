//! What becomes of requests that could not be carried out: by whose fault, to which status.

use http::StatusCode;
use pingora::{
    Error, ErrorSource,
    ErrorType::{self, ConnectTimedout, HTTPStatus, ReadTimedout, TLSHandshakeTimedout, WriteTimedout},
    protocols::http::ServerSession,
    proxy::{FailToProxy, Session},
    upstreams::peer::HttpPeer,
};

use super::{answer, upstream};
use crate::exchange::Exchange;

/// An error of ours.
pub(super) fn internal(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InternalError, what)
}

/// The one answer to an error: our page, unless the response has begun or the viewer is gone.
pub(super) async fn answer(session: &mut Session, error: &Error, exchange: &mut Exchange) -> FailToProxy {
    let status = status(error);
    report(error, status, exchange);
    let error_code = status.map_or(0, |status| status.as_u16());
    if let Some(status) = status
        && session.response_written().is_none()
    {
        session.set_keepalive(None);
        // The viewer may be gone; then there is nobody to tell.
        let _ = answer::write_page(session, exchange, status).await;
        // Pingora drops the connection after an error. What else the viewer sends must not take the page away.
        if let ServerSession::H1(viewer) = session.as_downstream_mut() {
            viewer.shutdown().await;
        }
    }
    FailToProxy {
        error_code,
        can_reuse_downstream: false,
    }
}

/// `None`: the viewer is gone.
fn status(error: &Error) -> Option<StatusCode> {
    if let HTTPStatus(code) = error.etype() {
        return StatusCode::from_u16(*code).ok();
    }
    match error.esource() {
        ErrorSource::Upstream => Some(match error.etype() {
            ConnectTimedout | ReadTimedout | WriteTimedout | TLSHandshakeTimedout => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        }),
        ErrorSource::Downstream => match error.etype() {
            ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed | WriteTimedout => None,
            ReadTimedout => Some(StatusCode::REQUEST_TIMEOUT),
            _ => Some(StatusCode::BAD_REQUEST),
        },
        ErrorSource::Internal | ErrorSource::Unset => Some(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Tells the operator what the viewer is not told. Error types and our own words only: the texts of
/// errors can hold parts of messages.
fn report(error: &Error, status: Option<StatusCode>, exchange: &Exchange) {
    let site = exchange.site.as_deref();
    let name = site.map_or("", |site| site.name.as_str());
    let kind = error.etype().as_str();
    match (status, error.esource()) {
        (None, _) => {
            tracing::debug!(target: "portcullis", request_id = exchange.id, site = name, kind, "the viewer left")
        }
        (Some(_), ErrorSource::Upstream) => {
            if let Some(behaviour) = &exchange.behaviour {
                behaviour.origin.metrics.failed(upstream_kind(error.etype()));
            }
            tracing::warn!(target: "portcullis", request_id = exchange.id, site = name, kind, "the origin failed");
        }
        (Some(status), _) if status.is_server_error() => {
            tracing::error!(target: "portcullis", request_id = exchange.id, site = name, kind, "the request failed");
        }
        (Some(_), _) => {
            tracing::debug!(target: "portcullis", request_id = exchange.id, site = name, kind, "a bad request")
        }
    }
}

const fn upstream_kind(error: &ErrorType) -> &'static str {
    match error {
        ConnectTimedout | TLSHandshakeTimedout => "connect-timeout",
        ReadTimedout => "read-timeout",
        WriteTimedout => "write-timeout",
        ErrorType::ConnectRefused | ErrorType::ConnectNoRoute | ErrorType::ConnectError | ErrorType::BindError => {
            "connect"
        }
        ErrorType::TLSHandshakeFailure | ErrorType::InvalidCert | ErrorType::HandshakeError => "tls",
        ErrorType::InvalidHTTPHeader | ErrorType::H1Error | ErrorType::H2Error | ErrorType::InvalidH2 => "protocol",
        _ => "broken",
    }
}

/// Whether a failed request is sent again: only on a connection that had been kept and may have died
/// unnoticed, only when the method may be repeated, and only without a body.
pub(super) fn judge_retry(session: &mut Session, mut error: Box<Error>, client_reused: bool) -> Box<Error> {
    if upstream::asks_again(&error) {
        // Whoever says so says it a bounded number of times.
        error.set_retry(session.response_written().is_none());
        return error;
    }
    let repeatable = session.req_header().method.is_idempotent() && session.is_body_empty();
    if repeatable && session.response_written().is_none() {
        error.retry.decide_reuse(client_reused);
    } else {
        error.set_retry(false);
    }
    error
}

/// Whether another server is asked after one could not be reached: nothing has been sent yet, so any request may.
pub(super) fn judge_other_server(peer: &HttpPeer, exchange: &mut Exchange, mut error: Box<Error>) -> Box<Error> {
    if let Some(behaviour) = &exchange.behaviour {
        let servers = behaviour.origin.connect_failed(peer);
        exchange.connect_failures += 1;
        let is_worth_it = exchange.connect_failures < servers;
        if is_worth_it {
            // The last failure is counted where it is answered.
            behaviour.origin.metrics.failed(upstream_kind(error.etype()));
        }
        error.set_retry(is_worth_it);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(kind: ErrorType, source: ErrorSource) -> Option<u16> {
        let mut error = Error::new(kind);
        error.esource = source;
        status(&error).map(|status| status.as_u16())
    }

    #[test]
    fn an_origin_that_is_slow_is_a_504_and_one_that_fails_a_502() {
        for kind in [ConnectTimedout, ReadTimedout, WriteTimedout, TLSHandshakeTimedout] {
            assert_eq!(status_of(kind, ErrorSource::Upstream), Some(504));
        }
        for kind in [
            ErrorType::ConnectRefused,
            ErrorType::ConnectionClosed,
            ErrorType::InvalidHTTPHeader,
        ] {
            assert_eq!(status_of(kind, ErrorSource::Upstream), Some(502));
        }
    }

    #[test]
    fn a_viewer_that_left_gets_no_answer() {
        for kind in [ErrorType::WriteError, ErrorType::ReadError, ErrorType::ConnectionClosed] {
            assert_eq!(status_of(kind, ErrorSource::Downstream), None);
        }
        assert_eq!(status_of(ReadTimedout, ErrorSource::Downstream), Some(408));
    }

    #[test]
    fn our_own_faults_are_a_500_and_named_statuses_are_kept() {
        assert_eq!(status_of(ErrorType::InternalError, ErrorSource::Internal), Some(500));
        assert_eq!(status_of(HTTPStatus(405), ErrorSource::Unset), Some(405));
    }
}
