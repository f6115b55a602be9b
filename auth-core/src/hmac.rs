//! HMAC-SHA256, SHA-256 and the constant-time comparison, all by ring.

/// Whether two byte strings are equal, in time that depends only on their lengths.
pub(crate) fn bytes_equal(a: &[u8], b: &[u8]) -> bool {
    // ring's own constant-time comparison is deprecated for outside use; verifying a MAC over one
    // value against the other would hash both. The lengths are no secret.
    if a.len() != b.len() {
        return false;
    }
    std::hint::black_box(
        a.iter()
            .zip(b)
            .fold(0u8, |diff, (x, y)| std::hint::black_box(diff | (x ^ y))),
    ) == 0
}
