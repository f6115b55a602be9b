//! The proxy as Pingora sees it: each request is admitted, decided upon, and answered or passed on.
//!
//! The filters here convert and carry out. Whether a request may pass is the core's decision, taken in
//! `request_filter`, before a cache or an origin is looked at.

mod answer;
mod body;
mod cached;
mod compressed;
mod decide;
mod error_page;
mod failure;
mod forward_auth;
mod https;
mod response_headers;
mod upstream;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use auth_core::{Decision, Endpoint, Forward};
use auth_driver::Clock;
pub(crate) use body::Received;
use bytes::Bytes;
use http::{Method, StatusCode};
use pingora::{
    Error, Result,
    cache::{CacheKey, CacheMeta, RespCacheable, key::HashBinary},
    http::{RequestHeader, ResponseHeader},
    modules::http::HttpModules,
    protocols::Digest,
    proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, RangeType, Session},
    upstreams::peer::HttpPeer,
};
use tokio::runtime::Handle;

use crate::{
    access_log::{self, AccessLog},
    admin::Readiness,
    admission::{self, Refusal, Source, raw_path},
    cache,
    config::Conduct,
    exchange::{Exchange, Passed},
    generation::{Generation, InForce},
    identity::About,
    metrics::{Metrics, Verdict},
    origin::Origin,
    request_id,
    server::ViewerConnection,
    throttle::Throttle,
};

pub(crate) use response_headers::Audience;

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the configuration in force has made.
    pub(crate) generation: InForce,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Where requests are written down.
    pub(crate) access_log: ArcSwap<AccessLog>,
    /// False once draining has begun.
    pub(crate) readiness: Readiness,
    /// How often viewers use the paths that lead to identity providers.
    pub(crate) throttle: Throttle,
    /// Where calls to identity providers are carried out.
    pub(crate) control: Handle,
    /// The time that decisions go by.
    pub(crate) clock: Clock,
}

