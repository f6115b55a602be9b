//! Protected paths: what the rules ask for, what the viewer brings, and what follows.

use std::sync::Arc;

use super::{
    Enhanced,
    answer::Answer,
    audience::Audience,
    rules::{Demand, Requirement},
    session::{Found, Order, Session, find},
    start_sign_in::start,
    viewer::Viewer,
    writer::SessionWriter,
};
use crate::{
    Access, Config, Decision, Entropy, Forward, ForwardCookies, Reason, Request, Step, UnixTime, VerifiedIdToken,
    authenticator::Authenticator,
    cookie_names::Token,
    endpoints::check as reference,
    jwt::UnverifiedIdToken,
    page::{Page, PageKind},
    verification::fetch_keys_then,
};

pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let rule = match enhanced.rules.demand(request) {
        Demand::Session(rule) => rule,
        Demand::Anyone => return admit_anyone(auth, enhanced, request, now, rng),
        Demand::Nobody(reason) => return forbid(auth, &Viewer::of(request), reason),
    };
    match find(auth, enhanced, request, now) {
        Found::Valid(session) => admit(auth, rule, session, || Viewer::of(request), now, rng),
        Found::Nothing(reason) => turn_away(auth, &Viewer::of(request), reason, now, rng),
        Found::KeysDue { token, key_id } => {
            let (viewer, rule) = (Viewer::of(request), Arc::clone(rule));
            fetch_keys_then(
                auth,
                &token,
                key_id,
                move |auth, verification, now, rng| match verification {
                    Ok(token) => admit(auth, &rule, Session::verified(token), || viewer, now, rng),
                    Err(reason) => turn_away(auth, &viewer, reason, now, rng),
                },
            )
        }
    }
}

/// A public path: everybody passes. A good session passes as what it is, and whatever else is in the cookies costs
/// neither a redirect nor a call.
fn admit_anyone(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match find(auth, enhanced, request, now) {
        Found::Valid(session) => pass(auth, session, || Viewer::of(request), now, rng),
        Found::Nothing(_) | Found::KeysDue { .. } => Step::Decided(Decision::Forward(Forward {
            access: Access::Public,
            response_cookies: Vec::new(),
            reason: Reason::Public,
        })),
    }
}

/// A good session passes, if the rule admits it.
fn admit(
    auth: &Authenticator,
    rule: &Requirement,
    session: Session,
    viewer: impl FnOnce() -> Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match rule.admits(&session.token) {
        Ok(()) => pass(auth, session, viewer, now, rng),
        Err(reason) => forbid(auth, &viewer(), reason),
    }
}

/// The request goes on; what is not in order among the viewer's cookies is put so by its answer.
fn pass(
    auth: &Authenticator,
    session: Session,
    viewer: impl FnOnce() -> Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let response_cookies = match session.order {
        Order::Tidy => Vec::new(),
        Order::Cluttered | Order::Unsealed => tidy(auth, &session, viewer, now, rng),
    };
    Step::Decided(Decision::Forward(Forward {
        access: Access::Session(VerifiedIdToken(session.token)),
        response_cookies,
        reason: session.reason,
    }))
}

/// What brings the viewer's cookies into order, where an answer to a forwarded request can carry that.
fn tidy(
    auth: &Authenticator,
    session: &Session,
    viewer: impl FnOnce() -> Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Vec<String> {
    match (auth.capabilities().forward_cookies, auth.config().enhanced.as_deref()) {
        (ForwardCookies::Possible, Some(enhanced)) => {
            SessionWriter::new(auth, enhanced, &viewer()).tidy(session, now, rng)
        }
        _ => Vec::new(),
    }
}

/// Someone without a good session is sent to get one, if that is what they can do.
fn turn_away(auth: &Authenticator, viewer: &Viewer, reason: Reason, now: UnixTime, rng: &mut dyn Entropy) -> Step {
    match (reason, viewer.audience) {
        (Reason::GroupRequired, _) => forbid(auth, viewer, reason),
        (_, Audience::Program) => Answer::new(401, reason)
            .with("WWW-Authenticate", "Bearer")
            .decide(auth.config()),
        (Reason::SessionExpired, Audience::Person) if !viewer.refresh_failed() => {
            reference::send_away(auth.config(), &viewer.as_reference(), reason, now, rng)
        }
        (_, Audience::Person) => start(auth, viewer, reason, now, rng),
    }
}

/// Never a redirect: whoever may not see it may not see it after another sign-in either. Nothing in it tells whether
/// there is anything to see (T-LEAK-4).
pub(crate) fn forbid(auth: &Authenticator, viewer: &Viewer, reason: Reason) -> Step {
    let config = auth.config();
    let status = match reason {
        Reason::PathAmbiguous => 400,
        _ => 403,
    };
    if viewer.audience == Audience::Program {
        return Answer::new(status, reason).decide(config);
    }
    let (kind, details) = match reason {
        Reason::PathAmbiguous => (PageKind::UnclearAddress, UNCLEAR.to_owned()),
        Reason::RuleDenied | Reason::NoRule => (PageKind::NotAvailable, CLOSED.to_owned()),
        _ => (PageKind::NotAuthorized, who_is_not_among_them(config, viewer)),
    };
    let path = match kind {
        PageKind::NotAuthorized => &config.sign_out_path,
        _ => "/",
    };
    Answer::page(
        status,
        &Page {
            kind,
            reason,
            details: &details,
            link: &format!("{}{path}", viewer.origin),
        },
    )
    .decide(config)
}

const UNCLEAR: &str = "The path of this address can be read in more than one way, and it depends on the way whether \
    you may see what is there.";
const CLOSED: &str = "No rule of this site lets anybody see this address.";

/// Names the account, so that its holder sees that it is another than was meant. The token's signature was right;
/// the name is only shown.
fn who_is_not_among_them(config: &Config, viewer: &Viewer) -> String {
    let name = viewer.with_cookies(|cookies| {
        let token = config.cookie_scheme.token(Token::Id, cookies)?;
        let token = UnverifiedIdToken::decode(&token)?;
        let name = ["email", "cognito:username", "sub"]
            .iter()
            .find_map(|name| token.claim(name)?.as_str());
        name.map(str::to_owned)
    });
    let who = name
        .map(|name| format!("You are signed in as {name}. "))
        .unwrap_or_default();
    format!("{who}Your account is not among those that this content is meant for.")
}
