//! JWS compact serialisation (RFC 7515, 7.1), RS256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::clock::UnixSeconds;
use crate::keys::{self, KeyRing, Purpose};
use crate::tamper::{Overrides, Signer, patch};

/// Signs `claims` after applying `overrides`.
pub(crate) fn sign(
    ring: &KeyRing,
    purpose: Purpose,
    mut claims: Map<String, Value>,
    overrides: &Overrides,
    now: UnixSeconds,
) -> String {
    let key = ring.current(purpose);
    let mut header = Map::new();
    header.insert("kid".to_owned(), json!(key.kid));
    header.insert("alg".to_owned(), json!("RS256"));
    patch(&mut header, &overrides.header);
    for (name, seconds) in [
        ("exp", overrides.expires_in_seconds),
        ("nbf", overrides.not_before_in_seconds),
    ] {
        if let Some(seconds) = seconds {
            claims.insert(name.to_owned(), json!(now.saturating_add(seconds)));
        }
    }
    patch(&mut claims, &overrides.claims);

    let message = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(Value::Object(part).to_string()))
        .join(".");
    let signature = match overrides.signer {
        Signer::Current => keys::sign(key.pair, message.as_bytes()),
        Signer::Foreign => keys::sign(ring.foreign(), message.as_bytes()),
        Signer::Nobody => None,
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap_or_default()))
}

/// The claims of a token that a published key signed; its times are the caller's business.
pub(crate) fn verify(ring: &KeyRing, token: &str) -> Option<Map<String, Value>> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Map<String, Value> = serde_json::from_slice(&decode(header)?).ok()?;
    if header.get("alg")?.as_str()? != "RS256" {
        return None;
    }
    if !ring.verify(header.get("kid")?.as_str()?, message.as_bytes(), &decode(signature)?) {
        return None;
    }
    serde_json::from_slice(&decode(claims)?).ok()
}
