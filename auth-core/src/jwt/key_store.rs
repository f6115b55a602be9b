//! The issuer's keys: those of the configuration, replaced by what a fetch brings.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use jsonwebtoken::DecodingKey;

use super::{Speaker, header::Header, ring_p256::P256Key};
use crate::{UnixTime, js::base64::decode_lenient, json::Json};

/// After a fetch that did not bring the wanted key, none follows for this long.
const COOL_DOWN: std::time::Duration = std::time::Duration::from_secs(10);

/// A JWK set (RFC 7517).
#[derive(Clone, Debug, Default)]
pub(crate) struct JwkSet(Arc<[(String, VerificationKey)]>);

/// One key of the set, fit for signatures or not: a token that names it is judged by it.
#[derive(Debug)]
pub(crate) struct VerificationKey {
    rsa: Option<DecodingKey>,
    p256: Option<P256Key>,
    algorithm: Option<String>,
    /// The header that its tokens have, as it is written and as it was read: an issuer writes the same into each.
    header: OnceLock<(Box<str>, Header)>,
}

impl JwkSet {
    /// Reads a JWK set. `None` unless it is an object with a list of `keys`. Keys without a `kid` can
    /// never be named and are dropped; of several with one `kid` the first counts.
    pub(crate) fn from_json(json: &Json, speaker: Speaker) -> Option<Self> {
        let Json::Array(keys) = json.member("keys")? else {
            return None;
        };
        let named = keys.iter().filter_map(|key| {
            let key_id = key.member("kid")?.as_str()?;
            Some((key_id.to_owned(), VerificationKey::from_json(key, speaker)))
        });
        Some(Self(named.collect()))
    }

    fn find(&self, key_id: &str) -> Option<&VerificationKey> {
        self.0.iter().find(|(known, _)| known == key_id).map(|(_, key)| key)
    }
}

impl VerificationKey {
    fn from_json(jwk: &Json, speaker: Speaker) -> Self {
        let text = |name: &str| jwk.member(name).and_then(Json::as_str);
        let number = |name: &str| {
            // ring wants no leading zero bytes; some issuers write one.
            let bytes = decode_lenient(text(name)?);
            let start = bytes.iter().position(|&byte| byte != 0)?;
            Some(bytes[start..].to_vec())
        };
        // The reference wants the use said; RFC 7517, section 4.2, does not.
        let for_signatures = match text("use") {
            None => speaker == Speaker::Generic,
            Some(stated) => stated == "sig",
        };
        let rsa = number("n")
            .zip(number("e"))
            .filter(|_| for_signatures && text("kty") == Some("RSA"))
            .map(|(n, e)| DecodingKey::from_rsa_raw_components(&n, &e));
        let p256 = if for_signatures && speaker == Speaker::Generic {
            P256Key::from_jwk(&text)
        } else {
            None
        };
        Self {
            rsa,
            p256,
            algorithm: text("alg").map(str::to_owned),
            header: OnceLock::new(),
        }
    }

    /// Remembers the header of a token that this key has signed; the first one only, so that nobody pays for more.
    pub(super) fn remember(&self, text: &str, header: &Header) {
        self.header.get_or_init(|| (text.into(), header.clone()));
    }

    /// The RSA key, if it is one for signatures by this algorithm.
    pub(super) fn for_algorithm(&self, algorithm: &str) -> Option<&DecodingKey> {
        self.rsa.as_ref().filter(|_| self.fits(algorithm))
    }

    /// The P-256 key, if it is one for signatures by this algorithm.
    pub(super) fn p256_for(&self, algorithm: &str) -> Option<&P256Key> {
        let fits = algorithm == P256Key::ALGORITHM && self.fits(algorithm);
        self.p256.as_ref().filter(|_| fits)
    }

    fn fits(&self, algorithm: &str) -> bool {
        self.algorithm.as_deref().is_none_or(|own| own == algorithm)
    }
}

/// The issuer's keys, replaced as a whole.
#[derive(Debug)]
pub(crate) struct KeyStore(RwLock<State>);

/// The keys in force, which nobody replaces meanwhile: for as long as a verification takes, never across a call.
#[derive(Debug)]
pub(crate) struct KeysInForce<'s>(RwLockReadGuard<'s, State>);

