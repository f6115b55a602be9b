//! HMAC-SHA256, SHA-256 and the comparison in constant time.

use std::hint::black_box;

use ring::{digest, hmac};

/// HMAC-SHA256 of `message`.
pub(crate) fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

/// SHA-256 of `message`.
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    bytes
}

/// Whether two byte strings are equal, in time that depends only on their lengths.
// ring keeps its own comparison to itself; the barriers keep the compiler from leaving the loop early.
pub(crate) fn bytes_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && black_box(a.iter().zip(b).fold(0, |diff, (x, y)| black_box(diff | (x ^ y)))) == 0
}
