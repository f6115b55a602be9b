//! Protected paths: a valid id token passes, everything else is sent to sign in or to refresh.

use std::{sync::Arc, time::Duration};

use super::redirect::redirect;
use crate::{
    Access, CallError, CallPurpose, Config, Decision, Entropy, Forward, HttpCall, HttpReply, Reason, Request,
    RetryPolicy, Step, UnixTime, VerifiedIdToken,
    authenticator::{Authenticator, Awaiting, PendingCall},
    cookie_names::{NONCE, NONCE_HMAC, PKCE, REFRESH_MARKER, Token},
    cookies::Cookies,
    js::{percent::encode_component, query::stringify},
    json::Json,
    jwt::{ClaimError, IdToken, JwkSet, KeyLookup, ParsedJwt, SignatureError, VerificationKey},
    nonce,
    page::{Page, PageKind},
    state::State,
};

/// What a check needs once it cannot simply pass the request.
#[derive(Debug)]
struct Viewer {
    origin: String,
    requested_uri: String,
    refresh_failed: bool,
}

/// A check that waits for the issuer's keys.
pub(crate) struct AwaitingKeys {
    viewer: Viewer,
    token: String,
    key_id: String,
}

/// What became of a token.
enum Verdict {
    Verified(Arc<IdToken>),
    /// Its key is not known and should be fetched.
    KeysDue {
        key_id: String,
    },
    Rejected(Reason),
}

pub(crate) fn begin(auth: &Authenticator, request: &Request<'_>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
    let cookies = Cookies::new(request.cookies);
    let Some(token) = auth.config().cookie_scheme.token(Token::Id, cookies) else {
        return send_to_sign_in(auth.config(), &Viewer::of(request), Reason::SessionAbsent, now, rng);
    };
    if let Some(known) = auth.tokens().get(&token, now) {
        return forward(known, Reason::SessionKnown);
    }
    match verify(auth, &token, now) {
        Verdict::Verified(verified) => forward(verified, Reason::SessionVerified),
        Verdict::Rejected(reason) => reject(auth.config(), &Viewer::of(request), reason, now, rng),
        Verdict::KeysDue { key_id } => Step::Call(PendingCall::new(
            auth,
            fetch_keys(auth.config()),
            Awaiting::Keys(AwaitingKeys {
                viewer: Viewer::of(request),
                token: token.into_owned(),
                key_id,
            }),
        )),
    }
}

impl AwaitingKeys {
    pub(crate) fn resume(
        self,
        auth: &Authenticator,
        outcome: Result<HttpReply, CallError>,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Step {
        let fetched = outcome.ok().filter(|reply| reply.status == 200).and_then(|reply| {
            let json = Json::parse(&reply.body).ok()?;
            JwkSet::from_json(&json)
        });
        if fetched.is_some() {
            auth.tokens().clear();
        }
        let key = auth.keys().settle_fetch(fetched, &self.key_id, now);
        let verdict = match (key, ParsedJwt::parse(&self.token)) {
            (Some(key), Some(parsed)) => verify_with(auth, &self.token, parsed, &key, now),
            _ => Verdict::Rejected(Reason::TokenKey),
        };
        match verdict {
            Verdict::Verified(verified) => forward(verified, Reason::SessionVerified),
            Verdict::Rejected(reason) => reject(auth.config(), &self.viewer, reason, now, rng),
            Verdict::KeysDue { .. } => reject(auth.config(), &self.viewer, Reason::TokenKey, now, rng),
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

/// Form, issuer, key: in this order, so that no unverified word leads anywhere but to the one JWKS URI.
fn verify(auth: &Authenticator, token: &str, now: UnixTime) -> Verdict {
    let Some(parsed) = ParsedJwt::parse(token) else {
        return Verdict::Rejected(Reason::TokenMalformed);
    };
    if !auth.config().requirements.accept_issuer(&parsed.payload) {
        return Verdict::Rejected(Reason::TokenIssuer);
    }
    let Some(key_id) = parsed.key_id.as_deref() else {
        return Verdict::Rejected(Reason::TokenKey);
    };
    match auth.keys().find(key_id, now) {
        KeyLookup::Found(key) => verify_with(auth, token, parsed, &key, now),
        KeyLookup::FetchDue => Verdict::KeysDue {
            key_id: key_id.to_owned(),
        },
        KeyLookup::CoolingDown => Verdict::Rejected(Reason::TokenKey),
    }
}

/// Signature, then claims; what passes is remembered.
fn verify_with(
    auth: &Authenticator,
    token: &str,
    parsed: ParsedJwt<'_>,
    key: &VerificationKey,
    now: UnixTime,
) -> Verdict {
    match parsed.verify_signature(key) {
        Err(SignatureError::Key) => return Verdict::Rejected(Reason::TokenKey),
        Err(SignatureError::Signature) => return Verdict::Rejected(Reason::TokenSignature),
        Ok(()) => {}
    }
    match auth.config().requirements.verify(token, parsed.payload, now) {
        Ok(verified) => {
            let verified = Arc::new(verified);
            auth.tokens().insert(Arc::clone(&verified));
            Verdict::Verified(verified)
        }
        Err(error) => Verdict::Rejected(reason_of(error)),
    }
}

/// What the checks would say of an id token with these claims, were it rightly signed. Opens nothing: it is
/// for those who want to know why somebody may pass or may not.
pub(crate) fn judge_claims(auth: &Authenticator, claims: &Json, now: UnixTime) -> Reason {
    let requirements = &auth.config().requirements;
    if !requirements.accept_issuer(claims) {
        return Reason::TokenIssuer;
    }
    match requirements.verify("", claims.clone(), now) {
        Ok(_) => Reason::SessionVerified,
        Err(error) => reason_of(error),
    }
}

const fn reason_of(error: ClaimError) -> Reason {
    match error {
        ClaimError::Expired => Reason::SessionExpired,
        ClaimError::ExpiryOutOfRange => Reason::TokenMalformed,
        ClaimError::NotYetValid => Reason::TokenNotYetValid,
        ClaimError::Group => Reason::GroupRequired,
        ClaimError::TokenUse => Reason::TokenUse,
        ClaimError::Audience => Reason::TokenAudience,
    }
}

const fn forward(token: Arc<IdToken>, reason: Reason) -> Step {
    Step::Decided(Decision::Forward(Forward {
        access: Access::Session(VerifiedIdToken(token)),
        response_cookies: Vec::new(),
        reason,
    }))
}

fn reject(config: &Config, viewer: &Viewer, reason: Reason, now: UnixTime, rng: &mut dyn Entropy) -> Step {
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
    let query = stringify(&[
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
    redirect(
        config,
        format!("{}/oauth2/authorize?{query}", config.hosted_ui),
        cookies,
        reason,
    )
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

fn fetch_keys(config: &Config) -> HttpCall {
    HttpCall {
        purpose: CallPurpose::KeySet,
        url: config.jwks_uri.clone(),
        authorization: None,
        form: None,
        attempt_timeout: Duration::from_millis(1500),
        max_reply_bytes: 256 * 1024,
        retry: RetryPolicy::KeySet,
    }
}
