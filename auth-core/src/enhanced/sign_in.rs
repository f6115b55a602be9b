//! The callback: redeems the code for the one sign-in that this browser began with that state.
//!
//! Nothing is asked of the token endpoint, and no cookie set, for a callback whose state no sealed attempt of this
//! browser proves. What is known of a sign-in that got lost is kept while it is begun anew, once.

use super::{
    Enhanced,
    answer::Answer,
    attempt::{Attempt, AttemptState, Attempts, Lost},
    hops::Hops,
    pages::Explanation,
    session::{Found, find},
    start_sign_in::start_anew,
    trouble::Trouble,
    viewer::Viewer,
    writer::{NewSession, SessionWriter},
};
use crate::{
    CallError, Entropy, HttpReply, Reason, Request, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    cookie_names::NONCE,
    cookies::Cookies,
    endpoints::sign_in as reference,
    hmac::bytes_equal,
    js::query::{Param, Query},
    json::Json,
    jwt::IdToken,
    state::State,
    token_endpoint,
    verification::{Verification, verify_then},
};

/// Where a sign-in begins anew of which nothing is known.
const UNKNOWN: (&str, u8) = ("/", 0);

/// A sign-in of this browser, on its way from code to cookies.
struct SigningIn {
    attempt: Attempt,
    viewer: Viewer,
    /// Whether the browser has a good session already, perhaps from another tab.
    has_session: bool,
}

pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let Some(attempts) = &enhanced.attempts else {
        return reference::begin(auth, request, now);
    };
    let viewer = Viewer::of(auth, request);
    let query = Query::parse(request.query);
    if ["code", "state", "error"].iter().any(|name| is_repeated(&query, name)) {
        let trouble = Trouble::new(Reason::CallbackInvalid, Explanation::RepeatedPart);
        return trouble.respond(auth, &viewer, "/");
    }
    let Some(state) = query.param("state").single() else {
        return without_state(auth, &viewer, &query, now, rng);
    };
    let has_session = matches!(find(auth, enhanced, request, now), Found::Valid(_));
    let Some(state) = AttemptState::parse(state) else {
        return foreign_state(auth, request, &viewer, state, has_session, now, rng);
    };
    match attempts.find(&viewer.host, Cookies::new(request.cookies), &state, now) {
        Ok(attempt) => {
            let signing_in = SigningIn {
                attempt,
                viewer,
                has_session,
            };
            signing_in.proceed(auth, &query)
        }
        Err(lost) => lost_attempt(auth, &viewer, &state, &lost, has_session, now, rng),
    }
}

fn is_repeated(query: &Query<'_>, name: &str) -> bool {
    matches!(query.param(name), Param::Many(_))
}

/// Begun at the provider, as some portals do: a sign-in of our own follows, for a code without a state proves nothing.
fn without_state(
    auth: &Authenticator,
    viewer: &Viewer,
    query: &Query<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let trouble = Trouble::new(Reason::StateMissing, Explanation::NoState);
    if query.param("code").single().is_some() {
        start_anew(auth, viewer, UNKNOWN, trouble, now, rng)
    } else {
        trouble.respond(auth, viewer, "/")
    }
}

/// While a site is being upgraded, sign-ins come back that the reference profile began.
fn foreign_state(
    auth: &Authenticator,
    request: &Request<'_>,
    viewer: &Viewer,
    state: &str,
    has_session: bool,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    // The reference never begins one at another provider than Cognito.
    let known = Some(state).filter(|_| !auth.config().requirements.dialect.is_generic());
    let Some(state) = known.and_then(State::open) else {
        let trouble = Trouble::new(Reason::StateInvalid, Explanation::ForeignState);
        return trouble.respond(auth, viewer, "/");
    };
    let nonce = Cookies::new(request.cookies).get_non_empty(NONCE);
    if nonce.is_some_and(|nonce| state.nonce.as_deref() == Some(&nonce)) {
        return reference::begin(auth, request, now);
    }
    if has_session {
        return go_on(auth, viewer, &state.requested_path);
    }
    start_anew(auth, viewer, (&state.requested_path, 0), cookies_missing(), now, rng)
}

/// The sign-in's cookie is gone. Who has a session meanwhile just goes on; anyone else begins anew.
fn lost_attempt(
    auth: &Authenticator,
    viewer: &Viewer,
    state: &AttemptState,
    lost: &Lost,
    has_session: bool,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let (return_to, trouble) = match lost {
        Lost::Missing => ("/", cookies_missing()),
        Lost::Replaced => ("/", Trouble::new(Reason::AttemptReplaced, Explanation::TooManySignIns)),
        Lost::Expired(return_to) => (
            return_to.as_str(),
            Trouble::new(Reason::AttemptExpired, Explanation::TooLate),
        ),
    };
    if has_session {
        return go_on(auth, viewer, return_to);
    }
    start_anew(auth, viewer, (return_to, state.generation), trouble, now, rng)
}

fn cookies_missing() -> Trouble {
    Trouble::new(Reason::AttemptMissing, Explanation::CookieMissing)
}

/// To the page that was asked for, without a trace of the callback's address.
fn go_on(auth: &Authenticator, viewer: &Viewer, return_to: &str) -> Step {
    clean_redirect(viewer, return_to, Reason::SessionKept).decide(auth.config())
}

fn clean_redirect(viewer: &Viewer, return_to: &str, reason: Reason) -> Answer {
    Answer::new(viewer.redirect_status, reason)
        .with("Location", viewer.address(return_to))
        .with("Referrer-Policy", "no-referrer")
}

