//! Answers a server that asks whether a viewer's request may pass. Never with anything of an origin, and never
//! with a 2xx status unless it may.

use auth_core::{Decision, Forward, Response, UnixTime};
use http::StatusCode;
use pingora::{Result, http::ResponseHeader, proxy::Session};

use super::{Gateway, answer, decide, entrance::admit, failure, https};
use crate::{
    admission::Refusal,
    exchange::Exchange,
    forward_auth::{Fronting, Question, QuestionError, Refusing},
    generation::Generation,
    header_value,
    identity::About,
    metrics::Verdict,
};

/// `X-Portcullis-Set-Cookie-1` and so on: each cookie by itself, since nginx reads one value of a header.
const COOKIE_PREFIX: &str = "X-Portcullis-Set-Cookie-";

impl Gateway {
    /// Answers a question, whatever became of it.
    pub(super) async fn answer_question(
        &self,
        session: &mut Session,
        exchange: &mut Exchange,
        generation: &Generation,
        question: Result<Question, QuestionError>,
    ) -> Result<()> {
        let Question { server, described } = match question {
            Ok(question) => question,
            Err(error) => {
                exchange.reason = error.label();
                tracing::warn!(target: "portcullis", request_id = exchange.id, %error, "a forward-auth request is refused");
                return answer::refuse(session, exchange, StatusCode::FORBIDDEN).await;
            }
        };
        let admitted = match admit(generation, decide::connection(session), &described, exchange) {
            Ok(admitted) => admitted,
            Err(refusal) => return refuse(session, exchange, server, refusal).await,
        };
        // Whatever the site's conduct: nobody is sent to fetch a path that can be read in two ways.
        if let Err(error) = admitted.path {
            return refuse(session, exchange, server, Refusal::Path(error)).await;
        }
        if let Some(redirect) = https::redirect(&described, &admitted, exchange)? {
            return send_to_https(session, exchange, server, redirect).await;
        }
        match self.decide(&described, exchange, admitted).await? {
            Decision::Forward(forward) => {
                exchange.verdict = Verdict::Forward;
                allow(session, exchange, server, forward, self.0.clock.now()).await
            }
            Decision::Respond(response) => {
                exchange.verdict = Verdict::Respond;
                match server.refusing() {
                    Refusing::ByStatus => refuse_by_status(session, exchange, &response).await,
                    Refusing::ByResponse => refuse_by_response(session, exchange, response).await,
                }
            }
        }
    }
}

impl QuestionError {
    const fn label(self) -> &'static str {
        match self {
            Self::Untrusted => "forward-auth-untrusted",
            Self::Unknown => "forward-auth-unknown",
            Self::Description => "forward-auth-description",
        }
    }
}

/// The described request is none that anyone may have.
async fn refuse(session: &mut Session, exchange: &mut Exchange, server: Fronting, refusal: Refusal) -> Result<()> {
    exchange.reason = refusal.label();
    let status = match server.refusing() {
        Refusing::ByStatus => StatusCode::FORBIDDEN,
        Refusing::ByResponse => refusal.status(),
    };
    answer::refuse(session, exchange, status).await
}

/// The site wants https, and the viewer is on http.
async fn send_to_https(
    session: &mut Session,
    exchange: &mut Exchange,
    server: Fronting,
    mut redirect: ResponseHeader,
) -> Result<()> {
    exchange.verdict = Verdict::Respond;
    exchange.reason = "https";
    if server.refusing() == Refusing::ByStatus {
        redirect.set_status(StatusCode::UNAUTHORIZED)?;
        redirect.insert_header("WWW-Authenticate", "Bearer")?;
    }
    answer::redirect(session, exchange, redirect).await
}

/// 200 and who the viewer is. Every configured name is there, so that the server which copies it puts nothing
/// rather than the viewer's own word in its place.
async fn allow(
    session: &mut Session,
    exchange: &mut Exchange,
    server: Fronting,
    forward: Forward,
    now: UnixTime,
) -> Result<()> {
    let Some(site) = exchange.site.clone() else {
        return Err(failure::internal("a decision without a site"));
    };
    let mut header = ResponseHeader::build(StatusCode::OK, Some(16))?;
    let Forward {
        access,
        response_cookies,
        reason,
    } = forward;
    let about = About {
        access: &access,
        reason,
        request_id: &exchange.id,
        now,
    };
    for (name, value) in site.identity.complete_fields(about) {
        header.insert_header(name, value)?;
    }
    if server.refusing() == Refusing::ByStatus {
        number_cookies(&mut header, response_cookies.iter().map(String::as_str))?;
    }
    exchange.response_cookies = response_cookies;
    finish(session, exchange, header).await
}

/// 401 where signing in helps, with the way there; else 403. Other statuses than these are faults to nginx.
async fn refuse_by_status(session: &mut Session, exchange: &mut Exchange, response: &Response) -> Result<()> {
    let status = match response.status {
        300..=399 | 401 => StatusCode::UNAUTHORIZED,
        500..=599 => StatusCode::from_u16(response.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        _ => StatusCode::FORBIDDEN,
    };
    let mut header = ResponseHeader::build(status, Some(16))?;
    for (name, value) in response.headers.iter() {
        if name.eq_ignore_ascii_case("set-cookie") {
            header.append_header("Set-Cookie", header_value::encode_cookie(value))?;
        } else if ["location", "www-authenticate", "retry-after"]
            .iter()
            .any(|kept| name.eq_ignore_ascii_case(kept))
        {
            header.insert_header(name.to_owned(), header_value::encode(value))?;
        }
    }
    let cookies = response.headers.iter();
    let cookies = cookies.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    number_cookies(&mut header, cookies.map(|(_, value)| value))?;
    if status == StatusCode::UNAUTHORIZED && !header.headers.contains_key("www-authenticate") {
        header.insert_header("WWW-Authenticate", "Bearer")?;
    }
    finish(session, exchange, header).await
}

/// The response as the viewer is to get it. The core's pages have status 200, which here would mean yes.
async fn refuse_by_response(session: &mut Session, exchange: &mut Exchange, mut response: Response) -> Result<()> {
    if !(300..=599).contains(&response.status) {
        response.status = StatusCode::FORBIDDEN.as_u16();
    }
    answer::respond(session, exchange, response).await
}

fn number_cookies<'a>(header: &mut ResponseHeader, cookies: impl Iterator<Item = &'a str>) -> Result<()> {
    for (index, cookie) in cookies.enumerate() {
        let name = format!("{COOKIE_PREFIX}{}", index + 1);
        header.insert_header(name, header_value::encode_cookie(cookie))?;
    }
    Ok(())
}

async fn finish(session: &mut Session, exchange: &Exchange, mut header: ResponseHeader) -> Result<()> {
    header.insert_header("Cache-Control", "no-store")?;
    header.insert_header("Content-Length", 0)?;
    answer::finish_header(&mut header, exchange, answer::Author::Ourselves)?;
    session.write_response_header(Box::new(header), true).await
}
