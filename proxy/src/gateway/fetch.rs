//! The usual request: without a body, without a cache behind it, answered by one origin.
//!
//! Pingora passes every request on as two streams at once, with a channel for each direction, copies of the body
//! on the way and a task for each connection that is kept. A request without a body needs none of that: it is
//! written, its answer is read and written on. What is asked, what a viewer may see of the answer and what becomes
//! of errors are the same functions that Pingora's filters call; the messages are read and written by Pingora's
//! own HTTP/1 sessions.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, response::Parts};
use pingora::{
    Error, ErrorType, Result,
    http::ResponseHeader,
    protocols::http::{ServerSession, v1::client::HttpSession},
    proxy::Session,
    upstreams::peer::HttpPeer,
};

use super::{Gateway, answer, cached, compressed, failure, spliced, upstream};
use crate::{
    exchange::{Exchange, Replacement},
    origin::Origin,
    upstreams::Upstreams,
};

/// How a body has come.
enum Body {
    /// Through the origin's session.
    Copied,
    /// Past it.
    Spliced,
}

/// How often the origin is asked at most: see the worker's configuration of Pingora.
const MOST_TRIES: usize = 8;

/// Whether a request is one of the usual kind.
pub(super) fn is_usual(session: &mut Session, exchange: &Exchange) -> bool {
    let request = session.req_header();
    let is_usual = matches!(request.method, Method::GET | Method::HEAD)
        && matches!(request.version, Version::HTTP_11 | Version::HTTP_2)
        && !request.headers.contains_key(header::UPGRADE)
        && names_no_fields(&request.headers)
        && exchange.cached.ticket.is_none();
    let asks_server = exchange
        .behaviour
        .as_ref()
        .is_some_and(|behaviour| matches!(behaviour.origin.origin, Origin::Custom(_) | Origin::S3(_)));
    is_usual && asks_server && session.is_body_empty()
}

/// Whether Connection says no more than that it stays or goes. Fields that it names are Pingora's to judge: some may
/// not be named (RFC 9110, section 7.6.1).
fn names_no_fields(headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    options.all(|option| option.eq_ignore_ascii_case(b"keep-alive") || option.eq_ignore_ascii_case(b"close"))
}

