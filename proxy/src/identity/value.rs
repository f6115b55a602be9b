//! A claim as a header's value: visible ASCII from which the claim can be read back without doubt.
//!
//! Entries of a list are joined by commas. Within an entry `%`, `,`, everything that is not visible ASCII,
//! and spaces at its ends are percent-encoded as UTF-8 octets (RFC 3986, section 2.1), so a comma always
//! separates and decoding an entry gives the claim. Tables are compact JSON, encoded likewise.

use std::borrow::Cow;

use auth_core::Claim;
use http::HeaderValue;

use crate::config::GroupPattern;

/// What there is to say of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// `None`: nothing.
    pub(super) text: Option<HeaderValue>,
    /// Whether there was more than the limit allows.
    pub(super) is_cut: bool,
}

/// Writes a claim. Of a list, entries are left out from the first that would pass `max_bytes`; a single value
/// that would is left out as a whole, since a part of a name is another name. `groups` chooses among the
/// entries; none: all.
pub(super) fn write(claim: Claim<'_>, groups: &[GroupPattern], max_bytes: usize) -> Value {
    let mut line = String::new();
    let mut is_cut = false;
    for entry in claim.entries() {
        let Some(text) = text(entry) else { continue };
        if !groups.is_empty() && !groups.iter().any(|pattern| pattern.fits(&text)) {
            continue;
        }
        let before = line.len();
        if before > 0 {
            line.push(',');
        }
        encode(&text, &mut line);
        if line.len() > max_bytes {
            line.truncate(before);
            is_cut = true;
            break;
        }
    }
    Value {
        // Only visible ASCII and spaces have been written.
        text: HeaderValue::try_from(line).ok().filter(|value| !value.is_empty()),
        is_cut,
    }
}

/// `None`: nothing to say.
fn text(entry: Claim<'_>) -> Option<Cow<'_, str>> {
    match entry {
        Claim::Null => None,
        Claim::Text(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.stringify())),
    }
    .filter(|text| !text.is_empty())
}

fn encode(text: &str, line: &mut String) {
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        let stands = match byte {
            b'%' | b',' => false,
            b' ' => index != 0 && index != last,
            byte => byte.is_ascii_graphic(),
        };
        if stands {
            line.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            line.push('%');
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from(DIGITS[usize::from(digit)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_core::json::Json;
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn written(claim: &str) -> Option<String> {
        let value = write(Claim::from(&json(claim)), &[], 4096).text?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn claims_read_as_people_would_write_them() {
        for (claim, expected) in [
            (r#""alice""#, Some("alice")),
            (r#""Alice Liddell""#, Some("Alice Liddell")),
            (r#"["readers","writers"]"#, Some("readers,writers")),
            ("true", Some("true")),
            ("1795323600", Some("1795323600")),
            (r#"{"country":"NL","x":[1]}"#, Some(r#"{"country":"NL"%2C"x":[1]}"#)),
            ("null", None),
            (r#""""#, None),
            ("[]", None),
            (r#"["",null]"#, None),
            (r#"["a",null,"","b"]"#, Some("a,b")),
        ] {
            assert_eq!(written(claim).as_deref(), expected, "{claim}");
        }
    }

    /// T-CLAIM-1, T-REDIR-5
    #[test]
    fn nothing_in_a_claim_ends_an_entry_or_a_header() {
        for (claim, expected) in [
            (r#"["a,admin","b"]"#, "a%2Cadmin,b"),
            (r#""a,admin""#, "a%2Cadmin"),
            (r#""100%2C""#, "100%252C"),
            (r#"" alice ""#, "%20alice%20"),
            (r#"" ""#, "%20"),
            (
                r#""a\r\nX-Forwarded-Groups: admin""#,
                "a%0D%0AX-Forwarded-Groups: admin",
            ),
            ("\"a\\u0000\\tb\\u007f\"", "a%00%09b%7F"),
            (r#""zoë 日""#, "zo%C3%AB %E6%97%A5"),
            (r#""a@good.example@evil.example""#, "a@good.example@evil.example"),
        ] {
            assert_eq!(written(claim).as_deref(), Some(expected), "{claim}");
        }
    }

    #[test]
    fn a_list_is_cut_between_entries_and_a_single_value_not_at_all() {
        let cut = |claim: &str, max| {
            let value = write(Claim::from(&json(claim)), &[], max);
            (value.text.map(|text| text.to_str().unwrap().to_owned()), value.is_cut)
        };
        let list = r#"["abc","def","g"]"#;
        assert_eq!(cut(list, 9), (Some("abc,def,g".into()), false));
        assert_eq!(cut(list, 8), (Some("abc,def".into()), true));
        assert_eq!(cut(list, 6), (Some("abc".into()), true));
        assert_eq!(cut(list, 2), (None, true));
        assert_eq!(cut(r#""abcdef""#, 5), (None, true));
        assert_eq!(cut(r#""ééé""#, 17), (None, true), "the limit counts what is sent");
    }

    #[test]
    fn only_groups_that_are_asked_for_are_told() {
        let patterns: Vec<GroupPattern> = ["team-*", "admin"].map(|text| text.parse().unwrap()).into();
        let told = |claim: &str| write(Claim::from(&json(claim)), &patterns, 4096).text;
        let expected = HeaderValue::from_static("team-a,admin");
        assert_eq!(
            told(r#"["team-a","x","admin","administrators","Admin"]"#),
            Some(expected)
        );
        assert_eq!(told(r#"["x"]"#), None);
        assert_eq!(told(r#""team-""#), Some(HeaderValue::from_static("team-")));
    }

    /// What the documentation tells origins to do.
    fn read_back(line: &str) -> Vec<String> {
        let decode = |entry: &str| {
            let mut bytes = Vec::new();
            let mut rest = entry.as_bytes();
            while let Some((&byte, tail)) = rest.split_first() {
                if byte == b'%' {
                    let digits = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(byte);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        line.split(',').map(str::trim).map(decode).collect()
    }

    proptest! {
        #[test]
        fn any_list_of_texts_can_be_read_back(list in prop::collection::vec("\\PC{1,12}|[ -~]{1,12}|[\\x00-\\x20,%]{1,5}", 1..6)) {
            let claim = Json::Array(list.iter().cloned().map(Json::String).collect());
            let value = write(Claim::from(&claim), &[], usize::MAX).text.unwrap();
            prop_assert!(value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(read_back(value.to_str().unwrap()), list);
        }
    }
}
