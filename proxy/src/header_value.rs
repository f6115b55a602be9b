//! Values for response headers from texts that may hold anything.
//!
//! The reference hands Unicode and control characters to its platform; a header of ours holds visible
//! ASCII only (RFC 9110, section 5.5). What may not stand there is percent-encoded, so a line break can
//! never end a header (T-REDIR-5). Cookies keep their Unicode: a name must come back as it was given.

use http::HeaderValue;

/// The text as a header value, everything outside of space to tilde percent-encoded as UTF-8.
#[must_use]
pub(crate) fn encode(text: &str) -> HeaderValue {
    encode_unless(text, is_plain)
}

/// A Set-Cookie value: UTF-8 stays as it is (browsers keep and return it), control characters are
/// percent-encoded.
#[must_use]
pub(crate) fn encode_cookie(text: &str) -> HeaderValue {
    encode_unless(text, |byte| is_plain(byte) || !byte.is_ascii())
}

fn encode_unless(text: &str, may_stand: impl Fn(u8) -> bool) -> HeaderValue {
    let mut encoded = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if may_stand(byte) {
            encoded.push(byte);
        } else {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    // No control character is left.
    HeaderValue::from_bytes(&encoded).unwrap_or(HeaderValue::from_static(""))
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
    fn a_cookie_keeps_its_unicode_and_loses_its_control_characters() {
        let value = encode_cookie("user.zoë.idToken=t\r\n; Path=/");
        assert_eq!(value.as_bytes(), "user.zoë.idToken=t%0D%0A; Path=/".as_bytes());
    }

    #[test]
    fn unicode_is_sent_as_encoded_utf_8() {
        assert_eq!(encode("/é\u{7f}\t"), "/%C3%A9%7F%09");
    }
}
