//! Is this id token good? Form, issuer, key, signature, claims, and the one fetch that may stand between.

use std::{sync::Arc, time::Duration};

use crate::{
    CallError, CallPurpose, Config, Entropy, HttpCall, HttpReply, Reason, RetryPolicy, Sharing, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    json::Json,
    jwt::{ClaimError, Claimed, ClaimsSet, IdToken, JwkSet, ParsedJwt, SignatureError, TokenType, VerificationKey},
};

/// A token that passed, or why it did not.
pub(crate) type Verification = Result<Arc<IdToken>, Reason>;

/// What a token is presented as: each has checks and a memory of its own, so that none stands for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The id token of a session.
    Session,
    /// A token in the Authorization header.
    Bearer,
}

impl Kind {
    const fn known(self) -> Reason {
        match self {
            Self::Session => Reason::SessionKnown,
            Self::Bearer => Reason::BearerKnown,
        }
    }

    const fn verified(self) -> Reason {
        match self {
            Self::Session => Reason::SessionVerified,
            Self::Bearer => Reason::BearerVerified,
        }
    }
}

/// What became of a token without any call.
pub(crate) enum Verdict {
    /// It passed: now, or before, as the reason says.
    Passed(Arc<IdToken>, Reason),
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
        Verdict::Passed(token, _) => then(auth, Ok(token), now, rng),
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
    fetch_keys_as_then(auth, Kind::Session, token, key_id, then)
}

/// The same for a token of any kind.
pub(crate) fn fetch_keys_as_then(
    auth: &Authenticator,
    kind: Kind,
    token: &str,
    key_id: String,
    then: impl FnOnce(&Authenticator, Verification, UnixTime, &mut dyn Entropy) -> Step + Send + 'static,
) -> Step {
    let token = token.to_owned();
    let resume = move |auth: &Authenticator, outcome, now, rng: &mut dyn Entropy| {
        let verification = settle_keys(auth, outcome, kind, &token, &key_id, now);
        then(auth, verification, now, rng)
    };
    Step::Call(PendingCall::new(auth, fetch_keys(auth.config()), resume))
}

/// A token that was verified before counts until its time is up. Of others form, issuer, key: in this order, so that no
/// unverified word leads anywhere but to the one JWKS URI.
pub(crate) fn verify(auth: &Authenticator, token: &str, now: UnixTime) -> Verdict {
    verify_as(auth, Kind::Session, token, now)
}

/// The same for a token of any kind.
pub(crate) fn verify_as(auth: &Authenticator, kind: Kind, token: &str, now: UnixTime) -> Verdict {
    if let Some(known) = auth.tokens_of(kind).judge(token, now) {
        return match known {
            Ok(known) => Verdict::Passed(known, kind.known()),
            Err(error) => Verdict::Rejected(reason_of(error, kind)),
        };
    }
    let (keys, mut claims) = (auth.keys().in_force(), ClaimsSet::default());
    let Some(parsed) = ParsedJwt::parse(token, &keys, &mut claims) else {
        return Verdict::Rejected(Reason::TokenMalformed);
    };
    if !auth.config().requirements.accept_issuer(parsed.claims) {
        return Verdict::Rejected(Reason::TokenIssuer);
    }
    let Some(key_id) = parsed.key_id() else {
        return Verdict::Rejected(Reason::TokenKey);
    };
    match keys.find(key_id) {
        Some(key) => match verify_with(auth, kind, token, &parsed, key, now) {
            Ok(verified) => Verdict::Passed(verified, kind.verified()),
            Err(reason) => Verdict::Rejected(reason),
        },
        None if keys.is_fetch_due(now) => Verdict::KeysDue {
            key_id: key_id.to_owned(),
        },
        None => Verdict::Rejected(Reason::TokenKey),
    }
}

/// Takes the fetched keys in, and goes on with the token that asked for them.
fn settle_keys(
    auth: &Authenticator,
    outcome: Result<HttpReply, CallError>,
    kind: Kind,
    token: &str,
    key_id: &str,
    now: UnixTime,
) -> Verification {
    let fetched = outcome.ok().filter(|reply| reply.status == 200).and_then(|reply| {
        let json = Json::parse(&reply.body).ok()?;
        JwkSet::from_json(&json, auth.config().requirements.dialect.speaker)
    });
    let have_changed = fetched.is_some();
    auth.keys().settle_fetch(fetched, key_id, now);
    if have_changed {
        // Only now: whoever verified by the old keys held them until the token was remembered.
        auth.forget_tokens();
    }
    let (keys, mut claims) = (auth.keys().in_force(), ClaimsSet::default());
    match (keys.find(key_id), ParsedJwt::parse(token, &keys, &mut claims)) {
        (Some(key), Some(parsed)) => verify_with(auth, kind, token, &parsed, key, now),
        _ => Err(Reason::TokenKey),
    }
}

/// Signature, then claims; what passes is remembered.
fn verify_with(
    auth: &Authenticator,
    kind: Kind,
    token: &str,
    parsed: &ParsedJwt<'_>,
    key: &VerificationKey,
    now: UnixTime,
) -> Verification {
    parsed.verify_signature(key).map_err(|error| match error {
        SignatureError::Key => Reason::TokenKey,
        SignatureError::Signature => Reason::TokenSignature,
    })?;
    let config = auth.config();
    let claimed = Claimed::new(parsed.claims, parsed.token_type(), &config.requirements.dialect);
    verify_claims(config, kind, &claimed, now).map_err(|error| reason_of(error, kind))?;
    Ok(auth.tokens_of(kind).remember(token, &claimed))
}

fn verify_claims(config: &Config, kind: Kind, token: &Claimed<'_>, now: UnixTime) -> Result<(), ClaimError> {
    let requirements = &config.requirements;
    match kind {
        Kind::Session => requirements.verify(token, now),
        Kind::Bearer => match config.bearer() {
            Some(bearer) => bearer.verify(requirements, token, now),
            None => Err(ClaimError::TokenUse),
        },
    }
}

/// What the checks would say of an id token with these claims, were it rightly signed. Opens nothing: it is
/// for those who want to know why somebody may pass or may not.
pub(crate) fn judge_claims(auth: &Authenticator, claims: &Json, now: UnixTime) -> Result<IdToken, Reason> {
    let claims = claims.as_object().and_then(ClaimsSet::of).ok_or(Reason::TokenIssuer)?;
    let requirements = &auth.config().requirements;
    if !requirements.accept_issuer(&claims) {
        return Err(Reason::TokenIssuer);
    }
    let token = Claimed::new(&claims, TokenType::Any, &requirements.dialect);
    let verified = requirements.verify(&token, now);
    verified
        .map(|()| IdToken::with_claims("", &token, None))
        .map_err(|error| reason_of(error, Kind::Session))
}

pub(crate) const fn reason_of(error: ClaimError, kind: Kind) -> Reason {
    match error {
        ClaimError::Expired if matches!(kind, Kind::Bearer) => Reason::TokenExpired,
        ClaimError::NoExpiry | ClaimError::NoSubject => Reason::TokenMalformed,
        ClaimError::Scope => Reason::ScopeRequired,
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
