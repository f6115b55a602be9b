//! What a viewer wants a session for, and what they get once they have a good one.

use std::sync::Arc;

use super::{
    answer::{Answer, setting},
    check::forbid,
    in_use::{self, Noted},
    lifetime::{Judged, Lifetime},
    renewal,
    renewing::over,
    rules::Requirement,
    session::{Order, Session},
    session_info,
    viewer::Viewer,
    writer::SessionWriter,
};
use crate::{
    Access, Decision, Entropy, Forward, ForwardCookies, Reason, Step, UnixTime, VerifiedIdToken,
    authenticator::Authenticator,
};

/// What a viewer wants.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// To pass, if this rule admits them.
    Pass(Arc<Requirement>),
    /// To read about their session.
    Read,
    /// To have it renewed.
    Renew,
}

impl Goal {
    pub(crate) const fn is_renewal(&self) -> bool {
        matches!(self, Self::Renew)
    }

    /// What a good session gives. The rules are asked about the token as it is now (T-AUTHZ-2).
    pub(crate) fn reach(
        &self,
        auth: &Authenticator,
        session: Session,
        cookies: Vec<String>,
        viewer: Viewer,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Step {
        let lifetime = enhanced_lifetime(auth);
        let judged = lifetime.map_or(Judged::Good, |lifetime| {
            lifetime.of_viewer(auth, &session, &viewer, now)
        });
        match (judged, lifetime, self) {
            (Judged::Over(reason), ..) => return end(auth, self, &viewer, reason, now, rng),
            (Judged::Unnoted, Some(lifetime), Self::Pass(rule)) => {
                return admit_noting(auth, (rule, lifetime), session, cookies, viewer, now, rng);
            }
            _ => {}
        }
        match self {
            Self::Pass(rule) => admit(auth, rule, session, cookies, || viewer, now, rng),
            Self::Read => setting(session_info::describe(auth, &session, &viewer), cookies),
            Self::Renew => {
                let answer = viewer.cors.allow(Answer::new(204, Reason::Refreshed));
                answer.with_cookies(cookies).decide(auth.config())
            }
        }
    }
}

fn enhanced_lifetime(auth: &Authenticator) -> Option<&Lifetime> {
    auth.config().enhanced.as_deref()?.lifetime.as_ref()
}

/// A session that has come to the end of its time, whatever its tokens say.
pub(crate) fn end(
    auth: &Authenticator,
    goal: &Goal,
    viewer: &Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let mut cookies = renewal::ended(auth, viewer);
    cookies.push(Lifetime::forget(viewer));
    over(auth, goal, viewer, reason, cookies, now, rng)
}

/// A good session passes, if the rule admits it.
pub(crate) fn admit(
    auth: &Authenticator,
    rule: &Requirement,
    session: Session,
    cookies: Vec<String>,
    viewer: impl FnOnce() -> Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match rule.admits(&session.token) {
        Ok(()) => pass(auth, session, cookies, viewer, now, rng),
        // Cookies that have been renewed are kept all the same: the refresh token of before may be used up.
        Err(reason) => setting(forbid(auth, &viewer(), reason), cookies),
    }
}

/// The same for a session whose use is to be written down.
pub(crate) fn admit_noting(
    auth: &Authenticator,
    (rule, lifetime): (&Requirement, &Lifetime),
    session: Session,
    mut cookies: Vec<String>,
    viewer: Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    if rule.admits(&session.token).is_ok() {
        match in_use::note(auth, lifetime, &session, &viewer, now, rng) {
            Noted::Along(noted) => cookies.extend(noted),
            Noted::Round(step) => return setting(step, cookies),
        }
    }
    admit(auth, rule, session, cookies, || viewer, now, rng)
}

/// The request goes on; cookies that are new, and what puts those in order that are not, ride on its response.
pub(crate) fn pass(
    auth: &Authenticator,
    session: Session,
    mut cookies: Vec<String>,
    viewer: impl FnOnce() -> Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match session.order {
        Order::Tidy => {}
        Order::Cluttered | Order::Unsealed => cookies.extend(tidy(auth, &session, viewer, now, rng)),
    }
    Step::Decided(Decision::Forward(Forward {
        access: Access::Session(VerifiedIdToken(session.token)),
        response_cookies: cookies,
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
