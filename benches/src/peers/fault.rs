//! Sessions that must not pass.

use base64::{
    DecodeError, Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    generator::Cookies,
    sessions::{Minter, Validity},
    signing_key,
};

const FOREIGN_KEY: &str = include_str!("../../../auth-core/tests/keys/foreign.private.pem");

/// What is wrong with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is none.
    Missing,
    /// The token has expired.
    Expired,
    /// Its signature is not one.
    Forged,
    /// Somebody else has signed it.
    Foreign,
    /// It is for another client.
    Audience,
    /// It comes from another pool.
    Issuer,
    /// It is an access token.
    Use,
}

/// Why a bad token cannot be made.
#[derive(Debug, Error)]
pub(crate) enum FaultError {
    /// A test key is damaged.
    #[error("read a signing key: {0}")]
    Key(KeyRejected),
    /// A test key is no PEM, or the good token has no such parts.
    #[error("decode a key or token: {0}")]
    Decode(#[from] DecodeError),
    /// The good token's claims are none.
    #[error("read the claims: {0}")]
    Claims(#[from] serde_json::Error),
    /// The good token is none.
    #[error("the token does not have three parts")]
    Shape,
    /// The crypto library refuses.
    #[error("sign a token")]
    Sign,
}

impl From<KeyRejected> for FaultError {
    fn from(error: KeyRejected) -> Self {
        Self::Key(error)
    }
}

impl From<Unspecified> for FaultError {
    fn from(Unspecified: Unspecified) -> Self {
        Self::Sign
    }
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Missing,
        Self::Expired,
        Self::Forged,
        Self::Foreign,
        Self::Audience,
        Self::Issuer,
        Self::Use,
    ];

    /// A session that has this fault and no other.
    ///
    /// # Errors
    /// If the keys of the tests are damaged.
    pub(crate) fn session(self, minter: &Minter) -> Result<Cookies, FaultError> {
        let good = minter.id_token(0, Validity::Valid);
        let token = match self {
            Self::Missing => return Ok(Cookies::fixed("theme=dark")),
            Self::Expired => minter.id_token(0, Validity::Expired),
            Self::Forged => forged(&good),
            Self::Foreign => signed_again(&good, &pem(FOREIGN_KEY)?, None)?,
            Self::Audience => signed_again(&good, &signing_key(), Some(("aud", "another-client")))?,
            Self::Issuer => signed_again(&good, &signing_key(), Some(("iss", "https://issuer.example")))?,
            Self::Use => signed_again(&good, &signing_key(), Some(("token_use", "access")))?,
        };
        Ok(without_refresh(&minter.cookies(&token)))
    }
}

/// With its refresh token ours would ask the identity provider for a better session, which is not what is
/// compared.
fn without_refresh(session: &Cookies) -> Cookies {
    let header = session.header();
    let kept = header.split("; ").filter(|cookie| !cookie.contains(".refreshToken="));
    Cookies::fixed(&kept.collect::<Vec<_>>().join("; "))
}

/// The same but for the end of the signature.
fn forged(good: &str) -> String {
    let kept = good.len().saturating_sub(8);
    let end = if good.ends_with("AAAAAAAA") {
        "BBBBBBBA"
    } else {
        "AAAAAAAA"
    };
    format!("{}{end}", good.get(..kept).unwrap_or_default())
}

/// The same claims but for one, signed with this key.
fn signed_again(good: &str, key: &[u8], changed: Option<(&str, &str)>) -> Result<String, FaultError> {
    let mut parts = good.split('.');
    let (Some(header), Some(claims)) = (parts.next(), parts.next()) else {
        return Err(FaultError::Shape);
    };
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    if let Some((name, value)) = changed {
        claims[name] = json!(value);
    }
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let pair = RsaKeyPair::from_pkcs8(key)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        input.as_bytes(),
        &mut signature,
    )?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn pem(text: &str) -> Result<Vec<u8>, DecodeError> {
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_makes_a_session_of_its_own() {
        let minter = Minter::new();
        let mut seen = vec![minter.session(0, Validity::Valid).header()];
        for fault in Fault::ALL {
            let session = fault.session(&minter).unwrap().header();
            assert!(!seen.contains(&session), "{fault:?}");
            seen.push(session);
        }
    }

    #[test]
    fn a_bad_session_cannot_be_renewed() {
        let minter = Minter::new();
        let session = Fault::Expired.session(&minter).unwrap().header();
        assert!(session.contains(".idToken=") && !session.contains("refreshToken"));
    }

    #[test]
    fn without_a_change_and_with_the_right_key_the_token_is_the_good_one() {
        let good = Minter::new().id_token(3, Validity::Valid);
        assert_eq!(signed_again(&good, &signing_key(), None).unwrap(), good);
    }

    #[test]
    fn a_forged_token_differs_in_its_signature_alone() {
        let good = Minter::new().id_token(0, Validity::Valid);
        let bad = forged(&good);
        assert_ne!(good, bad);
        assert_eq!(good.rsplit_once('.').unwrap().0, bad.rsplit_once('.').unwrap().0);
        assert_eq!(good.len(), bad.len());
    }
}
