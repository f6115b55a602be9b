//! A compact JWS taken apart, its form checked and nothing else (RFC 7515, section 7.1).

use std::str::FromStr;

use jsonwebtoken::{Algorithm, signature::Verifier};

use super::{key_store::VerificationKey, ring_rsa::RsaVerifier};
use crate::{
    js::base64::{decode_lenient, is_url_safe},
    json::Json,
};

/// A token of the right form.
#[derive(Debug)]
pub(crate) struct ParsedJwt<'t> {
    signing_input: &'t str,
    signature: &'t str,
    pub(crate) key_id: Option<String>,
    algorithm: String,
    pub(crate) payload: Json,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// The key is not one for RSA signatures, or not for the token's algorithm.
    Key,
    /// The signature is wrong.
    Signature,
}

impl<'t> ParsedJwt<'t> {
    /// Takes a token apart. `None` unless it has three non-empty base64url parts, of which the first
    /// two are JSON objects whose registered members have the right types. Bits left over in the
    /// encoding and bad UTF-8 are tolerated, as in the reference.
    pub(crate) fn parse(token: &'t str) -> Option<Self> {
        let (signing_input, signature) = token.rsplit_once('.')?;
        let (header, payload) = signing_input.split_once('.')?;
        if [header, payload, signature]
            .iter()
            .any(|part| part.is_empty() || !is_url_safe(part))
        {
            return None;
        }
        let header = Json::parse_lossy(&decode_lenient(header))?;
        let algorithm = header.member("alg")?.as_str()?.to_owned();
        let key_id = match header.member("kid") {
            None => None,
            Some(key_id) => Some(key_id.as_str()?.to_owned()),
        };
        let payload = Json::parse_lossy(&decode_lenient(payload))?;
        has_right_types(&payload).then_some(Self {
            signing_input,
            signature,
            key_id,
            algorithm,
            payload,
        })
    }

    /// Verifies the signature with the key that the token names. `crit`, `jwk`, `jku` and the like in
    /// the header are never looked at.
    pub(crate) fn verify_signature(&self, key: &VerificationKey) -> Result<(), SignatureError> {
        let rsa = key.for_algorithm(&self.algorithm).ok_or(SignatureError::Key)?;
        let algorithm = Algorithm::from_str(&self.algorithm).map_err(|_| SignatureError::Key)?;
        let verifier = RsaVerifier::new(algorithm, rsa).ok_or(SignatureError::Key)?;
        verifier
            .verify(self.signing_input.as_bytes(), &decode_lenient(self.signature))
            .map_err(|_| SignatureError::Signature)
    }
}

/// The registered claims, where present, are of the types RFC 7519 gives them.
fn has_right_types(payload: &Json) -> bool {
    let Some(claims) = payload.as_object() else {
        return false;
    };
    let absent_or = |name: &str, fits: fn(&Json) -> bool| claims.get(name).is_none_or(fits);
    let is_number = |json: &Json| json.as_number().is_some();
    let is_text = |json: &Json| json.as_str().is_some();
    ["exp", "nbf", "iat"].iter().all(|name| absent_or(name, is_number))
        && ["iss", "scope", "jti"].iter().all(|name| absent_or(name, is_text))
        && absent_or("aud", |json| match json {
            Json::String(_) => true,
            Json::Array(list) => list.iter().all(|entry| entry.as_str().is_some()),
            _ => false,
        })
}