/// The service of one worker.
#[derive(Clone, Debug)]
pub(crate) struct Gateway(pub(crate) Arc<Shared>);

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::new()
    }

    /// None: compression is decided by response, not by Pingora's module.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<bool> {
        if cached::take_errand(session, exchange) {
            return Ok(false);
        }
        let generation = self.0.generation.take();
        session.set_read_timeout(Some(generation.limits.read));
        session.set_write_timeout(Some(generation.limits.write));
        exchange.limits = generation.limits;
        exchange.received = Received::within(&generation.limits);
        if let Some(connection) = ViewerConnection::of(session) {
            connection.count(generation.limits.connection_requests);
        }
        self.announce_end(session);
        exchange.id = request_id::of(&session.req_header().headers);
        if decide::has_fragment(session) {
            return refuse(session, exchange, Refusal::Target).await;
        }
        let connection = decide::connection(session);
        let is_trusted = || generation.rules.trusts(connection.peer);
        if let Some(question) = generation.forward_auth.question(session.req_header(), is_trusted) {
            self.answer_question(session, exchange, &generation, question).await?;
            return Ok(true);
        }
        let admitted = admit(&generation, connection, session.req_header(), exchange)
            .and_then(|admitted| serves_connection(&generation, session, admitted, exchange));
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => return refuse(session, exchange, refusal).await,
        };
        if let Some(redirect) = https::redirect(session.req_header(), &admitted, exchange)? {
            exchange.verdict = Verdict::Respond;
            exchange.reason = "https";
            answer::redirect(session, exchange, redirect).await?;
            return Ok(true);
        }
        if let Some(jwks) = published(session.req_header(), exchange, &admitted) {
            exchange.verdict = Verdict::Respond;
            exchange.reason = "jwks";
            answer::publish(session, exchange, jwks).await?;
            return Ok(true);
        }
        if let Some(wait) = self.too_often(session, exchange, &admitted) {
            exchange.reason = "too-often";
            answer::too_often(session, exchange, wait).await?;
            return Ok(true);
        }
        match self.decide(session.req_header(), exchange, admitted).await? {
            Decision::Respond(response) => {
                exchange.verdict = Verdict::Respond;
                answer::respond(session, exchange, response).await?;
                Ok(true)
            }
            Decision::Forward(forward) => {
                exchange.verdict = Verdict::Forward;
                exchange.audience = Audience::from(&forward.access);
                self.prepare_forward(session, exchange, forward).await
            }
        }
    }

    /// For revalidations in the background.
    fn allow_spawning_subrequest(&self, _session: &Session, _exchange: &Exchange) -> bool {
        true
    }

    fn request_cache_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<()> {
        cached::enable(session, exchange);
        Ok(())
    }

    fn cache_key_callback(&self, _session: &Session, exchange: &mut Exchange) -> Result<CacheKey> {
        cached::key(exchange)
    }

    fn cache_vary_filter(
        &self,
        meta: &CacheMeta,
        exchange: &mut Exchange,
        request: &RequestHeader,
    ) -> Option<HashBinary> {
        cached::variance(meta, &request.headers, exchange)
    }

    fn response_cache_filter(
        &self,
        session: &Session,
        response: &ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<RespCacheable> {
        cached::judge(session, response, exchange)
    }

    fn cache_not_modified_filter(
        &self,
        session: &Session,
        response: &ResponseHeader,
        _exchange: &mut Exchange,
    ) -> Result<bool> {
        Ok(cache::is_not_modified(&session.req_header().headers, response))
    }

    fn range_header_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        _exchange: &mut Exchange,
    ) -> RangeType {
        cached::range(session, response)
    }

    fn should_serve_stale(&self, _session: &mut Session, _exchange: &mut Exchange, error: Option<&Error>) -> bool {
        cached::may_serve_stale(error)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        part: &mut Option<Bytes>,
        _end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> Result<()> {
        let Some(part) = part.as_ref().filter(|_| !session.was_upgraded()) else {
            return Ok(());
        };
        exchange.received.part(part, Instant::now()).map_err(|(reason, error)| {
            exchange.reason = reason;
            error
        })
    }

    async fn upstream_peer(&self, session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
        upstream::dispatch(session, exchange)
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        upstream::take_header(request, exchange)
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        reused: bool,
        peer: &HttpPeer,
        _fd: std::os::unix::io::RawFd,
        _digest: Option<&Digest>,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if let Some(behaviour) = &exchange.behaviour {
            behaviour.origin.connected(peer, reused);
        }
        Ok(())
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        peer: &HttpPeer,
        exchange: &mut Exchange,
        error: Box<Error>,
    ) -> Box<Error> {
        failure::judge_other_server(peer, exchange, error)
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        upstream::admit_response(session, response, exchange)?;
        cached::note_validation(response, exchange);
        compressed::admit_response(session, response, exchange)
    }

    fn upstream_response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> Result<Option<std::time::Duration>> {
        upstream::replace_body(body, exchange);
        compressed::encode(body, end_of_stream, exchange)?;
        Ok(None)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        self.announce_end(session);
        if response.status == StatusCode::SWITCHING_PROTOCOLS
            && let Some(age) = exchange.limits.websocket
            && let Some(connection) = ViewerConnection::of(session)
        {
            connection.limit_age(age);
        }
        cached::note_phase(session, exchange);
        cached::label(response, exchange)?;
        let author = answer::author(exchange);
        answer::finish_header(response, exchange, author)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        _exchange: &mut Exchange,
        client_reused: bool,
    ) -> Box<Error> {
        failure::judge_retry(session, error, client_reused)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, exchange: &mut Exchange) -> FailToProxy {
        failure::answer(session, error, exchange).await
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, exchange: &mut Exchange) {
        access_log::finish(session, exchange, &self.0.metrics, &self.0.access_log.load());
    }

    /// The access log says it, without the query and the headers that Pingora's own line would show.
    fn suppress_error_log(&self, _session: &Session, _exchange: &Exchange, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _exchange: &Exchange,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }

    fn request_summary(&self, session: &Session, _exchange: &Exchange) -> String {
        session.req_header().method.to_string()
    }
}

impl Gateway {
    /// While draining, viewers are told not to send more on this connection.
    fn announce_end(&self, session: &mut Session) {
        if !self.0.readiness.is_set() && !session.was_upgraded() {
            session.set_keepalive(None);
        }
    }

