//! Writing down that a session is in use: on the answer to the request that goes on, or, where that can carry no
//! cookies, on the way round by a path of ours. Only navigations can go that way, so only they count as use there.
//!
//! No circle can come of it. Nobody is sent round twice while a marker lives, and who comes to the path without the
//! marker has a browser that keeps no cookies: that ends in a page.

use super::{
    Enhanced,
    answer::Answer,
    audience::Audience,
    host_cookie::Host,
    lifetime::{Judged, Lifetime},
    pages::Explanation,
    session::{Found, Session, find},
    trouble::Trouble,
    viewer::Viewer,
};
use crate::{
    Entropy, ForwardCookies, Reason, Request, Step, UnixTime,
    authenticator::Authenticator,
    cookies::Cookies,
    js::query::{Query, stringify},
    state::rooted,
};

/// Where use is written down.
const PATH: &str = "/_portcullis/in-use";
const MARKER: &str = "portcullis-noting";
/// A longer address would make one that servers between us and the viewer refuse, once it is encoded.
const MOST_BYTES: usize = 2000;

/// How use is written down.
pub(crate) enum Noted {
    /// With these cookies, on the answer to the request, which goes on.
    Along(Vec<String>),
    /// On the way round.
    Round(Step),
}

/// Writes down that a good session is used now, as far as that can be done.
pub(crate) fn note(
    auth: &Authenticator,
    lifetime: &Lifetime,
    session: &Session,
    viewer: &Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Noted {
    match auth.capabilities().forward_cookies {
        ForwardCookies::Possible => Noted::Along(lifetime.note(auth, session, viewer, now, rng)),
        ForwardCookies::Impossible if may_go_round(viewer) => Noted::Round(send(auth, lifetime, viewer)),
        ForwardCookies::Impossible => Noted::Along(Vec::new()),
    }
}

/// A redirect that is followed by a GET brings back what a GET asked for, and only that.
fn may_go_round(viewer: &Viewer) -> bool {
    let is_get = viewer.redirect_status == 302;
    viewer.audience == Audience::Person
        && is_get
        && viewer.requested_uri.len() <= MOST_BYTES
        && !viewer.with_cookies(|cookies| was_sent(&viewer.host, cookies))
}

fn send(auth: &Authenticator, lifetime: &Lifetime, viewer: &Viewer) -> Step {
    let query = stringify(&[("return_to", &viewer.requested_uri)]);
    let marker = viewer.host.cookie_name(MARKER);
    Answer::new(302, Reason::SessionUsed)
        .with("Location", format!("{}{PATH}?{query}", viewer.origin))
        .with_cookies([viewer.host.set(&marker, "1", lifetime.one_try())])
        .decide(auth.config())
}

/// The path itself. The marker stays until it is over.
pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    lifetime: &Lifetime,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let viewer = Viewer::of(auth, request);
    let return_to = rooted(Query::parse(request.query).param("return_to").single());
    if !was_sent(&viewer.host, Cookies::new(request.cookies)) {
        return Trouble::new(Reason::LoopCookies, Explanation::UseNotKept).respond(auth, &viewer, &return_to);
    }
    let cookies = match find(auth, enhanced, request, now) {
        Found::Valid(session) => match lifetime.of_request(auth, &session, request, now) {
            Judged::Good | Judged::Unnoted => lifetime.note(auth, &session, &viewer, now, rng),
            Judged::Over(_) => Vec::new(),
        },
        // Whatever is to be done about it is done where the viewer comes from.
        Found::KeysDue { .. } | Found::Nothing(_) => Vec::new(),
    };
    Answer::new(viewer.redirect_status, Reason::SessionUsed)
        .with("Location", viewer.address(&return_to))
        .with_cookies(cookies)
        .decide(auth.config())
}

fn was_sent(host: &Host, cookies: Cookies<'_>) -> bool {
    cookies.get_non_empty(&host.cookie_name(MARKER)).is_some()
}
