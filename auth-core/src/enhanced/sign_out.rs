//! The sign-out path: nothing of any session is left here, at the token endpoint, or at the hosted UI (with providers
//! other than Cognito, OpenID Connect RP-Initiated Logout 1.0).
//!
//! It asks for no valid token, for whoever signs out wants to be out whatever their session is worth. A call that
//! fails holds nobody back. What cannot be undone are id tokens that were issued before: whoever has copied one
//! passes until it expires.

use std::time::Duration;

use super::{
    Enhanced,
    answer::Answer,
    audience::is_prefetch,
    expiry::Expiry,
    own_cookies::is_of_session,
    places::Place,
    session::{id_token, refresh_tokens},
    viewer::Viewer,
};
use crate::{
    Config, Reason, Request, Scheme, Secret, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    cookies::Cookies,
    endpoints::sign_out as reference,
    token_endpoint,
};

/// For all revocations together: somebody is waiting.
const BUDGET: Duration = Duration::from_secs(1);
/// How long a browser may take at the hosted UI until it is back.
const ON_THE_WAY: Duration = Duration::from_secs(120);
/// Says that the viewer comes back from a sign-out, and wants to hear so rather than to sign in.
const MARKER: &str = "portcullis-signed-out";
/// The query of a sign-out at the refresh path.
const ROUND: &str = "sign-out";

/// A sign-out on its way.
struct SigningOut {
    viewer: Viewer,
    reason: Reason,
    cookies: Vec<String>,
    /// Still to be revoked.
    tokens: Vec<Secret<String>>,
    /// Tells the provider whose session is to end there.
    hint: Option<Secret<String>>,
    deadline: UnixTime,
}

pub(crate) fn begin(auth: &Authenticator, enhanced: &Enhanced, request: &Request<'_>, now: UnixTime) -> Step {
    if !enhanced.signs_out_thoroughly {
        return reference::begin(auth, request);
    }
    if !is_meant(request) {
        return Answer::new(403, Reason::SignOutForeign).decide(auth.config());
    }
    let viewer = Viewer::of(auth, request);
    let cookies = Cookies::new(request.cookies);
    let tokens = refresh_tokens(auth.config(), enhanced, cookies, request.scheme);
    let brought_any = cookies.all().any(|(name, _)| is_of_session(auth.config(), name)) || !tokens.is_empty();
    if tokens.is_empty() && brought_any && is_hidden_here(auth.config(), &viewer) {
        return go_round(auth.config(), &viewer);
    }
    SigningOut {
        reason: if brought_any {
            Reason::SignedOut
        } else {
            Reason::AlreadySignedOut
        },
        cookies: cookies_to_set(auth.config(), &viewer),
        tokens,
        hint: hint(auth.config(), enhanced, cookies, request.scheme),
        deadline: now.after(BUDGET),
        viewer,
    }
    .proceed(auth, now)
}

/// Whether a request for the refresh path is a sign-out that has been sent round.
pub(crate) fn comes_round(enhanced: &Enhanced, request: &Request<'_>) -> bool {
    enhanced.signs_out_thoroughly && request.query == ROUND
}

/// Whether browsers send the refresh token to the refresh path, and not here.
fn is_hidden_here(config: &Config, viewer: &Viewer) -> bool {
    let place = Place::of(&config.cookie_settings.refresh_token);
    !place.reaches(viewer.path()) && place.reaches(&config.refresh_path)
}

/// By the refresh path, which is brought the refresh token that is to be revoked. All else is done there.
fn go_round(config: &Config, viewer: &Viewer) -> Step {
    Answer::new(viewer.redirect_status, Reason::SignOutSentRound)
        .with("Location", format!("{}{}?{ROUND}", viewer.origin, config.refresh_path))
        .decide(config)
}

/// Where a viewer who comes back from a sign-out is led instead of to another sign-in: the path that the hosted UI
/// sends them to is usually a protected one, for it has to be registered there.
pub(crate) fn landing(auth: &Authenticator, viewer: &Viewer) -> Option<Step> {
    let marker = viewer.host.cookie_name(MARKER);
    let is_back = viewer.with_cookies(|cookies| cookies.get_non_empty(&marker).is_some());
    if !is_back || viewer.path() != auth.config().signed_out_path.split('?').next()? {
        return None;
    }
    let answer = Answer::new(302, Reason::SignedOut)
        .with("Location", viewer.address("/_portcullis/signed-out"))
        .with_cookies([viewer.host.expire(&marker)]);
    Some(answer.decide(auth.config()))
}

/// Whether somebody wants to be signed out, as far as the browser tells: not a page of somebody else's that loads
/// the address as a picture or in a frame, nor the browser that loads ahead (T-CSRF-5).
fn is_meant(request: &Request<'_>) -> bool {
    let says = |name: &str, value: &str| request.header(name) == Some(value);
    let is_shown = says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
    !is_prefetch(request) && (is_shown || !says("sec-fetch-site", "cross-site"))
}

/// The id token at hand, good or not, where the provider wants to see one.
fn hint(config: &Config, enhanced: &Enhanced, cookies: Cookies<'_>, scheme: Scheme) -> Option<Secret<String>> {
    if config.endpoints.wants_hint() {
        id_token(config, enhanced, cookies, scheme)
    } else {
        None
    }
}

fn cookies_to_set(config: &Config, viewer: &Viewer) -> Vec<String> {
    let expiry = Expiry::new(config, viewer);
    let mut cookies = expiry.of_request(|_| true);
    cookies.extend(expiry.out_of_sight());
    if config.signed_out_path != "/_portcullis/signed-out" {
        let marker = viewer.host.cookie_name(MARKER);
        cookies.retain(|cookie| !cookie.starts_with(&format!("{marker}=")));
        cookies.push(viewer.host.set(&marker, "1", ON_THE_WAY));
    }
    cookies
}

impl SigningOut {
    fn proceed(mut self, auth: &Authenticator, now: UnixTime) -> Step {
        let left = u64::try_from(self.deadline.as_millis() - now.as_millis()).unwrap_or(0);
        let token = self.tokens.pop().filter(|_| left > 0);
        let revoke =
            |token: &Secret<String>| token_endpoint::revoke(auth.config(), token.expose(), Duration::from_millis(left));
        match token.as_ref().and_then(revoke) {
            Some(call) => Step::Call(PendingCall::new(auth, call, move |auth, _, now, _| {
                self.proceed(auth, now)
            })),
            None => self.leave(auth.config()),
        }
    }

    /// To the provider, which ends its own session and sends the viewer back; straight back where it cannot.
    fn leave(self, config: &Config) -> Step {
        let landing = format!("{}{}", self.viewer.origin, config.signed_out_path);
        let hint = self.hint.as_ref().map(|token| token.expose().as_str());
        let elsewhere = config.endpoints.sign_out_url(&config.client_id, &landing, hint);
        Answer::new(self.viewer.redirect_status, self.reason)
            .with("Location", elsewhere.unwrap_or(landing))
            .with_cookies(self.cookies)
            .decide(config)
    }
}
