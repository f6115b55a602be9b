//! The nonce that ties a sign-in or refresh to the browser that began it, and its signature.
//!
//! A nonce is `{unix seconds}T{random characters}`. Its signature is kept in a cookie of its own, so
//! that a nonce cookie planted from a sister domain is worth nothing.

use crate::{
    Config, Entropy, Reason, UnixTime,
    config::Secrets,
    entropy::Draw,
    hmac::{bytes_equal, sha256, sign},
    js::{
        base64::{encode_standard, encode_url_safe},
        number::parse_int,
    },
};

/// A fresh nonce.
pub(crate) fn generate(secrets: &Secrets, now: UnixTime, rng: &mut dyn Entropy) -> String {
    let random = random_text(secrets, secrets.nonce_length, rng);
    format!("{}T{random}", timestamp(now))
}

/// The signature of a nonce: base64 first, then cut, then made fit for a cookie.
pub(crate) fn signature(secrets: &Secrets, nonce: &str) -> String {
    let mac = encode_standard(&sign(secrets.nonce_signing.expose().as_bytes(), nonce.as_bytes()));
    let cut: String = mac.chars().take(secrets.nonce_length).collect();
    cut.replace('+', "-").replace('/', "_").replace('=', "")
}

/// A fresh PKCE code verifier (RFC 7636, section 4.1).
pub(crate) fn code_verifier(secrets: &Secrets, rng: &mut dyn Entropy) -> String {
    random_text(secrets, secrets.pkce_length, rng)
}

/// The S256 challenge of a verifier (RFC 7636, section 4.2).
pub(crate) fn code_challenge(verifier: &str) -> String {
    encode_url_safe(&sha256(verifier.as_bytes()))
}

/// Why a nonce that equals its cookie is refused all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonceError {
    /// Older than allowed. `sensible`: its time is one that a calendar knows.
    TooOld { sensible: bool },
    /// Not signed by us, or no signature.
    Signature,
}

impl NonceError {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::TooOld { .. } => Reason::NonceExpired,
            Self::Signature => Reason::NonceSignature,
        }
    }

    /// What a viewer may read about it. Never the signature that was expected.
    pub(crate) const fn details(self) -> &'static str {
        match self {
            Self::TooOld { .. } => "Too much time has passed since this was begun.",
            Self::Signature => "The cookie that ties this to your browser was not signed by this site.",
        }
    }
}

/// Proof that a nonce equals its cookie, is young enough and was signed by us.
#[derive(Debug)]
pub(crate) struct MatchedNonce(());

/// Checks age and signature of a nonce that equals its cookie, in this order.
pub(crate) fn verify(
    config: &Config,
    nonce: &str,
    hmac: Option<&str>,
    now: UnixTime,
) -> Result<MatchedNonce, NonceError> {
    let secrets = &config.secrets;
    // Text without a readable time counts as young, as in the reference: the signature decides.
    if let Some(made) = parse_int(time_part(nonce)) {
        let age = f64::from(timestamp(now)) - made;
        if age > secrets.nonce_max_age_secs {
            const MAX_DATE_SECS: f64 = 8.64e12;
            return Err(NonceError::TooOld {
                sensible: made.abs() <= MAX_DATE_SECS,
            });
        }
    }
    let expected = signature(secrets, nonce);
    if hmac.is_some_and(|hmac| bytes_equal(hmac.as_bytes(), expected.as_bytes())) {
        Ok(MatchedNonce(()))
    } else {
        Err(NonceError::Signature)
    }
}

/// The text before the first `T`; without one, the text without its last character.
fn time_part(nonce: &str) -> &str {
    match nonce.split_once('T') {
        Some((time, _)) => time,
        None => nonce.char_indices().next_back().map_or("", |(last, _)| &nonce[..last]),
    }
}

/// Unix seconds as the reference counts them: in 32 bits, so negative from 2038 on. Both sides of
/// every comparison are made so; a deployment of the reference and one of ours must agree.
const fn timestamp(now: UnixTime) -> i32 {
    now.as_secs() as i32
}

fn random_text(secrets: &Secrets, length: usize, rng: &mut dyn Entropy) -> String {
    let alphabet = &secrets.allowed_characters;
    // The configuration refuses an empty alphabet and one that 32 bits cannot count.
    let size = u32::try_from(alphabet.len()).unwrap_or(u32::MAX);
    let mut draw = Draw::new(rng);
    (0..length).map(|_| alphabet[draw.below(size) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_what_stands_before_the_first_t() {
        assert_eq!(time_part("12T34T5"), "12");
        assert_eq!(time_part("123é"), "123");
        assert_eq!(time_part(""), "");
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        assert_eq!(
            code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
