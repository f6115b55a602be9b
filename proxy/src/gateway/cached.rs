//! The cache in a request's way: after the decision, before the origin.

use std::{sync::Arc, time::SystemTime};

use http::{HeaderMap, HeaderValue, Method, header};
use pingora::{
    Error, ErrorSource, ErrorType, Result,
    cache::{CacheKey, CacheMeta, NoCacheReason, RespCacheable, key::HashBinary},
    http::ResponseHeader,
    proxy::{RangeType, Session, subrequest},
};

use super::{answer, failure};
use crate::{
    admission::query,
    behaviour::Behaviour,
    cache::{self, Asked, Codings, Entry, Errand, Outcome, Part, SENT_ON, SiteCache, Ticket, Validated, is_cacheable},
    compression::Accepted,
    exchange::{Exchange, Replacement},
    metrics::Verdict,
    request_id,
    sealed_copy::SealedCopy,
    server::CopyInUse,
};

/// Only for the origin's own answer.
const CONDITIONS: [header::HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// Answers from the cache if it can (true). If it cannot, Pingora's cache is prepared to fetch, or left out.
pub(super) async fn answer_from_cache(
    session: &mut Session,
    exchange: &mut Exchange,
    behaviour: &Behaviour,
) -> Result<bool> {
    let Some(cached) = &behaviour.cache else {
        return Ok(false);
    };
    exchange.cached.outcome = Some(Outcome::Bypass);
    let request = session.req_header();
    if !is_cacheable(&request.method, &request.headers) {
        return Ok(false);
    }
    exchange.cached.is_anonymous = true;
    let Some(passed) = &exchange.passed else {
        return Err(failure::internal("a request that has not passed"));
    };
    let scheme = passed.scheme.as_str();
    let hash = cached.hash(scheme, &passed.host, passed.path.as_str(), query(request));
    let ticket = || Box::new(cached.ticket(hash, passed.path.decoded()));
    let now = SystemTime::now();
    match cached
        .cache()
        .find(hash, &request.headers, codings(behaviour, session, exchange))
    {
        Some(entry) if entry.is_fresh(now) => {
            exchange.cached.outcome = Some(Outcome::Hit);
            serve(session, exchange, (cached, hash), &entry, now).await?;
            Ok(true)
        }
        Some(entry) if entry.may_be_refreshed_behind(now) => {
            exchange.cached.outcome = Some(Outcome::Stale);
            let ticket = ticket();
            refresh_behind(session, exchange, &entry, ticket);
            serve(session, exchange, (cached, hash), &entry, now).await?;
            Ok(true)
        }
        found => {
            if is_fetchable(session, found.is_some()) {
                exchange.cached.ticket = Some(ticket());
            }
            Ok(false)
        }
    }
}

/// Whether the answer to this very request may be fetched through the cache, which fetches whole bodies. For
/// a part or a header of something that is not there yet, of whatever size, the origin is asked directly.
fn is_fetchable(session: &mut Session, is_known: bool) -> bool {
    let request = session.req_header();
    let has = |name| request.headers.contains_key(name);
    let wants_whole = request.method == Method::GET && !has(header::RANGE);
    let has_strict_condition = has(header::IF_MATCH) || has(header::IF_UNMODIFIED_SINCE);
    (is_known || wants_whole) && !has_strict_condition && session.is_body_empty()
}

/// Which content coding the viewer gets: ours, or one of the origin's.
fn codings(behaviour: &Behaviour, session: &Session, exchange: &Exchange) -> Codings {
    codings_of(behaviour, &session.req_header().headers, exchange)
}

fn codings_of(behaviour: &Behaviour, request: &HeaderMap, exchange: &Exchange) -> Codings {
    match behaviour.compress {
        Some(_) => Codings::Chosen(exchange.compressing.chosen),
        None => Codings::Acceptable(Accepted::of(request)),
    }
}

async fn serve(
    session: &mut Session,
    exchange: &Exchange,
    (cached, hash): (&SiteCache, HashBinary),
    entry: &Arc<Entry>,
    now: SystemTime,
) -> Result<()> {
    let request = session.req_header();
    let (mut header, body) = cache::hit(entry, &request.method, &request.headers, now)?;
    label(&mut header, exchange)?;
    // Until it is sent.
    let _in_use = use_copy(session, &body, || cached.cache().copy_of(hash, entry));
    answer::send_kept(session, exchange, header, body).await
}

/// Makes a copy of the body known to the connection, where that makes it cheaper to send.
fn use_copy(session: &Session, body: &[u8], copy: impl FnOnce() -> Option<Arc<SealedCopy>>) -> Option<CopyInUse> {
    let is_useful = CopyInUse::is_useful(body.len()) && CopyInUse::is_usable(session);
    is_useful.then(copy)?.and_then(|copy| CopyInUse::on(session, copy))
}

/// Has an entry revalidated in the background, unless that is happening already.
fn refresh_behind(session: &Session, exchange: &Exchange, entry: &Arc<Entry>, ticket: Box<Ticket>) {
    let (Some(site), Some(behaviour)) = (&exchange.site, &exchange.behaviour) else {
        return;
    };
    let (Some(passed), Some(spawner)) = (&exchange.passed, &session.subrequest_spawner) else {
        return;
    };
    let Some(claim) = entry.claim_refresh() else {
        return;
    };
    let errand = Errand {
        id: exchange.id.clone(),
        site: Arc::clone(site),
        behaviour: Arc::clone(behaviour),
        passed: passed.clone(),
        codings: codings(behaviour, session, exchange),
        ticket,
        claim,
    };
    let context = subrequest::Ctx::builder().user_ctx(Box::new(Some(errand))).build();
    let (prepared, handle) = spawner.create_subrequest(session.as_ref(), context);
    handle.drain_tasks();
    tokio::spawn(prepared.run());
}

/// Takes over a revalidation in the background. Nobody gets its answer, and it has been decided upon: the
/// errand is what `refresh_behind` handed over within this process, and no viewer can bring one.
pub(super) fn take_errand(session: &mut Session, exchange: &mut Exchange) -> bool {
    let context = session
        .subrequest_ctx
        .as_mut()
        .and_then(|context| context.user_ctx_mut());
    let errand = context.and_then(|context| context.downcast_mut::<Option<Errand>>()?.take());
    let Some(errand) = errand else {
        return false;
    };
    exchange.id = errand.id;
    exchange.site = Some(errand.site);
    exchange.behaviour = Some(errand.behaviour);
    exchange.passed = Some(errand.passed);
    exchange.verdict = Verdict::Forward;
    if let Codings::Chosen(coding) = errand.codings {
        exchange.compressing.chosen = coding;
    }
    exchange.cached.is_anonymous = true;
    exchange.cached.ticket = Some(errand.ticket);
    exchange.cached.errand = Some(errand.claim);
    let request = session.req_header_mut();
    request.set_method(Method::GET);
    for name in CONDITIONS {
        request.remove_header(&name);
    }
    true
}

/// Switches Pingora's cache on for a request that has a ticket.
pub(super) fn enable(session: &mut Session, exchange: &Exchange) {
    if let Some(ticket) = &exchange.cached.ticket {
        ticket.enable(&mut session.cache);
    }
}

pub(super) fn key(exchange: &Exchange) -> Result<CacheKey> {
    let ticket = exchange.cached.ticket.as_ref();
    ticket
        .map(|ticket| ticket.key())
        .ok_or_else(|| failure::internal("a cache without a ticket"))
}

pub(super) fn variance(meta: &CacheMeta, request: &HeaderMap, exchange: &Exchange) -> Option<HashBinary> {
    let behaviour = exchange.behaviour.as_ref()?;
    let codings = codings_of(behaviour, request, exchange);
    cache::variance(meta.headers(), request, codings)
}

/// Whether the origin's answer is kept.
pub(super) fn judge(session: &Session, response: &ResponseHeader, exchange: &Exchange) -> Result<RespCacheable> {
    let (Some(ticket), Some(cached)) = (&exchange.cached.ticket, site_cache(exchange)) else {
        return Ok(RespCacheable::Uncacheable(NoCacheReason::OriginNotCache));
    };
    if exchange.substitute.is_some() {
        // Another document's answer, which would be kept for the path that is missing.
        return Ok(RespCacheable::Uncacheable(NoCacheReason::Custom("error-page")));
    }
    let has_pages = exchange
        .behaviour
        .as_ref()
        .is_some_and(|behaviour| !behaviour.error_pages.is_empty());
    if has_pages && response.status.is_client_error() {
        // The next viewer may be one who gets a document instead.
        return Ok(RespCacheable::Uncacheable(NoCacheReason::Custom("error-page")));
    }
    let mut said = response.headers.clone();
    if matches!(exchange.replacement, Replacement::Page(_)) {
        // Our page is for nobody to keep, but here it stands for the origin's answer, of which only the status shows.
        said.remove(header::CACHE_CONTROL);
    }
    let asked = Asked {
        settings: &cached.settings,
        request: &session.req_header().headers,
        said,
    };
    ticket.judge(
        asked,
        response,
        exchange.compressing.plain_length,
        exchange.cached.validated.as_ref(),
    )
}

fn site_cache(exchange: &Exchange) -> Option<&SiteCache> {
    exchange.behaviour.as_ref()?.cache.as_ref()
}

/// Notes a 304, which is about what is kept from now on.
pub(super) fn note_validation(response: &ResponseHeader, exchange: &mut Exchange) {
    if exchange.cached.ticket.is_some() && response.status == http::StatusCode::NOT_MODIFIED {
        exchange.cached.validated = Some(Validated::by(response));
    }
}

/// Whether what is stale may be served instead of this error; how long it may is asked elsewhere.
pub(super) fn may_serve_stale(error: Option<&Error>) -> bool {
    error.is_some_and(|error| match error.etype() {
        ErrorType::HTTPStatus(status) => *status >= 500,
        _ => *error.esource() == ErrorSource::Upstream,
    })
}

/// The part of a response that a viewer asks for, where Pingora serves it.
pub(super) fn range(session: &Session, response: &mut ResponseHeader) -> RangeType {
    let length = response.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(length) = length else {
        return RangeType::None;
    };
    match cache::apply_range(&session.req_header().headers, response, length) {
        Ok(Part::Bytes(range)) => RangeType::Single(range),
        Ok(Part::Unsatisfiable) => RangeType::Invalid,
        Ok(Part::Whole) | Err(_) => RangeType::None,
    }
}

/// What Pingora's cache did for a request.
pub(super) fn note_phase(session: &Session, exchange: &mut Exchange) {
    if exchange.cached.ticket.is_some() {
        exchange.cached.outcome = Some(Outcome::of(session.cache.phase()));
    }
}

/// Says what the cache did.
pub(super) fn label(response: &mut ResponseHeader, exchange: &Exchange) -> Result<()> {
    match exchange.cached.outcome {
        Some(outcome) => response.insert_header("X-Cache", outcome.as_str()),
        None => Ok(()),
    }
}

/// The viewer's header as the origin gets it, where an answer may be kept: the few fields that the key knows,
/// and if this request is fetched through the cache, the conditions of what is kept instead of the viewer's.
pub(super) fn sent_on(session: &Session, exchange: &Exchange) -> Result<Option<(Method, HeaderMap)>> {
    let Some(behaviour) = exchange.behaviour.as_ref().filter(|_| exchange.cached.is_anonymous) else {
        return Ok(None);
    };
    let request = session.req_header();
    let mut headers = HeaderMap::new();
    let mut copy = |name: &header::HeaderName| {
        for value in request.headers.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    };
    SENT_ON.iter().for_each(&mut copy);
    copy(&header::HeaderName::from_static(request_id::HEADER));
    let is_fetched = session.cache.enabled();
    if !is_fetched {
        CONDITIONS.iter().for_each(&mut copy);
    }
    let codings = codings(behaviour, session, exchange).header();
    let codings = HeaderValue::try_from(codings).map_err(|_| failure::internal("codings that are no header"))?;
    headers.insert(header::ACCEPT_ENCODING, codings);
    if !is_fetched {
        return Ok(Some((request.method.clone(), headers)));
    }
    if let Some(kept) = session.cache.maybe_cache_meta() {
        for (from, to) in [
            (header::ETAG, header::IF_NONE_MATCH),
            (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE),
        ] {
            if let Some(value) = kept.headers().get(from) {
                headers.insert(to, value.clone());
            }
        }
    }
    Ok(Some((Method::GET, headers)))
}

/// The query as the origin gets it.
pub(super) fn sent_query<'q>(exchange: &Exchange, query: &'q str) -> &'q str {
    match site_cache(exchange) {
        Some(cached) if exchange.cached.is_anonymous => cached.counted(query),
        _ => query,
    }
}