    /// Paths that make us call the identity provider are rationed; `Some`: try again after that.
    fn too_often(&self, session: &Session, exchange: &Exchange, admitted: &admission::Admitted) -> Option<Duration> {
        let site = exchange.site.as_ref()?;
        if site.conduct == Conduct::Edge {
            return None;
        }
        let gate = site.gate.as_ref()?;
        let endpoint = gate.authenticator.config().endpoint_of(raw_path(session.req_header()));
        if endpoint == Endpoint::Protected {
            return None;
        }
        let limit = exchange.limits.auth_requests;
        self.0.throttle.refuse(admitted.client, limit, Instant::now())
    }

    async fn decide(
        &self,
        request: &RequestHeader,
        exchange: &mut Exchange,
        admitted: admission::Admitted,
    ) -> Result<Decision> {
        let (Some(site), Some(behaviour)) = (exchange.site.clone(), exchange.behaviour.clone()) else {
            return Err(failure::internal("a request without a site"));
        };
        let decision = decide::decide(request, &admitted, &site, &self.0.control, self.0.clock).await?;
        exchange.reason = match site.gate {
            Some(_) => decision.reason().as_str(),
            None => "auth-off",
        };
        exchange.passed = admitted.path.ok().map(|path| Passed {
            path: behaviour.origin_path(path),
            host: admitted.host,
            scheme: admitted.scheme,
            client: admitted.client,
        });
        Ok(decision)
    }

    /// Removes what no origin may see; answers at once where the content is at hand.
    async fn prepare_forward(&self, session: &mut Session, exchange: &mut Exchange, forward: Forward) -> Result<bool> {
        let (Some(site), Some(behaviour)) = (exchange.site.clone(), exchange.behaviour.clone()) else {
            return Err(failure::internal("a request without a behaviour"));
        };
        exchange.response_cookies = forward.response_cookies;
        if exchange.passed.is_none() {
            exchange.verdict = Verdict::Refused;
            exchange.reason = "path";
            answer::refuse(session, exchange, StatusCode::BAD_REQUEST).await?;
            return Ok(true);
        }
        if !behaviour.methods.contain(&session.req_header().method) {
            answer::write_page(session, exchange, StatusCode::METHOD_NOT_ALLOWED).await?;
            return Ok(true);
        }
        admission::scrub(session.req_header_mut(), &site.identity);
        compressed::choose(session, exchange, &behaviour);
        if cached::answer_from_cache(session, exchange, &behaviour).await? {
            return Ok(true);
        }
        let request = session.req_header_mut();
        match behaviour.origin.origin {
            Origin::Directory(_) | Origin::Nothing => {
                upstream::serve_file(session, exchange).await?;
                return Ok(true);
            }
            Origin::Custom(_) => {
                if site.conduct == Conduct::Proxy {
                    crate::cookies::strip_own(request);
                    if !exchange.cached.is_anonymous {
                        exchange.identity = site.identity.fields(About {
                            access: &forward.access,
                            reason: forward.reason,
                            request_id: &exchange.id,
                            now: self.0.clock.now(),
                        });
                    }
                    request.insert_header(request_id::HEADER, exchange.id.as_str())?;
                }
            }
            Origin::S3(_) => {}
        }
        Ok(false)
    }
}

async fn refuse(session: &mut Session, exchange: &mut Exchange, refusal: Refusal) -> Result<bool> {
    exchange.reason = refusal.label();
    answer::refuse(session, exchange, refusal.status()).await?;
    Ok(true)
}

/// What anyone may know, at a path of our own that nothing of an origin can shadow (T-PATH-5).
fn published(request: &RequestHeader, exchange: &Exchange, admitted: &admission::Admitted) -> Option<String> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = admitted.path.as_ref().ok()?;
    exchange.site.as_ref()?.identity.published_at(path.as_str())
}

fn admit(
    generation: &Generation,
    connection: admission::Connection,
    request: &RequestHeader,
    exchange: &mut Exchange,
) -> Result<admission::Admitted, Refusal> {
    let admitted = generation.rules.admit(request, connection)?;
    let site = generation.sites.find(&admitted.host_name, admitted.port);
    let site = site.ok_or(Refusal::HostUnknown)?;
    exchange.site = Some(Arc::clone(site));
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
