//! Is this id token good? Form, issuer, key, signature, claims, and the one fetch that may stand between.

use std::{sync::Arc, time::Duration};

use crate::{
    CallError, CallPurpose, Config, Entropy, HttpCall, HttpReply, Reason, RetryPolicy, Sharing, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    json::Json,
    jwt::{ClaimError, IdToken, JwkSet, KeyLookup, ParsedJwt, SignatureError, VerificationKey},
};

/// A token that passed, or why it did not.
pub(crate) type Verification = Result<Arc<IdToken>, Reason>;

/// What became of a token without any call.
pub(crate) enum Verdict {
    Verified(Arc<IdToken>),
    /// Its key is not known and should be fetched.
    KeysDue {
        key_id: String,
    },
    Rejected(Reason),
}

/// Verifies a token and goes on with the outcome: at once, or after the issuer's keys have been fetched.
pub(crate) fn verify_then(
    auth: &Authenticator,
    token: &str,
    now: UnixTime,
    rng: &mut dyn Entropy,
    then: impl FnOnce(&Authenticator, Verification, UnixTime, &mut dyn Entropy) -> Step + Send + 'static,
) -> Step {
    match verify(auth, token, now) {
        Verdict::Verified(verified) => then(auth, Ok(verified), now, rng),
        Verdict::Rejected(reason) => then(auth, Err(reason), now, rng),
        Verdict::KeysDue { key_id } => fetch_keys_then(auth, token, key_id, then),
    }
}

/// Fetches the issuer's keys, verifies the token that asked for them, and goes on with the outcome.
pub(crate) fn fetch_keys_then(
    auth: &Authenticator,
    token: &str,
    key_id: String,
    then: impl FnOnce(&Authenticator, Verification, UnixTime, &mut dyn Entropy) -> Step + Send + 'static,
) -> Step {
    let token = token.to_owned();
    let resume = move |auth: &Authenticator, outcome, now, rng: &mut dyn Entropy| {
        let verification = settle_keys(auth, outcome, &token, &key_id, now);
        then(auth, verification, now, rng)
    };
    Step::Call(PendingCall::new(auth, fetch_keys(auth.config()), resume))
}

/// Form, issuer, key: in this order, so that no unverified word leads anywhere but to the one JWKS URI.
pub(crate) fn verify(auth: &Authenticator, token: &str, now: UnixTime) -> Verdict {
    // Verified before, and out of its time by now: its signature is not looked at again.
    if let Some(error) = auth.tokens().refusal(token, now) {
        return Verdict::Rejected(reason_of(error));
    }
    let Some(parsed) = ParsedJwt::parse(token) else {
        return Verdict::Rejected(Reason::TokenMalformed);
    };
    if !auth.config().requirements.accept_issuer(&parsed.payload) {
        return Verdict::Rejected(Reason::TokenIssuer);
    }
    let Some(key_id) = parsed.key_id() else {
        return Verdict::Rejected(Reason::TokenKey);
    };
    match auth.keys().find(key_id, now) {
        KeyLookup::Found(key) => match verify_with(auth, token, parsed, &key, now) {
            Ok(verified) => Verdict::Verified(verified),
            Err(reason) => Verdict::Rejected(reason),
        },
        KeyLookup::FetchDue => Verdict::KeysDue {
            key_id: key_id.to_owned(),
        },
        KeyLookup::CoolingDown => Verdict::Rejected(Reason::TokenKey),
    }
}

/// Takes the fetched keys in, and goes on with the token that asked for them.
fn settle_keys(
    auth: &Authenticator,
    outcome: Result<HttpReply, CallError>,
    token: &str,
    key_id: &str,
    now: UnixTime,
) -> Verification {
    let fetched = outcome.ok().filter(|reply| reply.status == 200).and_then(|reply| {
        let json = Json::parse(&reply.body).ok()?;
        JwkSet::from_json(&json)
    });
    if fetched.is_some() {
        auth.tokens().clear();
    }
    let key = auth.keys().settle_fetch(fetched, key_id, now);
    match (key, ParsedJwt::parse(token)) {
        (Some(key), Some(parsed)) => verify_with(auth, token, parsed, &key, now),
        _ => Err(Reason::TokenKey),
    }
}

/// Signature, then claims; what passes is remembered.
fn verify_with(
    auth: &Authenticator,
    token: &str,
    parsed: ParsedJwt<'_>,
    key: &VerificationKey,
    now: UnixTime,
) -> Verification {
    parsed.verify_signature(key).map_err(|error| match error {
        SignatureError::Key => Reason::TokenKey,
        SignatureError::Signature => Reason::TokenSignature,
    })?;
    let verified = auth.config().requirements.verify(token, parsed.payload, now);
    let verified = Arc::new(verified.map_err(reason_of)?);
    auth.tokens().insert(Arc::clone(&verified));
    Ok(verified)
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

pub(crate) const fn reason_of(error: ClaimError) -> Reason {
    match error {
        ClaimError::Expired => Reason::SessionExpired,
        ClaimError::ExpiryOutOfRange => Reason::TokenMalformed,
        ClaimError::NotYetValid => Reason::TokenNotYetValid,
        ClaimError::Group => Reason::GroupRequired,
        ClaimError::TokenUse => Reason::TokenUse,
        ClaimError::Audience => Reason::TokenAudience,
    }
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
        sharing: Sharing::SameUrl,
    }
}
