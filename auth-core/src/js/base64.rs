//! Base64 as Node.js encodes and decodes it (RFC 4648, decoded leniently).

#[cfg(feature = "fast")]
use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Standard alphabet, padded.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    let mut text = encode(bytes, STANDARD);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// URL-safe alphabet, not padded.
pub(crate) fn encode_url_safe(bytes: &[u8]) -> String {
    encode(bytes, URL_SAFE)
}

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            let sextet = (group >> (18 - 6 * index)) & 63;
            text.push(char::from(alphabet[sextet as usize]));
        }
    }
    text
}

/// Decodes either alphabet, mixed as well. Other characters are skipped, the first `=` ends the text,
/// a dangling last character and left-over bits are dropped.
pub(crate) fn decode_lenient(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(decoded_length(text));
    bytes.extend(lenient(text));
    bytes
}

fn lenient(text: &str) -> impl Iterator<Item = u8> {
    let sextets = text.bytes().take_while(|&byte| byte != b'=').filter_map(sextet);
    let (mut group, mut bits) = (0u32, 0);
    sextets.filter_map(move |sextet| {
        group = group << 6 | sextet;
        bits += 6;
        (bits >= 8).then(|| {
            bits -= 8;
            (group >> bits & 0xff) as u8
        })
    })
}

/// No text of that length decodes to more bytes.
pub(crate) const fn decoded_length(text: &str) -> usize {
    text.len() / 4 * 3 + 2
}

/// Decodes a part of a JWT: URL-safe characters alone, `None` at any other. A dangling last character and left-over
/// bits are dropped, as by [`decode_lenient`].
pub(crate) fn decode_url_safe(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; decoded_length(text)];
    let length = decode_url_safe_into(text, &mut bytes)?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// The same into memory that is there, of [`decoded_length`] at least.
pub(crate) fn decode_url_safe_into<'b>(text: &str, room: &'b mut [u8]) -> Option<&'b [u8]> {
    #[cfg(feature = "fast")]
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(text.as_bytes(), room.as_out()) {
        let length = bytes.len();
        return room.get(..length);
    }
    let is_of_alphabet = |byte: u8| byte != b'+' && byte != b'/' && sextet(byte).is_some();
    if !text.bytes().all(is_of_alphabet) {
        return None;
    }
    let written = room.iter_mut().zip(lenient(text)).map(|(place, byte)| *place = byte);
    let length = written.count();
    room.get(..length)
}

const fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself_at_every_length() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..bytes.len() {
            assert_eq!(decode_lenient(&encode_standard(&bytes[..length])), &bytes[..length]);
            assert_eq!(decode_lenient(&encode_url_safe(&bytes[..length])), &bytes[..length]);
        }
    }

    #[test]
    fn the_test_vectors_of_rfc_4648_hold() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(encode_standard(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_part_of_a_token_decodes_as_leniently_as_any_text_but_for_foreign_characters() {
        let text = "AbYz09-_AbYz0";
        for length in 0..=text.len() {
            let text = &text[..length];
            assert_eq!(decode_url_safe(text), Some(decode_lenient(text)), "{text}");
            for foreign in ["+", "/", "=", ".", " ", "\0", "\u{e9}"] {
                assert_eq!(decode_url_safe(&format!("{text}{foreign}")), None, "{text}{foreign}");
                assert_eq!(decode_url_safe(&format!("{foreign}{text}")), None, "{foreign}{text}");
            }
        }
    }

    #[test]
    fn decoding_skips_foreign_characters_and_stops_at_padding() {
        assert_eq!(decode_lenient("Zm 9\nv"), b"foo");
        assert_eq!(decode_lenient("Zg==Zg=="), b"f");
        assert_eq!(decode_lenient("Zm9vY"), b"foo");
        assert_eq!(decode_lenient("_-8+"), decode_lenient("/+8-"));
    }
}
