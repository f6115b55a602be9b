//! Whether a request comes from our own pages, or from the viewer's own hand.
//!
//! Browsers say so in Sec-Fetch-Site (W3C Fetch Metadata) and in Origin, and pages cannot change either. Who says
//! neither is no browser of today and has no cookies that somebody else could misuse, but has to say so.

use super::{Enhanced, cors::CorsOrigins};
use crate::{ForwardCookies, Request, authenticator::Authenticator};

/// Whether the request is one of our own origin, of a listed one, or typed in by the viewer.
pub(crate) fn is_own(request: &Request<'_>, listed: &CorsOrigins) -> bool {
    if request
        .header("origin")
        .is_some_and(|origin| is_own_origin(request, origin) || listed.contains(origin))
    {
        return true;
    }
    matches!(request.header("sec-fetch-site"), Some("same-origin" | "none"))
        && request.headers.get_all("origin").is_empty()
}

/// Whether a page of another origin opens a WebSocket, with our viewer's cookies (RFC 6455, section 10.2; T-WS-1).
/// Looked at where nothing stands before us that has: the proxy refuses those before any decision.
pub(crate) fn is_foreign_upgrade(auth: &Authenticator, enhanced: &Enhanced, request: &Request<'_>) -> bool {
    if auth.capabilities().forward_cookies == ForwardCookies::Possible || request.headers.get_all("upgrade").is_empty()
    {
        return false;
    }
    match request.headers.get_all("origin")[..] {
        [] => false,
        [origin] => !is_own_origin(request, origin) && !enhanced.cors.contains(origin),
        _ => true,
    }
}

/// Whether an origin is the one that this request was sent to; default ports may stand or not.
fn is_own_origin(request: &Request<'_>, origin: &str) -> bool {
    let port = match request.scheme {
        crate::Scheme::Https => ":443",
        crate::Scheme::Http => ":80",
    };
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    origin
        .split_once("://")
        .is_some_and(|(scheme, authority)| scheme == request.scheme.as_str() && bare(authority) == bare(request.host))
}