impl Gateway {
    /// Asks the origin and passes its answer on.
    pub(super) async fn fetch(&self, session: &mut Session, exchange: &mut Exchange) -> Result<()> {
        let mut tries = 1;
        loop {
            match self.try_to_fetch(session, exchange).await {
                Ok(()) => return Ok(()),
                Err(error) if error.retry() && tries < MOST_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_to_fetch(&self, session: &mut Session, exchange: &mut Exchange) -> Result<()> {
        let peer = upstream::dispatch(session, exchange)?;
        let (stream, is_reused) = match self.1.connect(&peer).await {
            Ok(connection) => connection,
            Err(error) => return Err(failure::judge_other_server(&peer, exchange, error.into_up()).into_up()),
        };
        if let Some(behaviour) = &exchange.behaviour {
            behaviour.origin.connected(&peer, is_reused);
        }
        let mut origin = HttpSession::new_with_options(stream, &*peer);
        origin.read_timeout = peer.options.read_timeout;
        origin.write_timeout = peer.options.write_timeout;
        match self.pass(session, exchange, &mut origin).await {
            Ok(body) => self.keep(&peer, origin, body).await,
            Err(error) => return Err(failure::judge_retry(session, error, is_reused)),
        }
        Ok(())
    }

    async fn keep(&self, peer: &HttpPeer, mut origin: HttpSession, body: Body) {
        origin.respect_keepalive();
        let stream = match body {
            Body::Copied => origin.reuse().await,
            // The session has not seen it, and believes it is still to come.
            Body::Spliced => origin.will_keepalive().then(|| origin.into_inner()),
        };
        if let Some(stream) = stream {
            self.1.keep(peer, stream);
        }
    }

    async fn pass(&self, session: &mut Session, exchange: &mut Exchange, origin: &mut HttpSession) -> Result<Body> {
        let request = upstream::header(exchange)?;
        origin.write_request_header(request).await.map_err(Error::into_up)?;
        loop {
            let mut response = while_viewer_stays(session, origin.read_resp_header_parts()).await?;
            if session.is_http2() {
                // Names have no case there, so the origin's spelling need not be kept in step.
                response = Box::new(Parts::from(*response).into());
            }
            if response.status == StatusCode::SWITCHING_PROTOCOLS {
                // Nobody asked for that.
                return Err(Error::new_up(ErrorType::InvalidHTTPHeader));
            }
            self.admit(session, &mut response, exchange)?;
            let is_end = !response.status.is_informational() && origin.is_body_done();
            frame(session, &mut response, is_end)?;
            self.prepare_response(session, &mut response, exchange)?;
            let is_last = !response.status.is_informational();
            let written = answer::write_header(session, response, exchange, answer::author(exchange), is_end);
            written.await.map_err(Error::into_down)?;
            if is_last {
                return pass_body(session, exchange, origin, &self.1).await;
            }
        }
    }

    /// What a viewer may see of an origin's response.
    pub(super) fn admit(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        upstream::admit_response(session, response, exchange)?;
        cached::note_validation(response, exchange);
        compressed::admit_response(session, response, exchange)
    }
}

/// A body whose length nobody said is sent in chunks, as in Pingora.
fn frame(session: &Session, response: &mut ResponseHeader, is_end: bool) -> Result<()> {
    let has_no_body = session.req_header().method == Method::HEAD
        || matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let has_length = |response: &ResponseHeader| {
        response.headers.contains_key(header::CONTENT_LENGTH)
            || response.headers.contains_key(header::TRANSFER_ENCODING)
    };
    if !has_no_body && !is_end && !response.status.is_informational() && !has_length(response) {
        response.set_version(Version::HTTP_11);
        response.insert_header(header::TRANSFER_ENCODING, "chunked")?;
    }
    Ok(())
}

async fn pass_body(
    session: &mut Session,
    exchange: &mut Exchange,
    origin: &mut HttpSession,
    upstreams: &Upstreams,
) -> Result<Body> {
    let is_untouched = matches!(exchange.replacement, Replacement::None) && exchange.compressing.encoder.is_none();
    if is_untouched && let ServerSession::H1(viewer) = session.as_downstream_mut() {
        if spliced::pass(viewer, origin, upstreams).await? {
            return Ok(Body::Spliced);
        }
        loop {
            let part = tokio::select! {
                biased;
                part = origin.read_body_ref() => part.map_err(Error::into_up)?,
                left = viewer.read_body_or_idle(true) => return Err(gone(left)),
            };
            let Some(part) = part else { break };
            viewer.write_body(part).await.map_err(Error::into_down)?;
        }
        viewer.finish_body().await.map_err(Error::into_down)?;
        return Ok(Body::Copied);
    }
    let mut is_end = origin.is_body_done();
    loop {
        let mut part = if is_end {
            None
        } else {
            while_viewer_stays(session, origin.read_body_bytes()).await?
        };
        is_end = is_end || origin.is_body_done();
        upstream::replace_body(&mut part, exchange);
        compressed::encode(&mut part, is_end, exchange)?;
        if is_end || part.as_ref().is_some_and(|part| !part.is_empty()) {
            let written = session.write_response_body(part, is_end).await;
            written.map_err(Error::into_down)?;
        }
        if is_end {
            return Ok(Body::Copied);
        }
    }
}

/// Carries on while the viewer is there: for one who has gone, the origin need not go on.
async fn while_viewer_stays<T>(session: &mut Session, reading: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        read = reading => read.map_err(Error::into_up),
        left = session.as_downstream_mut().read_body_or_idle(true) => Err(gone(left)),
    }
}

pub(super) fn gone(left: Result<Option<Bytes>>) -> Box<Error> {
    match left {
        Err(error) => error.into_down(),
        Ok(_) => failure::internal("a body that was not there"),
    }
}
