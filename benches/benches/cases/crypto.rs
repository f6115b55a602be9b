//! The signature alone, as ring computes it: what a first-seen session cannot go below.

use std::hint::black_box;

use benches::{signed_parts, signing_key};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::Case;

/// One RS256 verification. The tokens are those of the first-seen sessions.
pub(crate) fn rs256_alone() -> Case {
    let pair = RsaKeyPair::from_pkcs8(&signing_key()).expect("the test key is PKCS#8");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref().to_vec());
    let signed: Vec<(Vec<u8>, Vec<u8>)> = super::tokens()
        .iter()
        .map(|token| {
            let (input, signature) = signed_parts(token);
            (input.as_bytes().to_vec(), signature)
        })
        .collect();
    let mut next = 0;
    Case::new("crypto/rs256_alone", move || {
        let (message, signature) = &signed[next % signed.len()];
        next += 1;
        key.verify(black_box(message), black_box(signature))
            .expect("the signature is right");
    })
}
