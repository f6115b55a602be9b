//! A key to sign with: ECDSA on P-256 or Ed25519, read from a PKCS #8 PEM file (RFC 7518, RFC 8037).

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use thiserror::Error;

/// A private key with its public half ready to be shown. Shows nothing else in its Debug form; two are equal
/// where their public halves are.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    jwk: String,
    id: String,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no `PRIVATE KEY` block.
    #[error("no pkcs #8 private key in pem form")]
    Pem,
    /// It is a key for something else.
    #[error("neither a p-256 nor an ed25519 key")]
    Kind,
}

impl SigningKey {
    /// Reads a key.
    ///
    /// # Errors
    /// What it is not.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Pem)?;
        let der = der.secret_pkcs8_der();
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
        let pair = match p256 {
            Ok(pair) => Pair::P256(pair),
            Err(_) => Pair::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Kind)?),
        };
        let members = pair.public_members().ok_or(KeyError::Kind)?;
        // RFC 7638: the members that make the key, in the order of their names.
        let thumbprint = digest::digest(&digest::SHA256, format!("{{{members}}}").as_bytes());
        let id = URL_SAFE_NO_PAD.encode(thumbprint);
        let jwk = format!(
            "{{{members},\"alg\":\"{}\",\"use\":\"sig\",\"kid\":\"{id}\"}}",
            pair.algorithm()
        );
        Ok(Self(Arc::new(Inner { pair, jwk, id })))
    }

    /// `ES256` or `EdDSA`.
    pub(crate) fn algorithm(&self) -> &'static str {
        self.0.pair.algorithm()
    }

    /// The key's id: the thumbprint of its public half.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// The public half as a JWK.
    pub(crate) fn jwk(&self) -> &str {
        &self.0.jwk
    }

    /// A signature in the form that JWS wants it in. `None`: no random numbers are to be had.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.0.pair {
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl Pair {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    fn public_members(&self) -> Option<String> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::P256(pair) => {
                // Uncompressed: 4, then both coordinates.
                let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
                let (x, y) = (encode(x), encode(y));
                Some(format!(r#""crv":"P-256","kty":"EC","x":"{x}","y":"{y}""#))
            }
            Self::Ed25519(pair) => {
                let x = encode(pair.public_key().as_ref());
                Some(format!(r#""crv":"Ed25519","kty":"OKP","x":"{x}""#))
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for SigningKey {}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn both_kinds_of_keys_sign_what_their_public_half_verifies() {
        for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
            let pair = KeyPair::generate_for(algorithm).unwrap();
            let key = SigningKey::from_pem(&pair.serialize_pem()).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(signature.len(), 64);
            let jwk: serde_json::Value = serde_json::from_str(key.jwk()).unwrap();
            let decode = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            let verified = match key.algorithm() {
                "ES256" => {
                    let point = [vec![4], decode("x"), decode("y")].concat();
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(b"message", &signature)
                }
                _ => UnparsedPublicKey::new(&ED25519, decode("x")).verify(b"message", &signature),
            };
            assert!(verified.is_ok(), "{jwk}");
            assert_eq!(jwk["kid"], key.id());
            assert!(jwk.get("d").is_none());
        }
    }

    /// RFC 8037, appendix A.3
    #[test]
    fn the_id_is_the_thumbprint_of_the_public_half() {
        const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                           MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                           -----END PRIVATE KEY-----\n";
        let key = SigningKey::from_pem(PEM).unwrap();
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ id: {:?}, .. }}", key.id()));
    }

    #[test]
    fn other_keys_and_texts_are_refused() {
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
        assert_eq!(SigningKey::from_pem(&p384).unwrap_err(), KeyError::Kind);
        let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(SigningKey::from_pem(garbage).unwrap_err(), KeyError::Kind);
        for text in [
            "",
            "secret",
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
        ] {
            assert_eq!(SigningKey::from_pem(text).unwrap_err(), KeyError::Pem, "{text}");
        }
    }
}
