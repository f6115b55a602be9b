//! Renewing a session in place: with the refresh token at hand (RFC 6749, section 6), before the request goes on.
//!
//! A renewed id token is verified like any other and must be about the same subject (OpenID Connect Core, section
//! 12.2; T-JWT-6). A refused refresh token ends the session once. Trouble at the provider ends nothing: nobody is
//! signed out because it hiccuped.

mod prolonged;
mod settings;

use std::sync::Arc;

pub(crate) use self::settings::RenewalSettings;
use super::{
    session::{Kept, good_at, kept},
    viewer::Viewer,
    writer::{NewSession, SessionWriter},
};
use crate::{
    CallError, Entropy, ForwardCookies, HttpReply, Reason, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    json::Json,
    jwt::IdToken,
    token_endpoint::{self, Pace, TokenError},
    verification::{Verification, verify_then},
};

/// What came of a renewal.
pub(crate) enum Renewed {
    /// A new token that has been verified, and the cookies that hold it.
    Good { token: Arc<IdToken>, cookies: Vec<String> },
    /// The session is over. The cookies are those of it, expired.
    Over { reason: Reason, cookies: Vec<String> },
    /// Not to be had, and another sign-in may help.
    Impossible(Reason),
    /// Nobody can tell at the moment.
    Unknown(Reason),
}

/// Whether sessions are renewed by this profile, and not as in the reference.
pub(crate) fn is_on(auth: &Authenticator) -> bool {
    auth.config()
        .enhanced
        .as_ref()
        .is_some_and(|enhanced| enhanced.renewal.in_place)
}

/// What the viewer's session can be renewed with while the request waits, whatever state the rest of it is in.
pub(crate) fn at_hand(auth: &Authenticator, viewer: &Viewer) -> Option<Kept> {
    let enhanced = auth.config().enhanced.as_deref()?;
    let is_possible = enhanced.renewal.in_place && auth.capabilities().forward_cookies == ForwardCookies::Possible;
    if is_possible {
        kept(auth, enhanced, viewer)
    } else {
        None
    }
}

/// Asks the token endpoint, verifies what it says, and goes on with what came of it.
pub(crate) fn renew_then(
    auth: &Authenticator,
    kept: Kept,
    pace: Pace,
    viewer: Viewer,
    then: impl FnOnce(&Authenticator, Viewer, Renewed, UnixTime, &mut dyn Entropy) -> Step + Send + 'static,
) -> Step {
    let call = token_endpoint::renew(auth.config(), kept.refresh_token.expose(), pace);
    let resume =
        move |auth: &Authenticator, outcome: Result<HttpReply, CallError>, now, rng: &mut dyn Entropy| match read(
            &outcome,
        ) {
            Ok(reply) => {
                let id = reply.member("id_token").and_then(Json::as_str).map(str::to_owned);
                let given = id.is_none().then(|| prolonged::session(auth, &kept, &reply, now));
                let settle = move |auth: &Authenticator, verification, now, rng: &mut dyn Entropy| {
                    let renewed = settle(auth, &viewer, (kept, pace), verification, &reply, now, rng);
                    then(auth, viewer, renewed, now, rng)
                };
                let id = id.unwrap_or_default();
                match given {
                    Some(known) => settle(auth, known, now, rng),
                    None => verify_then(auth, &id, now, rng, settle),
                }
            }
            Err(Failure::Refused) => {
                let cookies = ended(auth, &viewer);
                let reason = Reason::RefreshTokenRejected;
                then(auth, viewer, Renewed::Over { reason, cookies }, now, rng)
            }
            Err(Failure::Impossible) => then(
                auth,
                viewer,
                Renewed::Impossible(Reason::SessionNotRefreshable),
                now,
                rng,
            ),
            Err(Failure::Trouble(reason)) => then(auth, viewer, Renewed::Unknown(reason), now, rng),
        };
    Step::Call(PendingCall::new(auth, call, resume))
}

/// Why there is no reply with an id token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The grant is no longer good.
    Refused,
    /// The client may not refresh, or not like this; no fault of the session's.
    Impossible,
    /// Anything that may pass.
    Trouble(Reason),
}

fn read(outcome: &Result<HttpReply, CallError>) -> Result<Json, Failure> {
    token_endpoint::judge(outcome).map_err(|error| Failure::of(&error))
}

impl Failure {
    /// By the error codes of RFC 6749, section 5.2. An unknown client is the operator's fault, and a sign-in would
    /// fail by it as well: nobody is sent there.
    fn of(error: &TokenError) -> Self {
        match error {
            TokenError::Refused {
                status: 400..=499,
                error: Some(code),
            } => match code.as_str() {
                "invalid_grant" => Self::Refused,
                "unauthorized_client" | "unsupported_grant_type" | "invalid_request" | "invalid_scope" => {
                    Self::Impossible
                }
                // Its holder is to be seen again (OpenID Connect Core, section 3.1.2.6).
                "interaction_required" | "login_required" | "consent_required" => Self::Impossible,
                _ => Self::Trouble(Reason::TokenEndpoint),
            },
            _ => Self::Trouble(Reason::TokenEndpoint),
        }
    }
}

fn settle(
    auth: &Authenticator,
    viewer: &Viewer,
    (kept, pace): (Kept, Pace),
    verification: Verification,
    reply: &Json,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Renewed {
    let token = match verification {
        Ok(token) => token,
        // The token is good, and says that its holder is not among those who may pass.
        Err(reason @ (Reason::GroupRequired | Reason::SessionNotRefreshable)) => return Renewed::Impossible(reason),
        Err(_) => return Renewed::Unknown(Reason::TokenReply),
    };
    let is_of_another = |subject| token.text("sub") != Some(subject);
    if kept.subject.as_deref().is_some_and(is_of_another) {
        return Renewed::Over {
            reason: Reason::TokenSubject,
            cookies: ended(auth, viewer),
        };
    }
    let cookies = written(auth, viewer, (kept, pace), &token, reply, now, rng);
    Renewed::Good { token, cookies }
}

/// The cookies that hold a renewed session.
fn written(
    auth: &Authenticator,
    viewer: &Viewer,
    (kept, pace): (Kept, Pace),
    token: &Arc<IdToken>,
    reply: &Json,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Vec<String> {
    let Some(enhanced) = auth.config().enhanced.as_deref() else {
        return Vec::new();
    };
    let mut session = NewSession::of_reply(Arc::clone(token), reply, now);
    if !enhanced.renewal.rotates || session.refresh.is_none() {
        session.refresh = Some(kept.refresh_token.expose().clone());
    }
    if let Some(times) = kept.times {
        session.times.created = times.created;
        if pace == Pace::Asked {
            session.times.seen = times.seen;
        }
    }
    SessionWriter::new(auth, enhanced, viewer).renew(&session, rng)
}

/// The cookies of the viewer's session, expired.
pub(crate) fn ended(auth: &Authenticator, viewer: &Viewer) -> Vec<String> {
    let enhanced = auth.config().enhanced.as_deref();
    enhanced.map_or_else(Vec::new, |enhanced| SessionWriter::new(auth, enhanced, viewer).forget())
}

/// The viewer's session, if it has only just expired: good enough while nobody can be asked for another.
pub(crate) fn just_expired(auth: &Authenticator, viewer: &Viewer, now: UnixTime) -> Option<Arc<IdToken>> {
    let enhanced = auth.config().enhanced.as_deref()?;
    let grace = enhanced.renewal.grace;
    if grace.is_zero() {
        return None;
    }
    good_at(auth, enhanced, viewer, now.before(grace))
}
