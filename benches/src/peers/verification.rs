//! What one RS256 verification costs in the crypto library alone.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents};

use crate::{process::thread_time, signing_key};

/// A token split as a verifier needs it.
struct Signed {
    message: String,
    signature: Vec<u8>,
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
    let pair = RsaKeyPair::from_pkcs8(&signing_key()).ok()?;
    let key: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
    let signed: Vec<Signed> = tokens.iter().copied().map(split).collect::<Option<_>>()?;
    let (began, began_processor) = (Instant::now(), thread_time());
    for token in &signed {
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            black_box(token.message.as_bytes()),
            black_box(&token.signature),
        )
        .ok()?;
    }
    let (clock, processor) = (began.elapsed(), thread_time().checked_sub(began_processor)?);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / signed.len() as f64;
    (!signed.is_empty()).then(|| Verification {
        clock: each(clock),
        processor: each(processor),
    })
}

fn split(token: &str) -> Option<Signed> {
    let (message, signature) = token.rsplit_once('.')?;
    Some(Signed {
        message: message.to_owned(),
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
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
