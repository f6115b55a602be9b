//! What one RS256 verification costs in the crypto library alone.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents};

use crate::{process::thread_time, signing_key};

/// A token split as a verifier needs it.
pub(crate) struct Signed {
    message: String,
    pub(crate) signature: Vec<u8>,
}

impl Signed {
    pub(crate) fn of(token: &str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        Some(Self {
            message: message.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }
}

/// Ring with the public half of the key that signs the tokens.
pub(crate) struct Verifier(RsaPublicKeyComponents<Vec<u8>>);

impl Verifier {
    pub(crate) fn new() -> Self {
        let pair = RsaKeyPair::from_pkcs8(&signing_key()).expect("the test key is PKCS#8");
        Self(pair.public().into())
    }

    pub(crate) fn verify(&self, signed: &Signed) -> bool {
        let message = black_box(signed.message.as_bytes());
        let verified = self
            .0
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, black_box(&signed.signature));
        verified.is_ok()
    }
}

/// What one verification takes, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verification {
    /// By the clock, as the proxy measures its decisions: what else comes between counts in both.
    pub(crate) clock: f64,
    /// Processor time, as a request is measured.
    pub(crate) processor: f64,
}

/// The average over these tokens. `None` if one does not verify: then the figures would be of something else.
pub(crate) fn measure(tokens: &[&str]) -> Option<Verification> {
    let verifier = Verifier::new();
    let signed: Vec<Signed> = tokens.iter().copied().map(Signed::of).collect::<Option<_>>()?;
    let (began, began_processor) = (Instant::now(), thread_time());
    let are_good = signed.iter().all(|signed| verifier.verify(signed));
    let (clock, processor) = (began.elapsed(), thread_time().checked_sub(began_processor)?);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / signed.len() as f64;
    (are_good && !signed.is_empty()).then(|| Verification {
        clock: each(clock),
        processor: each(processor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::{Minter, Validity};

    #[test]
    fn good_tokens_take_their_time() {
        let minter = Minter::new();
        let tokens = [1, 2].map(|serial| minter.id_token(serial, Validity::Valid));
        let taken = measure(&tokens.each_ref().map(String::as_str)).unwrap();
        assert!(taken.clock > 0.0 && taken.processor > 0.0, "{taken:?}");
    }

    #[test]
    fn a_token_that_does_not_verify_gives_no_figure() {
        assert_eq!(measure(&["e30.e30.AAAA"]), None);
        assert_eq!(measure(&[]), None);
    }
}
