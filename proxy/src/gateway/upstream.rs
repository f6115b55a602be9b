//! Asks the origin and passes on what a viewer may see of its answer.

use std::{
    borrow::Cow,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use pingora::{
    Error, ErrorType, Result,
    http::{RequestHeader, ResponseHeader},
    proxy::Session,
    upstreams::peer::HttpPeer,
};

use super::{answer, cached, error_page, failure};
use crate::{
    admission::query,
    config::Conduct,
    exchange::{Exchange, Replacement},
    origin::{Admitted, Dispatch, Forwarded, OriginError, OriginRequest},
    page,
    parity::viewer_headers,
};

/// Sent again for a reason of ours, not because anything failed.
const ASK_AGAIN: ErrorType = ErrorType::Custom("ask-again");

/// Makes the header for the origin and says where to send it. Made anew for each attempt, since a
/// signature has a time.
pub(super) fn dispatch(session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
    let mut asked = ask(session, exchange)?;
    if let Err(error) = &asked
        && error_page::substitute(session, exchange, error.status())
    {
        asked = ask(session, exchange)?;
    }
    match asked {
        Ok(Dispatch::Upstream { peer, header }) => {
            exchange.upstream_header = Some(header);
            exchange.upstream_started = Some(Instant::now());
            Ok(peer)
        }
        Ok(Dispatch::File(_)) => Err(failure::internal("a file instead of a peer")),
        Err(error) => Err(Error::new(ErrorType::HTTPStatus(error.status().as_u16()))),
    }
}

/// Whether an error only means that the origin is to be asked again.
pub(super) fn asks_again(error: &Error) -> bool {
    *error.etype() == ASK_AGAIN
}

fn ask(session: &Session, exchange: &Exchange) -> Result<Result<Dispatch, OriginError>> {
    let (Some(site), Some(behaviour), Some(passed)) = (&exchange.site, &exchange.behaviour, &exchange.passed) else {
        return Err(failure::internal("a request that has not passed"));
    };
    let request = session.req_header();
    let sent_on = cached::sent_on(session, exchange)?;
    let (method, headers) = match &sent_on {
        Some((method, headers)) => (method, Cow::Borrowed(headers)),
        None => (&request.method, Cow::Borrowed(&request.headers)),
    };
    let (headers, via) = match site.conduct {
        Conduct::Proxy => (headers, Some((passed.scheme.as_str(), passed.host.as_str()))),
        Conduct::Edge => (Cow::Owned(viewer_headers(&headers)), None),
    };
    let (path, query) = match &exchange.substitute {
        Some(substitute) => (&substitute.path, ""),
        None => (&passed.path, cached::sent_query(exchange, query(request))),
    };
    let view = OriginRequest {
        method,
        path,
        query,
        headers: &headers,
        identity: &exchange.identity,
        forwarded: Forwarded {
            client: passed.client,
            via,
        },
    };
    let dispatched = behaviour.origin.origin.dispatch(&view, SystemTime::now());
    if let Err(error) = &dispatched
        && error.status().is_server_error()
    {
        behaviour.origin.metrics.failed("dispatch");
        tracing::warn!(target: "portcullis", request_id = exchange.id, site = site.name, %error, "the origin cannot be asked");
    }
    Ok(dispatched)
}

/// The origin's header, to be sent once.
pub(super) fn header(exchange: &mut Exchange) -> Result<Box<RequestHeader>> {
    let header = exchange.upstream_header.take();
    header.ok_or_else(|| failure::internal("no upstream header"))
}

/// Puts the origin's header in place of the one that Pingora derived from the viewer's.
pub(super) fn take_header(request: &mut RequestHeader, exchange: &mut Exchange) -> Result<()> {
    *request = *header(exchange)?;
    Ok(())
}

/// Scrubs the origin's response, puts our page in its place, or has the origin asked again.
pub(super) fn admit_response(
    session: &mut Session,
    response: &mut ResponseHeader,
    exchange: &mut Exchange,
) -> Result<()> {
    let Some(behaviour) = exchange.behaviour.clone() else {
        return Err(failure::internal("a response without a behaviour"));
    };
    if response.status.is_informational() {
        return Ok(());
    }
    if let Some(started) = exchange.upstream_started.take() {
        behaviour.origin.metrics.answered(started.elapsed());
    }
    let failed = response.status.is_server_error();
    let admitted = behaviour.origin.origin.admit_response(response);
    let status = match admitted {
        Admitted::AsIs => response.status,
        Admitted::Replace(status) => status,
    };
    if admitted != Admitted::AsIs && failed {
        behaviour.origin.metrics.failed("status");
    }
    if let Some(substitute) = &exchange.substitute {
        if status == StatusCode::OK {
            response.set_status(substitute.status)?;
            return Ok(());
        }
        let error = substitute.error;
        return replace(session, response, error, exchange);
    }
    if error_page::substitute(session, exchange, status) {
        return Err(Error::new(ASK_AGAIN));
    }
    match admitted {
        Admitted::AsIs => Ok(()),
        _ => replace(session, response, status, exchange),
    }
}

fn replace(
    session: &Session,
    response: &mut ResponseHeader,
    status: StatusCode,
    exchange: &mut Exchange,
) -> Result<()> {
    let has_body = session.req_header().method != Method::HEAD
        && response
            .headers
            .get(header::CONTENT_LENGTH)
            .is_none_or(|length| length != "0");
    // Without a body from upstream there is no moment at which ours could be sent.
    let body = if has_body || session.req_header().method == Method::HEAD {
        page::body(status)
    } else {
        Bytes::new()
    };
    let range = response.remove_header(&header::CONTENT_RANGE);
    *response = page::header(status, body.len())?;
    if let (StatusCode::RANGE_NOT_SATISFIABLE, Some(range)) = (status, range) {
        // It says how long the object is, which is what a viewer needs in order to ask again.
        response.insert_header("Content-Range", range)?;
    }
    exchange.replacement = Replacement::Page(body);
    Ok(())
}

/// Our page instead of the first part of the origin's body, nothing instead of the others.
pub(super) fn replace_body(body: &mut Option<Bytes>, exchange: &mut Exchange) {
    match std::mem::take(&mut exchange.replacement) {
        Replacement::None => {}
        Replacement::Page(page) => {
            *body = Some(page);
            exchange.replacement = Replacement::Sent;
        }
        Replacement::Sent => {
            *body = None;
            exchange.replacement = Replacement::Sent;
        }
    }
}

/// Answers with a file, or with our page where there is none.
pub(super) async fn serve_file(session: &mut Session, exchange: &mut Exchange) -> Result<()> {
    let mut asked = ask(session, exchange)?;
    let mut error_status = None;
    if let Err(error) = &asked
        && error_page::substitute(session, exchange, error.status())
    {
        error_status = Some(error.status());
        asked = ask(session, exchange)?;
    }
    match asked {
        Ok(Dispatch::File(mut file)) => {
            if let (Some(substitute), StatusCode::OK) = (&exchange.substitute, file.status) {
                file.status = substitute.status;
            }
            answer::send_file(session, exchange, file).await
        }
        Ok(Dispatch::Upstream { .. }) => Err(failure::internal("a peer instead of a file")),
        Err(error) => answer::write_page(session, exchange, error_status.unwrap_or(error.status())).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_replaces_the_whole_body_of_the_origin() {
        let mut exchange = Exchange::new();
        exchange.replacement = Replacement::Page(Bytes::from_static(b"page"));
        let mut sent = Vec::new();
        for part in [
            Some(Bytes::from_static(b"<Error><Bucket>b")),
            Some(Bytes::from_static(b"</Bucket>")),
            None,
        ] {
            let mut body = part;
            replace_body(&mut body, &mut exchange);
            sent.extend(body);
        }
        assert_eq!(sent, ["page"]);
    }

    #[test]
    fn a_page_is_sent_even_if_the_origin_sends_no_body_in_the_end() {
        let mut exchange = Exchange::new();
        exchange.replacement = Replacement::Page(Bytes::from_static(b"page"));
        let mut body = None;
        replace_body(&mut body, &mut exchange);
        assert_eq!(body.as_deref(), Some(&b"page"[..]));
    }

    #[test]
    fn other_bodies_are_passed_on() {
        let mut body = Some(Bytes::from_static(b"content"));
        replace_body(&mut body, &mut Exchange::new());
        assert_eq!(body.as_deref(), Some(&b"content"[..]));
    }
}
