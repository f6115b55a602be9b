//! The proxy as Pingora sees it: each request is admitted, decided upon, and answered or passed on.
//!
//! The filters here convert and carry out. Whether a request may pass is the core's decision, taken in
//! `request_filter`, before a cache or an origin is looked at.

mod answer;
mod body;
mod cached;
mod compressed;
mod decide;
mod entrance;
mod error_page;
mod failure;
mod fetch;
mod forward_auth;
mod https;
mod passage;
mod response_headers;
mod spliced;
mod upstream;

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use auth_core::Decision;
use auth_driver::Clock;
pub(crate) use body::Received;
use bytes::Bytes;
use http::StatusCode;
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
    admission, cache,
    exchange::{Exchange, Passed},
    generation::InForce,
    metrics::{Metrics, Verdict},
    server::ViewerConnection,
    throttle::Throttle,
    upstreams::Upstreams,
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

/// The service of one worker, with its connections to origins.
#[derive(Clone, Debug)]
pub(crate) struct Gateway(pub(crate) Arc<Shared>, pub(crate) Arc<Upstreams>);

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
        let Some(admitted) = self.receive(session, exchange).await? else {
            return Ok(true);
        };
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
        self.admit(session, response, exchange)
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
        self.prepare_response(session, response, exchange)?;
        answer::finish_header(response, exchange, answer::author(exchange))
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

    /// The last look at a response's header, before it gets what every response carries.
    fn prepare_response(
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
        cached::label(response, exchange)
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
        let asked = (request, exchange.endpoint, exchange.id.as_str());
        let decision = decide::decide(asked, &admitted, &site, &self.0.control, self.0.clock).await?;
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
}
