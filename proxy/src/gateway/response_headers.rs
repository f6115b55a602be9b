//! The configured headers, and what a protected response says of its being stored.
//!
//! Neither may harm what is already right: the origin knows its content better unless the configuration insists,
//! and what we answer ourselves keeps its own policy, without which its pages lose their style or get stored.

use auth_core::Access;
use http::{
    HeaderName, HeaderValue,
    header::{CACHE_CONTROL, EXPIRES},
};
use pingora::{Result, http::ResponseHeader};

use crate::{
    config::{Conduct, HeaderPrecedence},
    exchange::Exchange,
    request_id,
    site::{Site, push_line},
};

/// Who wrote a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// The origin.
    Origin,
    /// We, instead of any origin.
    Ourselves,
}

/// Who may see a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Anybody, or nobody knows yet.
    #[default]
    Everyone,
    /// A viewer who has signed in.
    SignedIn,
}

impl From<&Access> for Audience {
    fn from(access: &Access) -> Self {
        match access {
            Access::Session(_) => Self::SignedIn,
            _ => Self::Everyone,
        }
    }
}

/// Adds the site's headers.
pub(super) fn configure(header: &mut ResponseHeader, site: &Site, author: Author) -> Result<()> {
    // The edge function for responses replaces whatever is there.
    let replaces =
        site.conduct == Conduct::Edge || author == Author::Origin && site.precedence == HeaderPrecedence::Configured;
    for configured in &site.headers {
        if replaces || !header.headers.contains_key(&configured.name) {
            header.insert_header(configured.spelling.clone(), &configured.value)?;
        }
    }
    Ok(())
}

/// What only a signed-in viewer may see is nothing for shared caches, and for the viewer's own only if it asks
/// again each time; unless the origin says otherwise.
pub(super) fn keep_private(header: &mut ResponseHeader, audience: Audience) -> Result<()> {
    match privacy(header, audience) {
        Some(value) => header.insert_header("Cache-Control", HeaderValue::from_static(value)),
        None => Ok(()),
    }
}

/// The Cache-Control that is missing.
fn privacy(header: &ResponseHeader, audience: Audience) -> Option<&'static str> {
    if audience == Audience::Everyone || header.headers.contains_key(CACHE_CONTROL) {
        return None;
    }
    Some(if header.headers.contains_key(EXPIRES) {
        "private"
    } else {
        "private, no-cache"
    })
}

/// All that is added to a header, as the lines that are written after it; `None`: some of it may be there already, or
/// has to be looked at once more.
pub(super) fn lines(header: &ResponseHeader, exchange: &Exchange, author: Author) -> Option<Vec<u8>> {
    const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);
    let site = exchange.site.as_ref()?;
    let fixed = site.lines.as_deref()?;
    let is_there = |name: &HeaderName| header.headers.contains_key(name);
    let is_told = exchange.conduct() == Conduct::Proxy;
    if header.status.is_informational()
        || !exchange.response_cookies.is_empty()
        || is_told && is_there(&REQUEST_ID)
        || site.headers.iter().any(|configured| is_there(&configured.name))
    {
        return None;
    }
    let mut lines = Vec::with_capacity(fixed.len() + 128);
    lines.extend_from_slice(fixed);
    if is_told {
        push_line(&mut lines, b"X-Request-Id", exchange.id.as_bytes());
    }
    if is_told
        && author == Author::Origin
        && let Some(value) = privacy(header, exchange.audience)
    {
        push_line(&mut lines, b"Cache-Control", value.as_bytes());
    }
    Some(lines)
}

/// What shared caches go by, besides or instead of Cache-Control (RFC 9213).
const FOR_SHARED_CACHES: [&str; 4] = [
    "expires",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
];

/// A response that sets cookies of a session is for one viewer, whatever anyone says of its content (T-CACHE-2). The
/// viewer's own cache may keep it and asks each time.
pub(super) fn keep_to_viewer(header: &mut ResponseHeader) -> Result<()> {
    for name in FOR_SHARED_CACHES {
        header.remove_header(name);
    }
    let said = header.headers.get_all("cache-control").iter();
    let is_kept_by_nobody = said.filter_map(|value| value.to_str().ok()).any(|value| {
        let mut directives = value.split(',').map(str::trim);
        directives.any(|directive| directive.eq_ignore_ascii_case("no-store"))
    });
    if is_kept_by_nobody {
        return Ok(());
    }
    header.insert_header("Cache-Control", "private, no-cache")
}
