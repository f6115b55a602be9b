//! What one RS256 verification costs in the crypto library alone.

use std::{hint::black_box, time::Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents};

use crate::signing_key;

/// A token split as a verifier needs it.
struct Signed {
    message: String,
    signature: Vec<u8>,
}

/// Microseconds of one verification, on average over these tokens, by the clock, as the proxy measures its decisions:
/// what else comes between counts in both. `None` if one does not verify: then the figure would be of something else.
pub(crate) fn microseconds(tokens: &[&str]) -> Option<f64> {
    let pair = RsaKeyPair::from_pkcs8(&signing_key()).ok()?;
    let key: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
    let signed: Vec<Signed> = tokens.iter().copied().map(split).collect::<Option<_>>()?;
    let began = Instant::now();
    for token in &signed {
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            black_box(token.message.as_bytes()),
            black_box(&token.signature),
        )
        .ok()?;
    }
    let spent = began.elapsed();
    (!signed.is_empty()).then(|| spent.as_secs_f64() * 1e6 / signed.len() as f64)
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
        assert!(microseconds(&tokens.each_ref().map(String::as_str)).unwrap() > 0.0);
    }

    #[test]
    fn a_token_that_does_not_verify_gives_no_figure() {
        assert_eq!(microseconds(&["e30.e30.AAAA"]), None);
        assert_eq!(microseconds(&[]), None);
    }
}
