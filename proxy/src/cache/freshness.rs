//! Whether a response may be kept, for how long it is fresh, and when it may be served stale (RFC 9111,
//! sections 3 and 4; RFC 5861), within the times an operator has set, which mean what CloudFront's mean.
//!
//! One difference: CloudFront's minimum TTL overrules `no-store`, `no-cache` and `private`. Here nothing does.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{AGE, AUTHORIZATION, COOKIE, DATE, ETAG, EXPIRES, LAST_MODIFIED, SET_COOKIE, VARY},
};

use super::cache_control::CacheControl;
use crate::config::CacheSettings;

/// How long a response may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// What is left of its freshness; nothing: it has to be revalidated before each use.
    pub(super) fresh: Duration,
    /// How old it was when it came.
    pub(super) age: Duration,
    /// Seconds after its freshness in which it may be served while it is revalidated.
    pub(super) stale_while_revalidate: u32,
    /// Seconds after its freshness in which it may be served when the origin fails.
    pub(super) stale_if_error: u32,
}

/// Why a response is not kept. The label says it to operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Its status is not one that is kept.
    Status,
    /// `no-store` or `private`.
    Forbidden,
    /// It sets a cookie, so it is for one viewer.
    SetsCookie,
    /// The request was authorized, and the response does not say that others may see the answer.
    Authorized,
    /// `Vary: *`, or one that names what no entry may depend on.
    Vary,
    /// It would be stale at once, and there is nothing to revalidate it by.
    StaleAtOnce,
}

impl Unfit {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Forbidden => "forbidden",
            Self::SetsCookie => "sets-cookie",
            Self::Authorized => "authorized",
            Self::Vary => "vary",
            Self::StaleAtOnce => "stale-at-once",
        }
    }
}

/// Judges the response to a request that had an Authorization header, or had none.
pub(super) fn judge(
    settings: &CacheSettings,
    request: &HeaderMap,
    status: StatusCode,
    response: &HeaderMap,
    now: SystemTime,
) -> Result<Lifetime, Unfit> {
    let control = CacheControl::of(response);
    if control.no_store || control.private {
        return Err(Unfit::Forbidden);
    }
    if response.contains_key(SET_COOKIE) {
        return Err(Unfit::SetsCookie);
    }
    if request.contains_key(AUTHORIZATION) && !control.allows_authorized() {
        return Err(Unfit::Authorized);
    }
    if varies_too_much(response) {
        return Err(Unfit::Vary);
    }
    let date = single_date(response, DATE);
    let explicit = explicit_lifetime(control, response, date.unwrap_or(now));
    let total = if control.no_cache {
        Duration::ZERO
    } else {
        total_lifetime(settings, status, explicit)?
    };
    let age = age(response, date, now);
    let (stale_while_revalidate, stale_if_error) = stale_times(settings, control);
    let lifetime = Lifetime {
        fresh: total.saturating_sub(age),
        age,
        stale_while_revalidate,
        stale_if_error,
    };
    let can_be_revalidated = response.contains_key(ETAG) || response.contains_key(LAST_MODIFIED);
    if lifetime.fresh.is_zero() && !can_be_revalidated && stale_while_revalidate == 0 && stale_if_error == 0 {
        return Err(Unfit::StaleAtOnce);
    }
    Ok(lifetime)
}

/// By status: content as the origin or the default says, redirects only if the origin says so, and what is
/// missing for the error TTL at least, if there is one.
fn total_lifetime(settings: &CacheSettings, status: StatusCode, explicit: Option<Duration>) -> Result<Duration, Unfit> {
    let within = |lifetime: Duration| lifetime.clamp(settings.min_ttl, settings.max_ttl);
    match status {
        StatusCode::OK => Ok(within(explicit.unwrap_or(settings.default_ttl))),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => explicit.map(within).ok_or(Unfit::Status),
        StatusCode::NOT_FOUND | StatusCode::GONE if !settings.error_ttl.is_zero() => {
            Ok(explicit.map_or(settings.error_ttl, |lifetime| within(lifetime).max(settings.error_ttl)))
        }
        _ => Err(Unfit::Status),
    }
}

fn explicit_lifetime(control: CacheControl, response: &HeaderMap, date: SystemTime) -> Option<Duration> {
    if let Some(seconds) = control.lifetime() {
        return Some(Duration::from_secs(seconds.into()));
    }
    // A date that is none, or one of several, lies in the past (RFC 9111, section 5.3).
    response.contains_key(EXPIRES).then(|| {
        let expires = single_date(response, EXPIRES);
        expires
            .and_then(|expires| expires.duration_since(date).ok())
            .unwrap_or_default()
    })
}

/// RFC 9111, section 4.2.3, without the time the answer took.
fn age(response: &HeaderMap, date: Option<SystemTime>, now: SystemTime) -> Duration {
    let stated = response
        .get(AGE)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map_or(Duration::ZERO, Duration::from_secs);
    let apparent = date.and_then(|date| now.duration_since(date).ok()).unwrap_or_default();
    // In a Date there are no fractions of a second: they are not an age.
    stated.max(Duration::from_secs(apparent.as_secs()))
}

/// What the response says outranks what the operator does, except that a response which has to be revalidated
/// is never served stale, and `s-maxage` means so too where nothing else is said (RFC 9111, section 4.2.4).
fn stale_times(settings: &CacheSettings, control: CacheControl) -> (u32, u32) {
    if control.no_cache || control.must_revalidate {
        return (0, 0);
    }
    let unsaid = |configured: Duration| match control.s_maxage {
        Some(_) => 0,
        None => u32::try_from(configured.as_secs()).unwrap_or(u32::MAX),
    };
    (
        control
            .stale_while_revalidate
            .unwrap_or_else(|| unsaid(settings.stale_while_revalidate)),
        control
            .stale_if_error
            .unwrap_or_else(|| unsaid(settings.stale_if_error)),
    )
}

/// `*` matches no other request; and no entry is shared that depends on who asks.
fn varies_too_much(response: &HeaderMap) -> bool {
    vary_names(response).any(|name| {
        name == "*"
            || [COOKIE, AUTHORIZATION]
                .iter()
                .any(|own| name.eq_ignore_ascii_case(own.as_str()))
    })
}

/// The header names that Vary lists.
pub(super) fn vary_names(response: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = response.get_all(VARY).into_iter();
    fields
        // What is no text names a header that nobody can send.
        .flat_map(|value| value.to_str().unwrap_or("*").split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn single_date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => httpdate::parse_http_date(value.to_str().ok()?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
