//! From a request's header to the question whether it may pass: what is refused, or answered, without asking the
//! core.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use auth_core::Endpoint;
use http::Method;
use pingora::{Result, http::RequestHeader, proxy::Session};

use super::{Gateway, answer, body::Received, decide, https};
use crate::{
    admission::{self, Refusal, Source, raw_path},
    config::Conduct,
    exchange::Exchange,
    generation::Generation,
    metrics::Verdict,
    request_id,
    server::ViewerConnection,
};

impl Gateway {
    /// The request, if it is to be decided upon. `None`: it has been answered.
    pub(super) async fn receive(
        &self,
        session: &mut Session,
        exchange: &mut Exchange,
    ) -> Result<Option<admission::Admitted>> {
        let generation = self.0.generation.take();
        self.begin(session, exchange, &generation);
        if decide::has_fragment(session) {
            return refuse(session, exchange, Refusal::Target).await;
        }
        let connection = decide::connection(session);
        let is_trusted = || generation.rules.trusts(connection.peer);
        if let Some(question) = generation.forward_auth.question(session.req_header(), is_trusted) {
            self.answer_question(session, exchange, &generation, question).await?;
            return Ok(None);
        }
        let admitted = admit(&generation, connection, session.req_header(), exchange)
            .and_then(|admitted| serves_connection(&generation, session, admitted, exchange));
        match admitted {
            Ok(admitted) => self.answer_at_once(session, exchange, admitted).await,
            Err(refusal) => refuse(session, exchange, refusal).await,
        }
    }

    /// What the configuration in force says of any request.
    fn begin(&self, session: &mut Session, exchange: &mut Exchange, generation: &Generation) {
        session.set_read_timeout(Some(generation.limits.read));
        session.set_write_timeout(Some(generation.limits.write));
        exchange.limits = generation.limits;
        exchange.received = Received::within(&generation.limits);
        if let Some(connection) = ViewerConnection::of(session) {
            connection.count(generation.limits.connection_requests);
        }
        self.announce_end(session);
        exchange.id = request_id::of(&session.req_header().headers);
    }

    /// Answers what needs no decision: the way to https, keys that anyone may know, those who ask too often.
    async fn answer_at_once(
        &self,
        session: &mut Session,
        exchange: &mut Exchange,
        admitted: admission::Admitted,
    ) -> Result<Option<admission::Admitted>> {
        if let Some(redirect) = https::redirect(session.req_header(), &admitted, exchange)? {
            exchange.verdict = Verdict::Respond;
            exchange.reason = "https";
            answer::redirect(session, exchange, redirect).await?;
        } else if let Some(jwks) = published(session.req_header(), exchange, &admitted) {
            exchange.verdict = Verdict::Respond;
            exchange.reason = "jwks";
            answer::publish(session, exchange, jwks).await?;
        } else if let Some(wait) = self.too_often(exchange, &admitted) {
            exchange.reason = "too-often";
            answer::too_often(session, exchange, wait).await?;
        } else {
            return Ok(Some(admitted));
        }
        Ok(None)
    }

    /// Paths that make us call the identity provider are rationed; `Some`: try again after that.
    fn too_often(&self, exchange: &Exchange, admitted: &admission::Admitted) -> Option<Duration> {
        let site = exchange.site.as_ref()?;
        if site.conduct == Conduct::Edge || exchange.endpoint == Endpoint::Protected {
            return None;
        }
        let limit = exchange.limits.auth_requests;
        self.0.throttle.refuse(admitted.client, limit, Instant::now())
    }
}

async fn refuse(
    session: &mut Session,
    exchange: &mut Exchange,
    refusal: Refusal,
) -> Result<Option<admission::Admitted>> {
    exchange.reason = refusal.label();
    answer::refuse(session, exchange, refusal.status()).await?;
    Ok(None)
}

/// What anyone may know, at a path of our own that nothing of an origin can shadow (T-PATH-5).
fn published(request: &RequestHeader, exchange: &Exchange, admitted: &admission::Admitted) -> Option<String> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = admitted.path.as_ref().ok()?;
    exchange.site.as_ref()?.identity.published_at(path.as_str())
}

pub(super) fn admit(
    generation: &Generation,
    connection: admission::Connection,
    request: &RequestHeader,
    exchange: &mut Exchange,
) -> Result<admission::Admitted, Refusal> {
    let admitted = generation.rules.admit(request, connection)?;
    let site = generation.sites.find(&admitted.host_name, admitted.port);
    let site = site.ok_or(Refusal::HostUnknown)?;
    exchange.site = Some(Arc::clone(site));
    if let Some(gate) = &site.gate {
        exchange.endpoint = gate.authenticator.config().endpoint_of(raw_path(request));
    }
    let behaviour = match (&admitted.path, site.conduct) {
        (Ok(path), _) => site.behaviours.find(path),
        (Err(error), Conduct::Proxy) => return Err(Refusal::Path(*error)),
        // The edge functions decide upon any path. If the decision is to pass it on, it is refused then.
        (Err(_), Conduct::Edge) => site.behaviours.default(),
    };
    if site.conduct == Conduct::Edge && !behaviour.methods.contain(&request.method) {
        return Err(Refusal::Method);
    }
    exchange.behaviour = Some(Arc::clone(behaviour));
    Ok(admitted)
}

/// Refuses a request over a TLS connection that the viewer made for another site (RFC 9110, section 15.5.20):
/// certificate, ciphers and the browser's notion of an origin were settled for that one. Browsers then connect
/// anew. Proxies in front use one connection for many.
fn serves_connection(
    generation: &Generation,
    session: &Session,
    admitted: admission::Admitted,
    exchange: &Exchange,
) -> Result<admission::Admitted, Refusal> {
    if admitted.source == Source::TrustedProxy {
        return Ok(admitted);
    }
    let named = ViewerConnection::of(session).and_then(ViewerConnection::server_name);
    let named = named.and_then(|name| generation.sites.find(name, admitted.port));
    match (named, &exchange.site) {
        (Some(named), Some(site)) if !Arc::ptr_eq(named, site) => Err(Refusal::HostElsewhere),
        _ => Ok(admitted),
    }
}
