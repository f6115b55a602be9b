//! Compression in a response's way: after the origin, before the cache, which so keeps compressed bodies.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use pingora::{Error, ErrorType, Result, http::ResponseHeader, proxy::Session};

use crate::{
    behaviour::Behaviour,
    compression::{Accepted, Encoder, may_be_asked_for, restore_weak_tag, transform},
    exchange::Exchange,
};

/// Chooses the coding for a request's response, should that be one to compress.
pub(super) fn choose(session: &Session, exchange: &mut Exchange, behaviour: &Behaviour) {
    let request = session.req_header();
    if let Some(offer) = behaviour.compress
        && may_be_asked_for(request)
    {
        exchange.compressing.chosen = Accepted::of(&request.headers).best(offer);
    }
}

/// Makes an origin's response header that of a compressed one, where it is to be.
pub(super) fn admit_response(session: &Session, response: &mut ResponseHeader, exchange: &mut Exchange) -> Result<()> {
    let compresses = exchange
        .behaviour
        .as_ref()
        .is_some_and(|behaviour| behaviour.compress.is_some());
    if !compresses || response.status.is_informational() {
        return Ok(());
    }
    if response.status == StatusCode::NOT_MODIFIED {
        return restore_tag(session, response);
    }
    let Some(length) = transform(response, exchange.compressing.chosen)? else {
        return Ok(());
    };
    exchange.compressing.plain_length = Some(length);
    // A HEAD that goes through the cache is a GET at the origin.
    let has_body = session.req_header().method == Method::GET || session.cache.enabled();
    if let Some(coding) = exchange.compressing.chosen.filter(|_| has_body) {
        exchange.compressing.encoder = Some(Encoder::new(coding, length).map_err(cannot_compress)?);
    }
    Ok(())
}

/// The tag of a 304 is the one that the cache or the viewer holds.
fn restore_tag(session: &Session, response: &mut ResponseHeader) -> Result<()> {
    let kept = session.cache.maybe_cache_meta();
    let known = match kept {
        Some(kept) => kept.headers().get(header::ETAG),
        None => session.req_header().headers.get(header::IF_NONE_MATCH),
    };
    match known {
        Some(known) => restore_weak_tag(response, known),
        None => Ok(()),
    }
}

/// Compresses a part of the body.
pub(super) fn encode(body: &mut Option<Bytes>, end_of_stream: bool, exchange: &mut Exchange) -> Result<()> {
    let Some(encoder) = &mut exchange.compressing.encoder else {
        return Ok(());
    };
    let mut ready = match body.take() {
        Some(chunk) => encoder.encode(&chunk).map_err(cannot_compress)?,
        None => Bytes::new(),
    };
    if end_of_stream && let Some(encoder) = exchange.compressing.encoder.take() {
        let rest = encoder.finish().map_err(cannot_compress)?;
        ready = [ready, rest].concat().into();
    }
    *body = (!ready.is_empty()).then_some(ready);
    Ok(())
}

fn cannot_compress(error: std::io::Error) -> Box<Error> {
    Error::because(ErrorType::InternalError, "compress a response", error)
}
