//! What stands in a sealed session, as few bytes as need be: every one of them is sent with every request.
//!
//! Tokens are base64 of binary parts, and so is the cookie: their parts are stored decoded, so that a third is not
//! lost twice. What follows from the configuration alone is left out.

use super::{IdTokenInside, ToSeal};
use crate::{
    Config, UnixTime,
    enhanced::session::Times,
    js::base64::{decode_lenient, encode_url_safe},
    json::{Json, Object},
    jwt::{ClaimsSet, UnverifiedIdToken},
};

/// Claims that serve only while the token is fresh, or for the provider itself.
const NOT_KEPT: [&str; 5] = ["at_hash", "c_hash", "event_id", "jti", "nonce"];

/// A session, opened.
pub(super) struct Content {
    pub(super) claims: Object,
    /// Where it was asked for.
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) times: Times,
}

/// What the last field is.
const CLAIMS: u8 = 1;
const ID_TOKEN: u8 = 2;

impl Content {
    /// `None`: it is too large for any cookie.
    pub(super) fn encode(config: &Config, session: &ToSeal<'_>, inside: IdTokenInside) -> Option<Vec<u8>> {
        let ToSeal { token, times, .. } = session;
        let id_token = match inside {
            IdTokenInside::Dropped => None,
            IdTokenInside::Kept => token.id_token(),
        };
        let mut bytes = Vec::with_capacity(2048);
        bytes.extend_from_slice(&times.created.as_secs().to_be_bytes());
        bytes.extend_from_slice(&times.seen.as_secs().to_be_bytes());
        put(&mut bytes, &packed(session.refresh_token.unwrap_or_default())?)?;
        match id_token {
            Some(token) => {
                bytes.push(ID_TOKEN);
                bytes.extend(packed(token.expose())?);
            }
            None => {
                bytes.push(CLAIMS);
                bytes.extend(
                    Json::Object(kept_claims(config, token.claims()))
                        .stringify()
                        .into_bytes(),
                );
            }
        }
        Some(bytes)
    }

    /// `None`: not what [`encode`](Self::encode) makes, though we sealed it.
    pub(super) fn decode(config: &Config, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let created = UnixTime::from_secs(number(&mut rest)?);
        let seen = UnixTime::from_secs(number(&mut rest)?);
        let refresh_token = unpacked(field(&mut rest)?)?;
        let (&kind, last) = rest.split_first()?;
        let (claims, id_token) = match kind {
            CLAIMS => (all_claims(config, Json::parse(last).ok()?)?, None),
            ID_TOKEN => {
                let token = unpacked(last)?;
                (UnverifiedIdToken::decode(&token)?.into_claims()?, Some(token))
            }
            _ => return None,
        };
        Some(Self {
            claims,
            id_token,
            refresh_token: Some(refresh_token).filter(|token| !token.is_empty()),
            times: Times { created, seen },
        })
    }
}

/// The claims less those that nothing asks for later, and those that are the same for every session.
fn kept_claims(config: &Config, claims: &ClaimsSet) -> Object {
    let same: Vec<_> = implied(config).collect();
    let kept = claims.iter().filter(|(name, value)| {
        !NOT_KEPT.contains(name)
            && !same
                .iter()
                .any(|(known, text)| known == name && value.as_str() == Some(text))
    });
    kept.map(|(name, value)| (name.to_owned(), value.to_json())).collect()
}

fn all_claims(config: &Config, claims: Json) -> Option<Object> {
    let Json::Object(mut claims) = claims else {
        return None;
    };
    for (name, text) in implied(config) {
        if claims.get(name).is_none() {
            claims.insert(name.to_owned(), Json::String(text.to_owned()));
        }
    }
    Some(claims)
}

/// The seal is bound to issuer and client, so these need not be said again.
fn implied(config: &Config) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [
        ("iss", config.requirements.issuer.as_str()),
        ("aud", config.client_id.as_str()),
        ("token_use", "id"),
    ];
    // The last is Cognito's alone.
    let count = if config.requirements.dialect.is_generic() { 2 } else { 3 };
    all.into_iter().take(count)
}

/// A token: the number of its parts and each part decoded; or 0 and the text, where that would not give it back.
fn packed(token: &str) -> Option<Vec<u8>> {
    let parts: Vec<Vec<u8>> = token.split('.').map(decode_lenient).collect();
    let texts: Vec<String> = parts.iter().map(|part| encode_url_safe(part)).collect();
    let mut bytes = Vec::with_capacity(token.len());
    match u8::try_from(parts.len()) {
        Ok(count) if texts.join(".") == token => {
            bytes.push(count);
            for part in &parts {
                put(&mut bytes, part)?;
            }
        }
        _ => {
            bytes.push(0);
            bytes.extend_from_slice(token.as_bytes());
        }
    }
    Some(bytes)
}

fn unpacked(bytes: &[u8]) -> Option<String> {
    let (&count, mut rest) = bytes.split_first()?;
    if count == 0 {
        return String::from_utf8(rest.to_vec()).ok();
    }
    let mut parts = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        parts.push(encode_url_safe(field(&mut rest)?));
    }
    rest.is_empty().then(|| parts.join("."))
}

/// A field with its length before it.
fn put(bytes: &mut Vec<u8>, field: &[u8]) -> Option<()> {
    bytes.extend_from_slice(&u16::try_from(field.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(field);
    Some(())
}

fn field<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (field, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(field)
}

fn number(rest: &mut &[u8]) -> Option<i64> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i64::from_be_bytes(*number))
}
