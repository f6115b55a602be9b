//! Values for response headers from texts that may hold anything.
//!
//! The reference hands Unicode and control characters to its platform; a header of ours holds visible
//! ASCII only (RFC 9110, section 5.5). What may not stand there is percent-encoded, so a line break can
//! never end a header (T-REDIR-5).

use http::HeaderValue;

/// The text as a header value, everything outside of space to tilde percent-encoded as UTF-8.
#[must_use]
pub(crate) fn encode(text: &str) -> HeaderValue {
    if let Ok(value) = HeaderValue::from_str(text)
        && text.bytes().all(is_plain)
    {
        return value;
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    // Only visible ASCII and spaces are left.
    HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static(""))
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_values_are_kept() {
        let value = "https://a.example/x?y=%20z; Path=/";
        assert_eq!(encode(value), value);
    }

    #[test]
    fn line_breaks_and_nul_cannot_end_a_header() {
        assert_eq!(encode("/a\r\nSet-Cookie: x\0"), "/a%0D%0ASet-Cookie: x%00");
    }

    #[test]
    fn unicode_is_sent_as_encoded_utf_8() {
        assert_eq!(encode("/é\u{7f}\t"), "/%C3%A9%7F%09");
    }
}