#[derive(Debug)]
struct State {
    keys: JwkSet,
    quiet_until: UnixTime,
}

impl KeyStore {
    pub(crate) fn new(keys: JwkSet) -> Self {
        Self(RwLock::new(State {
            keys,
            quiet_until: UnixTime::from_millis(i64::MIN),
        }))
    }

    /// The keys as they are now. Nobody may look a second time while they hold them: who waits to replace them would
    /// stand between the two.
    pub(crate) fn in_force(&self) -> KeysInForce<'_> {
        KeysInForce(self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in the outcome of a fetch made for `key_id` (`None`: it failed). The old keys stay when nothing usable came.
    pub(crate) fn settle_fetch(&self, fetched: Option<JwkSet>, key_id: &str, now: UnixTime) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = fetched {
            state.keys = keys;
        }
        if state.keys.find(key_id).is_none() {
            // Also after a failure: tokens with made-up key ids must not become requests to the issuer.
            state.quiet_until = now.after(COOL_DOWN);
        }
    }
}

impl KeysInForce<'_> {
    /// The key of that id.
    pub(crate) fn find(&self, key_id: &str) -> Option<&VerificationKey> {
        self.0.keys.find(key_id)
    }

    /// Whether a fetch may bring a key that is not among them: not where one has been tried just now.
    pub(crate) fn is_fetch_due(&self, now: UnixTime) -> bool {
        now >= self.0.quiet_until
    }

    /// The header that is written so, if one of the keys has signed a token that has it.
    pub(super) fn header(&self, text: &str) -> Option<&Header> {
        let mut known = self.0.keys.0.iter().filter_map(|(_, key)| key.header.get());
        known.find(|(known, _)| **known == *text).map(|(_, header)| header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Option<JwkSet> {
        JwkSet::from_json(&Json::parse(text.as_bytes()).unwrap(), Speaker::Cognito)
    }

    const fn at(secs: i64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn a_set_without_a_list_of_keys_is_none() {
        assert!(set("{}").is_none());
        assert!(set(r#"{"keys":{}}"#).is_none());
        assert!(set("[]").is_none());
        assert!(set(r#"{"keys":[]}"#).is_some());
    }

    #[test]
    fn after_a_fetch_without_the_key_none_is_due_for_ten_seconds() {
        let store = KeyStore::new(JwkSet::default());
        assert!(store.in_force().is_fetch_due(at(100)));
        store.settle_fetch(None, "k", at(100));
        assert!(store.in_force().find("k").is_none());
        assert!(!store.in_force().is_fetch_due(at(109)));
        assert!(store.in_force().is_fetch_due(at(110)));
    }

    #[test]
    fn a_failed_fetch_leaves_the_known_keys_in_force() {
        let store = KeyStore::new(set(r#"{"keys":[{"kid":"a"}]}"#).unwrap());
        store.settle_fetch(None, "b", at(0));
        let keys = store.in_force();
        assert!(keys.find("b").is_none() && keys.find("a").is_some());
    }

    #[test]
    fn the_first_header_that_a_key_has_signed_is_known_as_long_as_the_key() {
        let store = KeyStore::new(set(r#"{"keys":[{"kid":"a"},{"kid":"b"}]}"#).unwrap());
        let header = Header::parse(br#"{"alg":"RS256","kid":"b"}"#).unwrap();
        assert!(store.in_force().header("of b").is_none());
        for text in ["of b", "of b, otherwise"] {
            store.in_force().find("b").unwrap().remember(text, &header);
        }
        assert_eq!(store.in_force().header("of b"), Some(&header));
        assert_eq!(store.in_force().header("of b, otherwise"), None);
        store.settle_fetch(set(r#"{"keys":[{"kid":"b"}]}"#), "b", at(0));
        assert_eq!(store.in_force().header("of b"), None);
    }

    #[test]
    fn a_fetched_set_replaces_the_configured_one() {
        let store = KeyStore::new(set(r#"{"keys":[{"kid":"a"}]}"#).unwrap());
        store.settle_fetch(set(r#"{"keys":[{"kid":"b"}]}"#), "b", at(0));
        let keys = store.in_force();
        assert!(keys.find("b").is_some() && keys.find("a").is_none());
        assert!(keys.is_fetch_due(at(0)));
    }
}
