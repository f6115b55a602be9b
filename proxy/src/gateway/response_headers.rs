//! The configured headers, and what a protected response says of its being stored.
//!
//! Neither may harm what is already right: the origin knows its content better unless the configuration insists,
//! and what we answer ourselves keeps its own policy, without which its pages lose their style or get stored.

use auth_core::Access;
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, EXPIRES},
};
use pingora::{Result, http::ResponseHeader};

use crate::{
    config::{Conduct, HeaderPrecedence},
    site::Site,
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
    if audience == Audience::Everyone || header.headers.contains_key(CACHE_CONTROL) {
        return Ok(());
    }
    let value = if header.headers.contains_key(EXPIRES) {
        "private"
    } else {
        "private, no-cache"
    };
    header.insert_header("Cache-Control", HeaderValue::from_static(value))
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
