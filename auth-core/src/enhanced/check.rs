//! Protected paths: what the rules ask for, what the viewer brings, and what follows.

use std::sync::Arc;

use super::{
    Enhanced, api,
    audience::Audience,
    bearer::{self, Bearer},
    detour,
    goal::{Goal, admit, admit_noting, end, pass},
    lifetime::Judged,
    own_cookies::first_token,
    pages::{Explanation, Shown, show},
    renewal,
    renewing::{renew_ahead, renew_or_turn_away},
    rules::{Demand, Requirement},
    same_site,
    session::{Found, Session, find},
    sign_out,
    start_sign_in::start,
    viewer::Viewer,
};
use crate::{
    Access, Config, Decision, Entropy, Forward, Reason, Request, Step, UnixTime,
    authenticator::Authenticator,
    cookie_names::Token,
    endpoints::check as reference,
    jwt::{ClaimsSet, UnverifiedIdToken},
    page::PageKind,
    verification::fetch_keys_then,
};

pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    if same_site::is_foreign_upgrade(auth, enhanced, request) {
        return forbid(auth, &Viewer::of(auth, request), Reason::CrossSite);
    }
    let demand = enhanced.rules.demand(request);
    if enhanced.bearer.is_some()
        && let Some(presented) = Bearer::presented(request)
    {
        return bearer::begin(auth, demand, request, presented, now);
    }
    let rule = match demand {
        Demand::Session(rule) => rule,
        Demand::Anyone => return admit_anyone(auth, enhanced, request, now, rng),
        Demand::Nobody(reason) => return forbid(auth, &Viewer::of(auth, request), reason),
    };
    match find(auth, enhanced, request, now) {
        Found::Valid(session) if enhanced.lifetime.is_none() && !enhanced.renewal.is_due(&session.token, now) => {
            admit(auth, rule, session, Vec::new(), || Viewer::of(auth, request), now, rng)
        }
        Found::Valid(session) => look_closer(auth, enhanced, rule, session, request, now, rng),
        found => {
            let viewer = Viewer::of(auth, request);
            seek(auth, Goal::Pass(Arc::clone(rule)), found, viewer, now, rng)
        }
    }
}

/// A good session that may have come to the end of its time, or near the end of its token's.
fn look_closer(
    auth: &Authenticator,
    enhanced: &Enhanced,
    rule: &Arc<Requirement>,
    session: Session,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let viewer = || Viewer::of(auth, request);
    let lifetime = enhanced.lifetime.as_ref();
    let judged = lifetime.map_or(Judged::Good, |lifetime| {
        lifetime.of_request(auth, &session, request, now)
    });
    match (judged, lifetime) {
        (Judged::Over(reason), _) => end(auth, &Goal::Pass(Arc::clone(rule)), &viewer(), reason, now, rng),
        _ if enhanced.renewal.is_due(&session.token, now) => renew_ahead(auth, rule, session, viewer(), now, rng),
        (Judged::Unnoted, Some(lifetime)) => {
            let viewer = viewer();
            admit_noting(auth, (rule, lifetime), session, Vec::new(), viewer, now, rng)
        }
        _ => admit(auth, rule, session, Vec::new(), viewer, now, rng),
    }
}

/// Goes on with what the request brings, a good session or not.
pub(crate) fn seek(
    auth: &Authenticator,
    goal: Goal,
    found: Found,
    viewer: Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match found {
        Found::Valid(session) => goal.reach(auth, session, Vec::new(), viewer, now, rng),
        Found::Nothing(reason) => renew_or_turn_away(auth, goal, viewer, reason, now, rng),
        Found::KeysDue { token, key_id } => fetch_keys_then(
            auth,
            &token,
            key_id,
            move |auth, verification, now, rng| match verification {
                Ok(token) => goal.reach(auth, Session::verified(token), Vec::new(), viewer, now, rng),
                Err(reason) => renew_or_turn_away(auth, goal, viewer, reason, now, rng),
            },
        ),
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
        Found::Valid(session) if !is_over(auth, enhanced, &session, request, now) => {
            pass(auth, session, Vec::new(), || Viewer::of(auth, request), now, rng)
        }
        Found::Valid(_) | Found::Nothing(_) | Found::KeysDue { .. } => Step::Decided(Decision::Forward(Forward {
            access: Access::Public,
            response_cookies: Vec::new(),
            reason: Reason::Public,
        })),
    }
}

fn is_over(auth: &Authenticator, enhanced: &Enhanced, session: &Session, request: &Request<'_>, now: UnixTime) -> bool {
    let judged = enhanced
        .lifetime
        .as_ref()
        .map(|lifetime| lifetime.of_request(auth, session, request, now));
    matches!(judged, Some(Judged::Over(_)))
}

/// Someone without a good session is sent to get one, if that is what they can do.
pub(crate) fn turn_away(
    auth: &Authenticator,
    viewer: &Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let config = auth.config();
    if let Some(leave) = viewer.cors.preflight() {
        return leave.decide(config);
    }
    if let Some(landing) = sign_out::landing(auth, viewer) {
        return landing;
    }
    match (reason, viewer.audience) {
        (Reason::GroupRequired, _) => forbid(auth, viewer, reason),
        (_, Audience::Program) => api::unauthorized(config, viewer, reason).decide(config),
        (_, Audience::Person) if detour::may_help(auth, viewer, reason) => detour::send(auth, viewer, reason),
        (Reason::SessionExpired, Audience::Person) if !renewal::is_on(auth) && !viewer.refresh_failed() => {
            reference::send_away(config, &viewer.as_reference(), reason, now, rng)
        }
        // Whatever could renew it has been asked, or is not there.
        (Reason::SessionExpired, Audience::Person) => start(auth, viewer, Reason::SessionNotRefreshable, now, rng),
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
        return api::refused(status, viewer, reason).decide(config);
    }
    let (kind, details) = match reason {
        Reason::PathAmbiguous => (PageKind::UnclearAddress, Explanation::Unclear),
        Reason::RuleDenied | Reason::NoRule => (PageKind::NotAvailable, Explanation::Closed),
        _ => (PageKind::NotAuthorized, Explanation::NotAmongThem),
    };
    let (path, who) = match kind {
        PageKind::NotAuthorized => (config.sign_out_path.as_str(), signed_in_as(config, viewer)),
        _ => ("/", None),
    };
    let shown = Shown {
        kind,
        reason,
        details: Some(&details),
        link: &viewer.address(path),
        who: who.as_deref(),
    };
    show(auth, viewer, status, shown).decide(config)
}

/// Names the account, so that its holder sees that it is another than was meant. The token's signature was right;
/// the name is only shown.
fn signed_in_as(config: &Config, viewer: &Viewer) -> Option<String> {
    viewer.with_cookies(|cookies| {
        let token = first_token(config, cookies, Token::Id)?;
        let claims = ClaimsSet::of(&UnverifiedIdToken::decode(&token)?.into_claims()?)?;
        let text = |name: &str| claims.text_of(name);
        let username = || config.requirements.dialect.username(&claims);
        let named = text("email").or_else(username).or_else(|| text("sub"));
        named.map(str::to_owned)
    })
}
