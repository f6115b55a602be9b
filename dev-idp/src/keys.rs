//! The signing keys: two in use at a time, as in a Cognito pool (one for id tokens, one for access tokens).

use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::error::KeyRejected;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// Test material, published with the source; see keys/README.md.
const PAIRS: [&[u8]; 4] = [
    include_bytes!("../keys/a.pk8"),
    include_bytes!("../keys/b.pk8"),
    include_bytes!("../keys/c.pk8"),
    include_bytes!("../keys/d.pk8"),
];
const FOREIGN: &[u8] = include_bytes!("../keys/foreign.pk8");
/// Id token key and access token key.
const KEYS_A_GENERATION: usize = 2;

/// What a rotation does with the keys in use so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKeys {
    /// They stay in the key set until the next rotation.
    StayPublished,
    /// They leave the key set at once.
    Withdrawn,
}

/// Which of a generation's two keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    IdToken,
    AccessToken,
}

#[derive(Clone, Copy, Debug)]
struct Generation {
    number: usize,
    old_keys: OldKeys,
}

/// The key pairs and which of them are current.
#[derive(Debug)]
pub(crate) struct KeyRing {
    pairs: Vec<RsaKeyPair>,
    foreign: RsaKeyPair,
    generation: RwLock<Generation>,
}

/// A key in use: its id and its pair.
pub(crate) struct SigningKey<'a> {
    pub(crate) kid: String,
    pub(crate) pair: &'a RsaKeyPair,
}

impl KeyRing {
    /// Parses the built-in pairs.
    pub(crate) fn built_in() -> Result<Self, KeyRejected> {
        Ok(Self {
            pairs: PAIRS
                .iter()
                .map(|der| RsaKeyPair::from_pkcs8(der))
                .collect::<Result<_, _>>()?,
            foreign: RsaKeyPair::from_pkcs8(FOREIGN)?,
            generation: RwLock::new(Generation {
                number: 0,
                old_keys: OldKeys::Withdrawn,
            }),
        })
    }

    /// The pair that is in no key set.
    pub(crate) fn foreign(&self) -> &RsaKeyPair {
        &self.foreign
    }

    pub(crate) fn current(&self, purpose: Purpose) -> SigningKey<'_> {
        let offset = match purpose {
            Purpose::IdToken => 0,
            Purpose::AccessToken => 1,
        };
        self.key(self.generation().number * KEYS_A_GENERATION + offset)
    }

    /// New key ids for both purposes, and other pairs than before.
    pub(crate) fn rotate(&self, old_keys: OldKeys) {
        let mut generation = self.generation.write().unwrap_or_else(PoisonError::into_inner);
        *generation = Generation {
            number: generation.number + 1,
            old_keys,
        };
    }

    /// The JWK set (RFC 7517, 5) with the members and the order of Cognito's.
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.published().map(|key| jwk(&key)).collect();
        json!({ "keys": keys })
    }

    /// Whether a published key of this id made `signature` over `message`.
    pub(crate) fn verify(&self, kid: &str, message: &[u8], signature: &[u8]) -> bool {
        self.published().filter(|key| key.kid == kid).any(|key| {
            let public = UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, key.pair.public());
            public.verify(message, signature).is_ok()
        })
    }

    fn generation(&self) -> Generation {
        *self.generation.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn published(&self) -> impl Iterator<Item = SigningKey<'_>> {
        let generation = self.generation();
        let oldest = match generation.old_keys {
            OldKeys::StayPublished => generation.number.saturating_sub(1),
            OldKeys::Withdrawn => generation.number,
        };
        (oldest * KEYS_A_GENERATION..(generation.number + 1) * KEYS_A_GENERATION).map(|number| self.key(number))
    }

    fn key(&self, number: usize) -> SigningKey<'_> {
        let pair = &self.pairs[number % self.pairs.len()];
        let seed = [&number.to_be_bytes(), pair.public().as_ref()].concat();
        SigningKey {
            kid: STANDARD.encode(digest(&SHA256, &seed)),
            pair,
        }
    }
}

/// RS256 over `message`; `None` if the pair refuses, which a 2048 bit key does not.
pub(crate) fn sign(pair: &RsaKeyPair, message: &[u8]) -> Option<Vec<u8>> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &ring::rand::SystemRandom::new(),
        message,
        &mut signature,
    )
    .ok()?;
    Some(signature)
}

fn jwk(key: &SigningKey<'_>) -> Value {
    let public = PublicKeyComponents::<Vec<u8>>::from(key.pair.public());
    json!({
        "alg": "RS256",
        "e": URL_SAFE_NO_PAD.encode(public.e),
        "kid": key.kid,
        "kty": "RSA",
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "use": "sig",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(ring: &KeyRing) -> Vec<String> {
        let jwks = ring.jwks();
        jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn withdrawing_replaces_the_whole_key_set() {
        let ring = KeyRing::built_in().unwrap();
        let before = kids(&ring);
        ring.rotate(OldKeys::Withdrawn);
        let after = kids(&ring);
        assert_eq!((before.len(), after.len()), (2, 2));
        assert!(after.iter().all(|kid| !before.contains(kid)));
    }

    #[test]
    fn staying_published_keeps_one_older_generation() {
        let ring = KeyRing::built_in().unwrap();
        let first = kids(&ring);
        ring.rotate(OldKeys::StayPublished);
        assert_eq!(kids(&ring).len(), 4);
        assert!(kids(&ring).starts_with(&first));
        ring.rotate(OldKeys::StayPublished);
        assert_eq!(kids(&ring).len(), 4);
        assert!(
            first.iter().all(|kid| !kids(&ring).contains(kid)),
            "the ids of a pair used again are new"
        );
    }

    #[test]
    fn a_signature_verifies_under_its_key_id_alone() {
        let ring = KeyRing::built_in().unwrap();
        let key = ring.current(Purpose::IdToken);
        let signature = sign(key.pair, b"message").unwrap();
        assert!(ring.verify(&key.kid, b"message", &signature));
        assert!(!ring.verify(&key.kid, b"massage", &signature));
        assert!(!ring.verify(&ring.current(Purpose::AccessToken).kid, b"message", &signature));
        assert!(!ring.verify(&key.kid, b"message", &sign(ring.foreign(), b"message").unwrap()));
    }
}
