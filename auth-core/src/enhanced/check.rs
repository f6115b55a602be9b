//! Protected paths: what the rules ask for, what the viewer brings, and what follows.

use super::{
    Enhanced,
    answer::Answer,
    audience::Audience,
    rules::{Demand, Rule},
    session::{Found, Session, find},
    start_sign_in::start,
    viewer::Viewer,
};
use crate::{
    Access, Decision, Entropy, Forward, Reason, Request, Step, UnixTime, VerifiedIdToken,
    authenticator::Authenticator,
    endpoints::check as reference,
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
        Demand::Nobody => return forbid(auth, &Viewer::of(request), Reason::GroupRequired),
    };
    match find(auth, request, now) {
        Found::Valid(session) => admit(auth, rule, session, || Viewer::of(request)),
        Found::Nothing(reason) => turn_away(auth, &Viewer::of(request), reason, now, rng),
        Found::KeysDue { token, key_id } => {
            let (viewer, rule) = (Viewer::of(request), rule.clone());
            fetch_keys_then(
                auth,
                &token,
                key_id,
                move |auth, verification, now, rng| match verification {
                    Ok(token) => admit(auth, &rule, Session::verified(token), || viewer),
                    Err(reason) => turn_away(auth, &viewer, reason, now, rng),
                },
            )
        }
    }
}

/// A good session passes, if the rule admits it.
fn admit(auth: &Authenticator, rule: &Rule, session: Session, viewer: impl FnOnce() -> Viewer) -> Step {
    if !rule.admits(&session.token) {
        return forbid(auth, &viewer(), Reason::GroupRequired);
    }
    Step::Decided(Decision::Forward(Forward {
        access: Access::Session(VerifiedIdToken(session.token)),
        response_cookies: Vec::new(),
        reason: session.reason,
    }))
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

/// Never a redirect: whoever may not see it may not see it after another sign-in either.
fn forbid(auth: &Authenticator, viewer: &Viewer, reason: Reason) -> Step {
    let config = auth.config();
    Answer::page(
        403,
        &Page {
            kind: PageKind::NotAuthorized,
            reason,
            details: "Your account is not among those that this content is meant for.",
            link: &format!("{}{}", viewer.origin, config.sign_out_path),
        },
    )
    .decide(config)
}
