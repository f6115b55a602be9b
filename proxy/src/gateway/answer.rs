//! Responses of our own, and what every response carries.

use std::time::Duration;

use auth_core::{Response, SecurityPolicy};
use bytes::Bytes;
use http::{HeaderName, Method, StatusCode};
use pingora::{Error, ErrorType, Result, http::ResponseHeader, proxy::Session};

pub(super) use super::response_headers::Author;
use super::{compressed, failure, response_headers};
use crate::{
    config::Conduct,
    exchange::{Exchange, Replacement},
    header_value,
    origin::directory::FileAnswer,
    page, parity,
    server::LinesToAdd,
};

/// Writes what the core generated.
pub(super) async fn respond(session: &mut Session, exchange: &Exchange, response: Response) -> Result<()> {
    let as_edge = exchange.conduct() == Conduct::Edge;
    let response = if as_edge {
        match parity::fit(response) {
            Ok(response) => response,
            Err(parity::TooLarge) => return write_page(session, exchange, StatusCode::BAD_GATEWAY).await,
        }
    } else {
        response
    };
    let mut header = ResponseHeader::build(response.status, Some(16))?;
    for (name, value) in response.headers.iter() {
        // A configured name that is none has been refused at start; the core's own are constants.
        if HeaderName::from_bytes(name.as_bytes()).is_ok() {
            let value = if name.eq_ignore_ascii_case("set-cookie") {
                header_value::encode_cookie(value)
            } else {
                header_value::encode(value)
            };
            header.append_header(name.to_owned(), value)?;
        }
    }
    header.insert_header("Content-Length", response.body.len())?;
    if !as_edge {
        // What the core generates is for one viewer and one moment, whatever it says itself.
        header.insert_header("Cache-Control", "no-store")?;
        if !response.body.is_empty() && response.security_policy == SecurityPolicy::Configured {
            // In place of a configured one, which would be meant for the origin's content and take the style from ours.
            header.insert_header("Content-Security-Policy", page::POLICY)?;
        }
        finish_header(&mut header, exchange, Author::Ourselves)?;
    }
    send(session, header, Bytes::from(response.body)).await
}

/// Writes a JWK set, which anyone may read and keep for a while.
pub(super) async fn publish(session: &mut Session, exchange: &Exchange, jwks: String) -> Result<()> {
    let mut header = ResponseHeader::build(StatusCode::OK, Some(8))?;
    header.insert_header("Content-Type", "application/json")?;
    header.insert_header("Content-Length", jwks.len())?;
    header.insert_header("Cache-Control", "public, max-age=300")?;
    header.insert_header("X-Content-Type-Options", "nosniff")?;
    finish_header(&mut header, exchange, Author::Ourselves)?;
    send(session, header, Bytes::from(jwks)).await
}

/// Refuses a request before any decision. The connection is closed: where one message was malformed,
/// the beginning of the next one is a guess.
pub(super) async fn refuse(session: &mut Session, exchange: &Exchange, status: StatusCode) -> Result<()> {
    session.set_keepalive(None);
    write_page(session, exchange, status).await
}

/// Tells a viewer to come back later, and when.
pub(super) async fn too_often(session: &mut Session, exchange: &Exchange, wait: Duration) -> Result<()> {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let body = page::body(status);
    let mut header = page::header(status, body.len())?;
    header.insert_header("Retry-After", wait.as_secs().max(1).to_string())?;
    session.set_keepalive(None);
    finish_header(&mut header, exchange, Author::Ourselves)?;
    send(session, header, body).await
}

/// Writes our own page.
pub(super) async fn write_page(session: &mut Session, exchange: &Exchange, status: StatusCode) -> Result<()> {
    let body = page::body(status);
    let mut header = page::header(status, body.len())?;
    if status == StatusCode::METHOD_NOT_ALLOWED
        && let Some(behaviour) = &exchange.behaviour
    {
        header.insert_header("Allow", behaviour.methods.to_string())?;
    }
    finish_header(&mut header, exchange, Author::Ourselves)?;
    send(session, header, body).await
}