impl SigningIn {
    fn proceed(self, auth: &Authenticator, query: &Query<'_>) -> Step {
        if is_of_another_issuer(auth, query) {
            let trouble = Trouble::new(Reason::CallbackInvalid, Explanation::OtherProvider);
            return self.fail(auth, trouble);
        }
        if let Some(error) = query.param("error").single() {
            let description = query.param("error_description");
            return self.fail(auth, Trouble::reported(error, description.single()));
        }
        let Some(code) = query.param("code").single() else {
            let trouble = Trouble::new(Reason::CallbackInvalid, Explanation::NoCode);
            return self.fail(auth, trouble);
        };
        let config = auth.config();
        let redirect_uri = format!("{}{}", self.viewer.origin, config.sign_in_path);
        let call = token_endpoint::exchange_code(config, &redirect_uri, code, &self.attempt.verifier());
        Step::Call(PendingCall::new(auth, call, move |auth, outcome, now, rng| {
            self.redeemed(auth, &outcome, now, rng)
        }))
    }

    fn redeemed(
        self,
        auth: &Authenticator,
        outcome: &Result<HttpReply, CallError>,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Step {
        let reply = match token_endpoint::judge(outcome) {
            Ok(reply) => reply,
            Err(error) => return self.refused(auth, Trouble::redeeming(outcome, &error), now, rng),
        };
        let Some(token) = reply.member("id_token").and_then(Json::as_str).map(str::to_owned) else {
            return self.fail(auth, Trouble::new(Reason::TokenReply, Explanation::NoToken));
        };
        verify_then(auth, &token, now, rng, move |auth, verification, now, rng| {
            self.verified(auth, &reply, verification, now, rng)
        })
    }

    /// A code is refused when it has been used, as by a click too many: then a second round trip will do.
    fn refused(self, auth: &Authenticator, trouble: Trouble, now: UnixTime, rng: &mut dyn Entropy) -> Step {
        if self.has_session {
            return go_on(auth, &self.viewer, &self.attempt.return_to);
        }
        if trouble.reason() != Reason::CodeRefused {
            return self.fail(auth, trouble);
        }
        let known = (self.attempt.return_to.as_str(), self.attempt.generation);
        start_anew(auth, &self.viewer, known, trouble, now, rng)
    }

    fn verified(
        self,
        auth: &Authenticator,
        reply: &Json,
        verification: Verification,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Step {
        let token = match verification {
            Ok(token) => token,
            Err(reason) => return self.fail(auth, unverified(reason)),
        };
        if !self.is_for(&token) {
            return self.fail(auth, Trouble::new(Reason::NonceClaim, Explanation::OtherSignIn));
        }
        let Some(enhanced) = auth.config().enhanced.as_deref() else {
            return self.fail(auth, unverified(Reason::TokenReply));
        };
        let session = NewSession::of_reply(token, reply, now);
        let mut written = SessionWriter::new(auth, enhanced, &self.viewer).sign_in(&session, rng);
        written.cookies.push(self.attempt.expire(&self.viewer.host));
        written.cookies.extend(self.count_hop(auth, now, rng));
        if let Some(lifetime) = enhanced.lifetime.as_ref().filter(|_| enhanced.sealed.is_none()) {
            written
                .cookies
                .extend(lifetime.note_for(&session.token, &self.viewer, now, rng));
        }
        clean_redirect(&self.viewer, &self.attempt.return_to, written.reason)
            .with_cookies(written.cookies)
            .decide(auth.config())
    }

    /// Whether the token answers this very sign-in, and not one that somebody else has made (T-CSRF-4).
    fn is_for(&self, token: &IdToken) -> bool {
        let nonce = token.text("nonce").unwrap_or_default();
        bytes_equal(nonce.as_bytes(), self.attempt.nonce().as_bytes())
    }

    fn count_hop(&self, auth: &Authenticator, now: UnixTime, rng: &mut dyn Entropy) -> Option<String> {
        let attempts: &Attempts = auth.config().enhanced.as_deref()?.attempts.as_ref()?;
        let (sealer, host) = (attempts.sealer(), &self.viewer.host);
        let hops = self.viewer.with_cookies(|cookies| Hops::of(sealer, host, cookies, now));
        Some(hops.one_more(sealer, host, rng))
    }

    /// The attempt's cookie stays: the link begins another, and this one's code is spent or was never given.
    fn fail(self, auth: &Authenticator, trouble: Trouble) -> Step {
        let link = match trouble.reason() {
            // Another account may do; the same one will not.
            Reason::GroupRequired => auth.config().sign_out_path.as_str(),
            _ => &self.attempt.return_to,
        };
        trouble.respond(auth, &self.viewer, link)
    }
}

/// Whether the answer says to be from somebody else than was asked (RFC 9207, section 2.4). Cognito says nothing.
fn is_of_another_issuer(auth: &Authenticator, query: &Query<'_>) -> bool {
    let requirements = &auth.config().requirements;
    let is_other = match query.param("iss") {
        Param::Absent => false,
        Param::One(issuer) => issuer != requirements.issuer,
        Param::Many(_) => true,
    };
    is_other && requirements.dialect.is_generic()
}

/// The provider's own token does not pass: a matter of configuration or of clocks.
fn unverified(reason: Reason) -> Trouble {
    match reason {
        Reason::GroupRequired => Trouble::new(reason, Explanation::NotAmongThem),
        Reason::SessionExpired | Reason::TokenNotYetValid => Trouble::new(Reason::ClockSkew, Explanation::OutOfTime),
        reason => Trouble::new(Reason::TokenUnverified, Explanation::CheckFailed(reason.as_str())),
    }
}
