//! What becomes of a request whose session is renewed on its way.

use std::sync::Arc;

use super::{
    answer::setting,
    api,
    audience::Audience,
    check::turn_away,
    goal::{Goal, admit},
    pages::{Explanation, Shown, show},
    renewal::{self, Renewed},
    rules::Requirement,
    session::{Kept, Session},
    viewer::Viewer,
};
use crate::{Entropy, Reason, Step, UnixTime, authenticator::Authenticator, page::PageKind, token_endpoint::Pace};

/// A good session near its end is renewed on the way. If that fails, it is good all the same.
pub(crate) fn renew_ahead(
    auth: &Authenticator,
    rule: &Arc<Requirement>,
    session: Session,
    viewer: Viewer,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let Some(kept) = renewal::at_hand(auth, &viewer) else {
        return admit(auth, rule, session, Vec::new(), || viewer, now, rng);
    };
    let rule = Arc::clone(rule);
    renewal::renew_then(
        auth,
        kept,
        Pace::Ahead,
        viewer,
        move |auth, viewer, renewed, now, rng| match renewed {
            Renewed::Good { token, cookies } => {
                admit(auth, &rule, Session::renewed(token), cookies, || viewer, now, rng)
            }
            _ => admit(auth, &rule, session, Vec::new(), || viewer, now, rng),
        },
    )
}

/// Someone without a good session gets one from the provider on the way, if that can be done.
pub(crate) fn renew_or_turn_away(
    auth: &Authenticator,
    goal: Goal,
    viewer: Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let kept = Some(reason).filter(|reason| *reason != Reason::GroupRequired);
    match kept.and_then(|_| renewal::at_hand(auth, &viewer)) {
        Some(kept) => renew(auth, goal, kept, viewer),
        None => turn_away(auth, &viewer, reason, now, rng),
    }
}

/// Renews a session that is needed, and goes on with what came of it.
pub(crate) fn renew(auth: &Authenticator, goal: Goal, kept: Kept, viewer: Viewer) -> Step {
    let pace = match goal {
        Goal::Pass(_) => Pace::Needed,
        Goal::Read | Goal::Renew => Pace::Asked,
    };
    renewal::renew_then(
        auth,
        kept,
        pace,
        viewer,
        move |auth, viewer, renewed, now, rng| match renewed {
            Renewed::Good { token, cookies } => goal.reach(auth, Session::renewed(token), cookies, viewer, now, rng),
            Renewed::Over { reason, cookies } => over(auth, &goal, &viewer, reason, cookies, now, rng),
            Renewed::Impossible(reason) => turn_away(auth, &viewer, reason, now, rng),
            Renewed::Unknown(reason) => match renewal::just_expired(auth, &viewer, now) {
                Some(token) if !goal.is_renewal() => {
                    goal.reach(auth, Session::kept(token), Vec::new(), viewer, now, rng)
                }
                _ => unavailable(auth, &viewer, reason),
            },
        },
    )
}

/// The session is over: its cookies go, and the viewer is told or sent to sign in. A program's cookies stay, which
/// may be those of a session that has begun since in another tab, unless it asked about just them.
pub(crate) fn over(
    auth: &Authenticator,
    goal: &Goal,
    viewer: &Viewer,
    reason: Reason,
    cookies: Vec<String>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let step = turn_away(auth, viewer, reason, now, rng);
    if viewer.audience == Audience::Program && !goal.is_renewal() {
        return step;
    }
    setting(step, cookies)
}

/// The provider cannot be asked whether the session goes on. It is not ended for that.
pub(crate) fn unavailable(auth: &Authenticator, viewer: &Viewer, reason: Reason) -> Step {
    let answer = match viewer.audience {
        Audience::Program => api::failure(503, "temporarily_unavailable", viewer, reason),
        Audience::Person => {
            let shown = Shown {
                kind: PageKind::ProviderIssue,
                reason,
                details: Some(&Explanation::NotRenewed),
                link: &viewer.address(&viewer.requested_uri),
                who: None,
            };
            show(auth, viewer, 503, shown)
        }
    };
    answer.with("Retry-After", RETRY_AFTER_SECS).decide(auth.config())
}

/// Longer than a failure is handed to others, so that who comes back then is a new question.
const RETRY_AFTER_SECS: &str = "5";
