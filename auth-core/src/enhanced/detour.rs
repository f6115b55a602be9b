//! The way round by the refresh path, where a session cannot be renewed on the way: at the edge, which cannot set
//! cookies on what it forwards, and where the browser keeps the refresh token for that path alone.
//!
//! A marker that lives for a minute says that it has been tried: once for each expiry, so no circle can come of
//! it. It also tells the refresh path that we sent the viewer there, who may have come from another site's link.
//! Nothing else is needed: the path renews the viewer's own session and leads back to our own origin.

use super::{
    Enhanced,
    answer::{Answer, setting},
    api,
    audience::Audience,
    check::turn_away,
    own_cookies::first_token,
    renewal::{self, Renewed},
    renewal_request,
    renewing::unavailable,
    same_site,
    session::kept,
    viewer::Viewer,
};
use crate::{
    Reason, Request, Step,
    authenticator::Authenticator,
    cookie_names::{REFRESH_MARKER, Token},
    cookies::Cookies,
    js::query::{Param, Query, stringify},
    state::rooted,
    token_endpoint::Pace,
};

/// Seconds. Less than any session lasts, more than a redirect takes.
const MARKER_LIVES: u32 = 60;

/// Whether the refresh path may know more than this path.
pub(crate) fn may_help(auth: &Authenticator, viewer: &Viewer, reason: Reason) -> bool {
    let config = auth.config();
    let is_settled = matches!(
        reason,
        Reason::RefreshTokenRejected
            | Reason::RefreshTokenMissing
            | Reason::TokenSubject
            | Reason::SessionNotRefreshable
            | Reason::SessionTooOld
            | Reason::SessionIdle
    );
    if !renewal::is_on(auth) || is_settled || viewer.path() == config.refresh_path {
        return false;
    }
    let (was_tried, may_be_hidden) = viewer.with_cookies(|cookies| {
        let was_tried = cookies.get_non_empty(REFRESH_MARKER).is_some();
        let has_id = first_token(config, cookies, Token::Id).is_some();
        (was_tried, has_id && api::refresh_token_path(config).is_some())
    });
    let is_at_hand = || {
        config
            .enhanced
            .as_deref()
            .is_some_and(|enhanced| kept(auth, enhanced, viewer).is_some())
    };
    !was_tried && (may_be_hidden || is_at_hand())
}

/// To the refresh path, method and body kept, which leads back here.
pub(crate) fn send(auth: &Authenticator, viewer: &Viewer, reason: Reason) -> Step {
    let config = auth.config();
    let query = stringify(&[("requestedUri", &viewer.requested_uri)]);
    Answer::new(307, reason)
        .with("Location", format!("{}{}?{query}", viewer.origin, config.refresh_path))
        .with_cookies([marker(viewer, "tried", MARKER_LIVES)])
        .decide(config)
}

/// The refresh path itself.
pub(crate) fn begin(auth: &Authenticator, enhanced: &Enhanced, request: &Request<'_>) -> Step {
    let viewer = Viewer::of(auth, request);
    if viewer.audience == Audience::Program {
        return renewal_request::begin(auth, enhanced, request);
    }
    let back = match Query::parse(request.query).param("requestedUri") {
        Param::One(path) => rooted(Some(path)),
        Param::Absent | Param::Many(_) => rooted(None),
    };
    let location = viewer.address(&back);
    let cookies = Cookies::new(request.cookies);
    let was_sent = cookies.get_non_empty(REFRESH_MARKER).is_some();
    if !was_sent && !same_site::is_own(request, &enhanced.cors) {
        return lead_back(auth, &location, Vec::new(), Reason::CrossSite);
    }
    let Some(kept) = kept(auth, enhanced, &viewer) else {
        let tried = marker(&viewer, "tried", MARKER_LIVES);
        return lead_back(auth, &location, vec![tried], Reason::RefreshTokenMissing);
    };
    renewal::renew_then(
        auth,
        kept,
        // No use of the session: whether it has lain idle is judged where the viewer goes back to.
        Pace::Asked,
        viewer,
        move |auth, viewer, renewed, now, rng| {
            match renewed {
                // The marker stays until it is over: a browser that did not take these cookies is not sent here again.
                Renewed::Good { cookies, .. } => lead_back(auth, &location, cookies, Reason::Refreshed),
                Renewed::Over { reason, cookies } => lead_back(auth, &location, cookies, reason),
                Renewed::Impossible(Reason::GroupRequired) => turn_away(auth, &viewer, Reason::GroupRequired, now, rng),
                Renewed::Impossible(reason) => lead_back(auth, &location, Vec::new(), reason),
                // Whoever comes back later has not had their try.
                Renewed::Unknown(reason) => setting(unavailable(auth, &viewer, reason), vec![marker(&viewer, "", 0)]),
            }
        },
    )
}

fn lead_back(auth: &Authenticator, location: &str, cookies: Vec<String>, reason: Reason) -> Step {
    Answer::new(307, reason)
        .with("Location", location)
        .with_cookies(cookies)
        .decide(auth.config())
}

fn marker(viewer: &Viewer, value: &str, age_secs: u32) -> String {
    let secure = if viewer.origin.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{REFRESH_MARKER}={value}; Path=/; Max-Age={age_secs}{secure}; HttpOnly; SameSite=Lax")
}
