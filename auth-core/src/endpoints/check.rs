//! Protected paths: a valid id token passes, everything else is sent to sign in or to refresh.

use std::sync::Arc;

use super::redirect::redirect;
use crate::{
    Access, Config, Decision, Entropy, Forward, Reason, Request, Step, UnixTime, VerifiedIdToken,
    authenticator::Authenticator,
    cookie_names::{NONCE, NONCE_HMAC, PKCE, REFRESH_MARKER, Token},
    cookies::Cookies,
    js::{percent::encode_component, query::stringify},
    jwt::IdToken,
    nonce,
    page::{Page, PageKind},
    state::State,
    verification::{Verdict, fetch_keys_then, verify},
};

/// What a check needs once it cannot simply pass the request.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) origin: String,
    pub(crate) requested_uri: String,
    pub(crate) refresh_failed: bool,
}

pub(crate) fn begin(auth: &Authenticator, request: &Request<'_>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
    let cookies = Cookies::new(request.cookies);
    let Some(token) = auth.config().cookie_scheme.token(Token::Id, cookies) else {
        return send_to_sign_in(auth.config(), &Viewer::of(request), Reason::SessionAbsent, now, rng);
    };
    match verify(auth, &token, now) {
        Verdict::Passed(token, reason) => forward(token, reason),
        Verdict::Rejected(reason) => send_away(auth.config(), &Viewer::of(request), reason, now, rng),
        Verdict::KeysDue { key_id } => {
            let viewer = Viewer::of(request);
            fetch_keys_then(
                auth,
                &token,
                key_id,
                move |auth, verification, now, rng| match verification {
                    Ok(verified) => forward(verified, Reason::SessionVerified),
                    Err(reason) => send_away(auth.config(), &viewer, reason, now, rng),
                },
            )
        }
    }
}

impl Viewer {
    fn of(request: &Request<'_>) -> Self {
        Self {
            origin: request.origin(),
            requested_uri: request.requested_uri(),
            refresh_failed: Cookies::new(request.cookies).get_non_empty(REFRESH_MARKER).is_some(),
        }
    }
}

const fn forward(token: Arc<IdToken>, reason: Reason) -> Step {
    Step::Decided(Decision::Forward(Forward {
        access: Access::Session(VerifiedIdToken(token)),
        response_cookies: Vec::new(),
        reason,
    }))
}

/// The answer to someone without a good session.
pub(crate) fn send_away(
    config: &Config,
    viewer: &Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    match reason {
        Reason::GroupRequired => Page {
            kind: PageKind::NotAuthorized,
            reason,
            details: "Your account is not in the group that this content is meant for.",
            link: &format!("{}{}", viewer.origin, config.sign_out_path),
        }
        .respond(config),
        Reason::SessionExpired if viewer.refresh_failed => {
            send_to_sign_in(config, viewer, Reason::SessionNotRefreshable, now, rng)
        }
        Reason::SessionExpired => send_to_refresh(config, viewer, now, rng),
        _ => send_to_sign_in(config, viewer, reason, now, rng),
    }
}

fn send_to_sign_in(config: &Config, viewer: &Viewer, reason: Reason, now: UnixTime, rng: &mut dyn Entropy) -> Step {
    let nonce = nonce::generate(&config.secrets, now, rng);
    let verifier = nonce::code_verifier(&config.secrets, rng);
    let location = config.endpoints.authorize_url(&[
        ("redirect_uri", &format!("{}{}", viewer.origin, config.sign_in_path)),
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("state", &State::seal(&nonce, &viewer.requested_uri)),
        ("scope", &config.scope),
        ("code_challenge_method", "S256"),
        ("code_challenge", &nonce::code_challenge(&verifier)),
    ]);
    let mut cookies = nonce_cookies(config, &nonce);
    cookies.push(format!(
        "{PKCE}={}; {}",
        encode_component(&verifier),
        config.cookie_settings.nonce
    ));
    redirect(config, location, cookies, reason)
}

fn send_to_refresh(config: &Config, viewer: &Viewer, now: UnixTime, rng: &mut dyn Entropy) -> Step {
    let nonce = nonce::generate(&config.secrets, now, rng);
    let query = stringify(&[("requestedUri", &viewer.requested_uri), ("nonce", &nonce)]);
    let location = format!("{}{}?{query}", viewer.origin, config.refresh_path);
    redirect(config, location, nonce_cookies(config, &nonce), Reason::SessionExpired)
}

fn nonce_cookies(config: &Config, nonce: &str) -> Vec<String> {
    let attributes = &config.cookie_settings.nonce;
    vec![
        format!("{NONCE}={}; {attributes}", encode_component(nonce)),
        format!(
            "{NONCE_HMAC}={}; {attributes}",
            nonce::signature(&config.secrets, nonce)
        ),
    ]
}
