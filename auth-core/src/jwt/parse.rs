//! A compact JWS taken apart, its form checked and nothing else (RFC 7515, section 7.1).

use std::{borrow::Cow, str::FromStr};

use jsonwebtoken::{Algorithm, signature::Verifier};
use memchr::{memchr, memrchr};
use smallvec::{SmallVec, smallvec};

use super::{
    claims_set::{Claim, ClaimsSet},
    header::{Header, TokenType},
    key_store::{KeysInForce, VerificationKey},
    ring_rsa::RsaVerifier,
};
use crate::js::base64::{decode_url_safe, decode_url_safe_into, decoded_length};

/// As long as the JSON of most tokens.
type Payload = SmallVec<[u8; 1_536]>;

/// A token of the right form.
#[derive(Debug)]
pub(crate) struct ParsedJwt<'t> {
    header_text: &'t str,
    signing_input: &'t str,
    signature: Vec<u8>,
    header: Cow<'t, Header>,
    pub(crate) claims: &'t ClaimsSet,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// The key is not one for signatures, or not for the token's algorithm.
    Key,
    /// The signature is wrong.
    Signature,
}

impl<'t> ParsedJwt<'t> {
    /// Takes a token apart and reads its claims. `None` unless it has three non-empty base64url parts, of which the first
    /// two are JSON objects whose registered members have the right types. Bits left over in the
    /// encoding and bad UTF-8 are tolerated, as in the reference. A header that the keys have vouched for is not read.
    pub(crate) fn parse(token: &'t str, keys: &'t KeysInForce<'_>, claims: &'t mut ClaimsSet) -> Option<Self> {
        let (signing_input, signature) = parted(token, memrchr(b'.', token.as_bytes())?);
        let (header_text, payload) = parted(signing_input, memchr(b'.', signing_input.as_bytes())?);
        if signature.is_empty() {
            return None;
        }
        let header = match keys.header(header_text) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(Header::parse(&decode_url_safe(header_text)?)?),
        };
        let signature = decode_url_safe(signature)?;
        read_payload(payload, claims)?;
        has_right_types(claims).then_some(Self {
            header_text,
            signing_input,
            signature,
            header,
            claims,
        })
    }

    /// The `kid` of the key that is said to have signed it.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// What kind of token its header says it is.
    pub(crate) fn token_type(&self) -> TokenType {
        self.header.token_type
    }

    /// Verifies the signature with the key that the token names, which will know the header from then on.
    pub(crate) fn verify_signature(&self, key: &VerificationKey) -> Result<(), SignatureError> {
        self.verify_by(key)?;
        key.remember(self.header_text, &self.header);
        Ok(())
    }

    fn verify_by(&self, key: &VerificationKey) -> Result<(), SignatureError> {
        if let Some(p256) = key.p256_for(&self.header.algorithm) {
            let verified = p256.verify(self.signing_input.as_bytes(), &self.signature);
            return verified.map_err(|_| SignatureError::Signature);
        }
        let rsa = key.for_algorithm(&self.header.algorithm).ok_or(SignatureError::Key)?;
        let algorithm = Algorithm::from_str(&self.header.algorithm).map_err(|_| SignatureError::Key)?;
        let verifier = RsaVerifier::new(algorithm, rsa).ok_or(SignatureError::Key)?;
        verifier
            .verify(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| SignatureError::Signature)
    }
}

/// Reads the claims of a token that has been taken apart before.
pub(super) fn read_claims(token: &str, claims: &mut ClaimsSet) -> Option<()> {
    read_payload(token.split('.').nth(1)?, claims)
}

fn read_payload(payload: &str, claims: &mut ClaimsSet) -> Option<()> {
    let mut room: Payload = smallvec![0; decoded_length(payload)];
    claims.read(decode_url_safe_into(payload, &mut room)?)
}

/// What is before and after the dot that is there.
fn parted(text: &str, dot: usize) -> (&str, &str) {
    (&text[..dot], &text[dot + 1..])
}

/// The registered claims, where present, are of the types RFC 7519 gives them.
fn has_right_types(claims: &ClaimsSet) -> bool {
    let are = |names: &[&str], is_right: fn(Claim<'_>) -> bool| {
        names.iter().filter_map(|name| claims.get(name)).all(is_right)
    };
    let is_text = |claim: Claim<'_>| claim.as_str().is_some();
    are(&["exp", "nbf", "iat"], |claim| claim.as_number().is_some())
        && are(&["iss", "scope", "jti"], is_text)
        && claims
            .get("aud")
            .is_none_or(|aud| aud.entries().all(|entry| entry.as_str().is_some()))
}
