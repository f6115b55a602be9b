//! Sealed cookie values: encrypted, authenticated, and good for one purpose, one site and one cookie name only.
//!
//! AES-256-GCM (NIST SP 800-38D) under keys derived by HKDF-SHA256 (RFC 5869), one key a secret and purpose. The
//! first secret seals, all of them open, so that a secret can be replaced while sessions go on. A nonce is drawn
//! for each seal; 96 random bits are safe for 2^32 seals under one secret.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};

use crate::{
    Entropy, Secret,
    js::base64::{decode_lenient, encode_url_safe},
};

const VERSION: u8 = 1;

/// What is sealed. Keys differ, so that one is never taken for another (T-CRYPTO-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A sign-in that has begun.
    Attempt,
    /// A session.
    Session,
    /// When a session was last used.
    Use,
}

/// Seals and opens the values of one purpose at one site.
#[derive(Clone)]
pub(crate) struct Sealer {
    keys: Vec<LessSafeKey>,
    site: String,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// What a sealed value is longer than the value, before base64: version, nonce and tag.
    pub(crate) const OVERHEAD: usize = 1 + NONCE_LEN + 16;

    /// Keys from these secrets, newest first. `site` is whatever tells this site from those that may share a secret.
    pub(crate) fn new<'s>(
        secrets: impl IntoIterator<Item = &'s Secret<String>>,
        purpose: Purpose,
        site: impl Into<String>,
    ) -> Self {
        let site = site.into();
        let keys = secrets.into_iter().filter_map(|secret| derive(secret, purpose, &site));
        Self {
            keys: keys.collect(),
            site,
        }
    }

    /// Seals a value for the cookie of this name: URL-safe base64 of version, nonce and ciphertext.
    /// `None` only without a key.
    pub(crate) fn seal(&self, cookie: &str, value: &[u8], rng: &mut dyn Entropy) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + value.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        let mut text = value.to_vec();
        self.keys
            .first()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.bound_to(cookie), &mut text)
            .ok()?;
        sealed.append(&mut text);
        Some(encode_url_safe(&sealed))
    }

    /// Opens what was sealed for the cookie of this name. `None`: it was not, or not by us.
    pub(crate) fn open(&self, cookie: &str, text: &str) -> Option<Vec<u8>> {
        let sealed = decode_lenient(text);
        let (&version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
        if version != VERSION {
            return None;
        }
        self.keys.iter().find_map(|key| {
            let mut text = text.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let value = key.open_in_place(nonce, self.bound_to(cookie), &mut text).ok()?;
            Some(value.to_vec())
        })
    }

    /// What is authenticated beside the value.
    fn bound_to(&self, cookie: &str) -> Aad<String> {
        Aad::from(format!("{VERSION}\0{}\0{cookie}", self.site))
    }
}

fn derive(secret: &Secret<String>, purpose: Purpose, site: &str) -> Option<LessSafeKey> {
    let label: &[u8] = match purpose {
        Purpose::Attempt => b"sign-in attempt",
        Purpose::Session => b"session",
        Purpose::Use => b"session use",
    };
    let extracted = Salt::new(HKDF_SHA256, b"portcullis seal, version 1").extract(secret.expose().as_bytes());
    let info = [label, b"\0", site.as_bytes()];
    let expanded = extracted.expand(&info, &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(expanded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u8);

    impl Entropy for Counter {
        fn fill(&mut self, out: &mut [u8]) {
            self.0 += 1;
            out.fill(self.0);
        }
    }

    fn sealer(secrets: &[&str], purpose: Purpose, site: &str) -> Sealer {
        let secrets: Vec<Secret<String>> = secrets.iter().map(|&text| Secret::new(text.to_owned())).collect();
        Sealer::new(&secrets, purpose, site)
    }

    #[test]
    fn t_crypto_2_each_seal_has_a_nonce_of_its_own_and_opens_to_what_was_sealed() {
        let sealer = sealer(&["a secret"], Purpose::Attempt, "site");
        let mut rng = Counter(0);
        let (one, two) = (sealer.seal("c", b"v", &mut rng), sealer.seal("c", b"v", &mut rng));
        assert_ne!(one, two);
        for sealed in [one, two] {
            assert_eq!(sealer.open("c", &sealed.unwrap()).as_deref(), Some(&b"v"[..]));
        }
    }

    #[test]
    fn t_crypto_2_a_value_is_bound_to_cookie_name_site_and_version() {
        let here = sealer(&["a secret"], Purpose::Session, "site");
        let sealed = here.seal("c", b"v", &mut Counter(0)).unwrap();
        assert_eq!(here.open("d", &sealed), None);
        assert_eq!(
            sealer(&["a secret"], Purpose::Session, "other").open("c", &sealed),
            None
        );
        let mut bytes = decode_lenient(&sealed);
        bytes[0] = 2;
        assert_eq!(here.open("c", &encode_url_safe(&bytes)), None);
    }

    #[test]
    fn t_crypto_3_what_is_sealed_for_one_purpose_does_not_open_for_another() {
        let sealed = sealer(&["s"], Purpose::Attempt, "site").seal("c", b"v", &mut Counter(0));
        assert_eq!(
            sealer(&["s"], Purpose::Session, "site").open("c", &sealed.unwrap()),
            None
        );
    }

    #[test]
    fn t_sess_3_an_old_secret_opens_the_new_one_seals_and_a_removed_one_refuses() {
        let old = sealer(&["old"], Purpose::Session, "site");
        let both = sealer(&["new", "old"], Purpose::Session, "site");
        let new = sealer(&["new"], Purpose::Session, "site");
        let by_old = old.seal("c", b"v", &mut Counter(0)).unwrap();
        let by_both = both.seal("c", b"v", &mut Counter(0)).unwrap();
        assert!(both.open("c", &by_old).is_some());
        assert!(new.open("c", &by_both).is_some());
        assert_eq!(new.open("c", &by_old), None);
        assert_eq!(old.open("c", &by_both), None);
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let sealer = sealer(&["s"], Purpose::Session, "site");
        let sealed = decode_lenient(&sealer.seal("c", b"value", &mut Counter(0)).unwrap());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open("c", &encode_url_safe(&changed)), None, "byte {at}");
            assert_eq!(sealer.open("c", &encode_url_safe(&sealed[..at])), None, "length {at}");
        }
    }
}
