//! A renewal whose reply has no id token, which is the provider's right (OpenID Connect Core, section 12.2).
//!
//! That the refresh token was taken says that the session goes on, and nothing new of its viewer. A sealed session then
//! goes on with what it knows, for as long as the new access token lives. Tokens in cookies of their own cannot: their
//! end is the provider's word, and only another sign-in gives a later one. Cognito always sends one, so that a reply
//! without is broken.

use std::{sync::Arc, time::Duration};

use crate::{
    Reason, UnixTime,
    authenticator::Authenticator,
    enhanced::session::{Kept, Unsealed},
    hmac::sha256,
    js::base64::encode_url_safe,
    json::{Json, Object},
    jwt::{Claimed, ClaimsSet, IdToken, TokenType},
    token_endpoint,
    verification::{Kind, Verification, reason_of},
};

/// Where the reply does not say how long its tokens live.
const UNSAID: Duration = Duration::from_secs(300);
/// Whatever it says, the provider is asked again.
const MOST: Duration = Duration::from_secs(86_400);

/// The session with a later end, or why it cannot have one.
pub(super) fn session(auth: &Authenticator, kept: &Kept, reply: &Json, now: UnixTime) -> Verification {
    let requirements = &auth.config().requirements;
    let access_token = reply.member("access_token").and_then(Json::as_str).unwrap_or_default();
    if !requirements.dialect.is_generic() || access_token.is_empty() {
        return Err(Reason::TokenReply);
    }
    let (Some(claims), Some(times)) = (&kept.claims, kept.times) else {
        return Err(Reason::SessionNotRefreshable);
    };
    let raw = name(kept, access_token);
    let claims = until(claims.expose(), now, now.after(lifetime(reply)));
    let claims = ClaimsSet::of(&claims).ok_or(Reason::SessionSeal)?;
    let claimed = Claimed::new(&claims, TokenType::Any, &requirements.dialect);
    let verified = requirements.verify(&claimed, now);
    verified.map_err(|error| reason_of(error, Kind::Session))?;
    let unsealed = Unsealed { id_token: None, times };
    Ok(Arc::new(IdToken::with_claims(&raw, &claimed, Some(unsealed))))
}

fn lifetime(reply: &Json) -> Duration {
    token_endpoint::lifetime(reply).unwrap_or(UNSAID).min(MOST)
}

/// The claims with another beginning and end.
fn until(claims: &Object, now: UnixTime, end: UnixTime) -> Object {
    let mut claims = claims.clone();
    for (name, time) in [("iat", now), ("exp", end)] {
        claims.insert(name.to_owned(), Json::Number(time.as_secs() as f64));
    }
    claims
}

/// What tells it from other sessions until it is sealed: it is nobody's token.
fn name(kept: &Kept, access_token: &str) -> String {
    let parts = format!("{}\0{access_token}", kept.refresh_token.expose());
    encode_url_safe(&sha256(parts.as_bytes()))
}