/// Sends the viewer elsewhere before any decision.
pub(super) async fn redirect(session: &mut Session, exchange: &Exchange, mut header: ResponseHeader) -> Result<()> {
    if exchange.conduct() == Conduct::Proxy {
        finish_header(&mut header, exchange, Author::Ourselves)?;
    }
    // A body that nobody wants to read would be taken for the next request.
    if !session.is_body_empty() {
        session.set_keepalive(None);
    }
    send(session, header, Bytes::new()).await
}

/// Writes a file's answer, chunk by chunk.
pub(super) async fn send_file(session: &mut Session, exchange: &mut Exchange, mut file: FileAnswer) -> Result<()> {
    let mut header = ResponseHeader::build(file.status, Some(file.headers.len() + 8))?;
    for (name, value) in &file.headers {
        header.append_header(name, value)?;
    }
    compressed::admit_response(session, &mut header, exchange)?;
    finish_header(&mut header, exchange, Author::Origin)?;
    let cannot_read = |error: std::io::Error| Error::because(ErrorType::FileReadError, "the file", error);
    let mut chunk = file.next_chunk().await.map_err(cannot_read)?;
    session.write_response_header(Box::new(header), chunk.is_none()).await?;
    while chunk.is_some() {
        let mut body = chunk;
        chunk = file.next_chunk().await.map_err(cannot_read)?;
        compressed::encode(&mut body, chunk.is_none(), exchange)?;
        if body.is_some() || chunk.is_none() {
            session.write_response_body(body, chunk.is_none()).await?;
        }
    }
    Ok(())
}

/// Configured headers, cookies of the session, the request's id.
pub(super) fn finish_header(header: &mut ResponseHeader, exchange: &Exchange, author: Author) -> Result<()> {
    if header.status.is_informational() && header.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    for cookie in &exchange.response_cookies {
        header.append_header("Set-Cookie", header_value::encode_cookie(cookie))?;
    }
    if exchange.conduct() == Conduct::Proxy {
        header.insert_header("X-Request-Id", exchange.id.as_str())?;
    }
    if let Some(site) = &exchange.site {
        response_headers::configure(header, site, author)?;
    }
    if author == Author::Origin && exchange.conduct() == Conduct::Proxy {
        response_headers::keep_private(header, exchange.audience)?;
    }
    if !exchange.response_cookies.is_empty() {
        response_headers::keep_to_viewer(header)?;
    }
    Ok(())
}

/// Writes a header with what every response carries.
pub(super) async fn write_header(
    session: &mut Session,
    mut header: Box<ResponseHeader>,
    exchange: &Exchange,
    author: Author,
    is_end: bool,
) -> Result<()> {
    let added = LinesToAdd::of(session).zip(response_headers::lines(&header, exchange, author));
    match added {
        Some((connection, lines)) => connection.set(lines),
        None => finish_header(&mut header, exchange, author)?,
    }
    let written = session.write_response_header(header, is_end).await;
    // Whatever is written after a head that was not would get the lines.
    let are_left = LinesToAdd::of(session).is_some_and(LinesToAdd::take_back);
    written?;
    if are_left {
        return Err(failure::internal("a head that was not written"));
    }
    Ok(())
}

/// Who wrote what comes from upstream by now.
pub(super) const fn author(exchange: &Exchange) -> Author {
    match exchange.replacement {
        Replacement::None => Author::Origin,
        Replacement::Page(_) | Replacement::Sent => Author::Ourselves,
    }
}

/// Sends an answer whose header is finished.
async fn send(session: &mut Session, header: ResponseHeader, body: Bytes) -> Result<()> {
    let no_body = has_no_body(session, &body);
    session.write_response_header(Box::new(header), no_body).await?;
    send_body(session, body).await
}

/// Sends an answer of the origin's that is at hand.
pub(super) async fn send_kept(
    session: &mut Session,
    exchange: &Exchange,
    header: ResponseHeader,
    body: Bytes,
) -> Result<()> {
    let no_body = has_no_body(session, &body);
    write_header(session, Box::new(header), exchange, Author::Origin, no_body).await?;
    send_body(session, body).await
}

async fn send_body(session: &mut Session, body: Bytes) -> Result<()> {
    if !has_no_body(session, &body) {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}

fn has_no_body(session: &Session, body: &Bytes) -> bool {
    body.is_empty() || session.req_header().method == Method::HEAD
}
