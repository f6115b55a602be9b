//! Random and derived identifiers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// `length` bytes from the operating system.
///
/// Without entropy there is nothing to serve, so its absence ends the request's task.
fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    #[expect(
        clippy::expect_used,
        reason = "a development tool cannot go on without the operating system's entropy"
    )]
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("entropy from the operating system");
    bytes
}

/// A random (version 4) UUID.
pub(crate) fn uuid() -> String {
    format_uuid(bytes())
}

/// A UUID that follows from `seed`, so that a user keeps it over restarts.
pub(crate) fn uuid_of(seed: &[u8]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest(&SHA256, seed).as_ref()[..16]);
    format_uuid(bytes)
}

fn format_uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// An opaque value for cookies and CSRF fields, 256 bits.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A refresh token: opaque, with the five parts and roughly the length of the JWE that Cognito hands out.
pub(crate) fn refresh_token() -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#);
    [
        header,
        encode(&bytes::<256>()),
        encode(&bytes::<12>()),
        encode(&bytes::<840>()),
        encode(&bytes::<16>()),
    ]
    .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_the_version_and_variant_of_random_ones() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
        assert_ne!(id, uuid());
    }

    #[test]
    fn a_derived_uuid_is_always_the_same() {
        assert_eq!(uuid_of(b"alice"), uuid_of(b"alice"));
        assert_ne!(uuid_of(b"alice"), uuid_of(b"bob"));
    }

    #[test]
    fn refresh_tokens_look_like_cognitos() {
        let token = refresh_token();
        assert_eq!(token.split('.').count(), 5);
        assert!((1000..3000).contains(&token.len()), "{}", token.len());
    }
}
