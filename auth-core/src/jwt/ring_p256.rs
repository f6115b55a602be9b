//! ES256 signatures (RFC 7518, section 3.4), computed by ring. Cognito has none; other providers may.

use ring::{
    error::Unspecified,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};

use crate::js::base64::decode_url_safe;

/// Bytes of a coordinate.
const COORDINATE: usize = 32;

/// A public key on the curve P-256.
#[derive(Debug)]
pub(super) struct P256Key(UnparsedPublicKey<Vec<u8>>);

impl P256Key {
    pub(super) const ALGORITHM: &str = "ES256";

    /// Reads a JWK by its texts (RFC 7518, section 6.2.1). Whether the point is on the curve shows at the first use.
    pub(super) fn from_jwk<'j>(text: &impl Fn(&str) -> Option<&'j str>) -> Option<Self> {
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return None;
        }
        let coordinate = |name| decode_url_safe(text(name)?).filter(|bytes| bytes.len() == COORDINATE);
        // SEC 1, section 2.3.3: an uncompressed point.
        let point = [&[4], &*coordinate("x")?, &*coordinate("y")?].concat();
        Some(Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
        self.0.verify(message, signature)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test draws randomness")]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };

    use super::*;
    use crate::js::base64::encode_url_safe;

    fn pair() -> EcdsaKeyPair {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &SystemRandom::new()).unwrap()
    }

    fn key(pair: &EcdsaKeyPair, change: (&str, &str)) -> Option<P256Key> {
        let point = pair.public_key().as_ref();
        let (x, y) = (encode_url_safe(&point[1..33]), encode_url_safe(&point[33..]));
        let jwk = [("kty", "EC"), ("crv", "P-256"), ("x", &x), ("y", &y)];
        let text = |name: &str| {
            let stated = jwk.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
            if change.0 == name { Some(change.1) } else { stated }
        };
        P256Key::from_jwk(&text)
    }

    #[test]
    fn a_signature_by_the_key_counts_and_no_other() {
        let pair = pair();
        let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
        let known = key(&pair, ("", "")).unwrap();
        assert!(known.verify(b"message", signature.as_ref()).is_ok());
        assert!(known.verify(b"massage", signature.as_ref()).is_err());
        assert!(known.verify(b"message", &[0; 64]).is_err());
        assert!(known.verify(b"message", &signature.as_ref()[1..]).is_err());
        let other = key(&self::pair(), ("", "")).unwrap();
        assert!(other.verify(b"message", signature.as_ref()).is_err());
    }

    #[test]
    fn other_curves_and_lengths_are_no_keys() {
        let pair = pair();
        for change in [("kty", "RSA"), ("crv", "P-384"), ("x", "AAAA"), ("y", ""), ("x", "?")] {
            assert!(key(&pair, change).is_none(), "{change:?}");
        }
        let off_the_curve = key(&pair, ("x", &"A".repeat(43))).unwrap();
        assert!(off_the_curve.verify(b"message", &[1; 64]).is_err());
    }
}
