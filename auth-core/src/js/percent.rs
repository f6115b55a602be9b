//! Percent-encoding: `encodeURIComponent`, `decodeURIComponent` and the lenient fallback of query strings.

use std::borrow::Cow;

use memchr::memchr;

/// `encodeURIComponent`: `A-Z a-z 0-9 - _ . ! ~ * ' ( )` stay, all else becomes `%XX` of its UTF-8.
pub(crate) fn encode_component(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len() + text.len() / 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// `decodeURIComponent`: `None` unless every `%` starts a `%XX` and the result is UTF-8.
pub(crate) fn decode_strict(text: &str) -> Option<Cow<'_, str>> {
    if memchr(b'%', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            decoded.push(escape_at(bytes, at)?);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The fallback of Node's `querystring`: well-formed `%XX` become bytes, the rest stays, and the whole
/// is read as UTF-8 with U+FFFD for errors. A raw character beyond ASCII counts as the low byte of each
/// of its UTF-16 units, as there.
pub(crate) fn decode_lossy(text: &str) -> String {
    let units: Vec<u8> = text.encode_utf16().map(|unit| (unit & 0xff) as u8).collect();
    let mut decoded = Vec::with_capacity(units.len());
    let mut at = 0;
    while at < units.len() {
        match (units[at] == b'%').then(|| escape_at(&units, at)).flatten() {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(units[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Whether the text has at least one well-formed `%XX`.
pub(crate) fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| bytes[at] == b'%' && escape_at(bytes, at).is_some())
}

/// The byte that the `%XX` at `at` stands for.
fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |offset: usize| char::from(*bytes.get(at + offset)?).to_digit(16);
    Some((digit(1)? << 4 | digit(2)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_keeps_the_unreserved_marks_only() {
        assert_eq!(encode_component("aZ9-_.!~*'()"), "aZ9-_.!~*'()");
        assert_eq!(encode_component(" +/é&"), "%20%2B%2F%C3%A9%26");
    }

    #[test]
    fn strict_decoding_refuses_broken_escapes_and_bad_utf8() {
        assert_eq!(decode_strict("a%20b").as_deref(), Some("a b"));
        assert_eq!(decode_strict("a+b").as_deref(), Some("a+b"));
        for broken in ["%", "%2", "%zz", "%ff", "%c0%ae", "%ed%a0%80"] {
            assert_eq!(decode_strict(broken), None, "{broken}");
        }
    }

    #[test]
    fn lossy_decoding_keeps_broken_escapes_and_marks_bad_utf8() {
        assert_eq!(decode_lossy("%zz%41"), "%zzA");
        assert_eq!(decode_lossy("%ff"), "\u{fffd}");
    }
}
