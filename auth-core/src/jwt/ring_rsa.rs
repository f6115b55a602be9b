//! RSA signatures for jsonwebtoken's verifier interface, computed by ring.
//!
//! jsonwebtoken's own back ends are left out: ring is the one crypto library of every binary here, and
//! it is a third of the size of the alternatives at the edge. `jsonwebtoken::decode` is not called
//! either: which malformations are tolerated and which failed check answers first is wire behaviour.

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    crypto::JwtVerifier,
    signature::{Error, Verifier},
};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};

/// RSASSA-PKCS1-v1_5 with one public key and one hash (RFC 7518, section 3.3).
pub(crate) struct RsaVerifier<'k> {
    algorithm: Algorithm,
    parameters: &'static RsaParameters,
    key: &'k DecodingKey,
}

impl<'k> RsaVerifier<'k> {
    /// `None` for algorithms outside RS256, RS384, RS512.
    pub(crate) fn new(algorithm: Algorithm, key: &'k DecodingKey) -> Option<Self> {
        let parameters = match algorithm {
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
            _ => return None,
        };
        Some(Self {
            algorithm,
            parameters,
            key,
        })
    }
}

impl Verifier<Vec<u8>> for RsaVerifier<'_> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind() else {
            return Err(Error::new());
        };
        RsaPublicKeyComponents { n, e }
            .verify(self.parameters, message, signature)
            .map_err(|_| Error::new())
    }
}

impl JwtVerifier for RsaVerifier<'_> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
