//! Where a sign-in leads back to that a program's user begins because of a 401: to the page that the program runs in,
//! as its Referer says, or to what was asked for, where a person may have asked. Never to another host, and never to a
//! path of ours, where something would be done (T-REDIR-1).

use super::{Enhanced, hints::is_own};
use crate::{Config, Endpoint, Request};

/// A longer address is not put into another.
const MOST_BYTES: usize = 2000;

/// Path and query, as they are to stand in `return_to`. `None`: nobody knows.
pub(crate) fn of(config: &Config, enhanced: &Enhanced, request: &Request<'_>) -> Option<String> {
    let page = request.header("referer").and_then(|page| path_of(request, page));
    let asked = || may_be_a_page(enhanced, request).then(|| request.requested_uri());
    let back = page.map(str::to_owned).or_else(asked)?;
    let path = back.split('?').next().unwrap_or_default();
    let leads_home = is_own(&back) && config.endpoint_of(path) == Endpoint::Protected;
    Some(back).filter(|back| leads_home && back.len() <= MOST_BYTES)
}

/// The path and query of an address of this very origin.
fn path_of<'p>(request: &Request<'_>, page: &'p str) -> Option<&'p str> {
    let path = page.strip_prefix(&request.origin())?;
    let path = path.split('#').next().unwrap_or_default();
    path.starts_with('/').then_some(path)
}

/// Whether what was asked for is something that a person can look at: no script's fetch, as far as anybody says so.
fn may_be_a_page(enhanced: &Enhanced, request: &Request<'_>) -> bool {
    let is_absent = |name: &str| request.headers.get_all(name).is_empty();
    matches!(request.method, "GET" | "HEAD")
        && request.header("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
        && is_absent("x-requested-with")
        && is_absent("upgrade")
        && !enhanced.api.covers(request.path)
}
