//! The one reading of a request path that everything behind the door uses: rules, signature, origin.
//!
//! A path with two possible readings is refused instead of normalised, so that what was decided upon is
//! what is fetched: no dot segments, no encoded slash, no backslash, no NUL, in any spelling
//! (RFC 3986, sections 2.1, 2.2 and 6.2.2).

use std::borrow::Cow;

use thiserror::Error;

/// A path that every party reads alike. Starts with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath {
    strict: String,
    /// Only where it differs from `strict`; so for most paths there is one allocation.
    preserved: Option<String>,
    /// Only where it differs from `strict`.
    decoded: Option<String>,
}

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It does not begin with a slash (as in `OPTIONS *`).
    #[error("path does not start with a slash")]
    NotAbsolute,
    /// A `%` without two hexadecimal digits behind it.
    #[error("path has a percent sign without two hexadecimal digits")]
    BadEscape,
    /// `%2F`, which some readers take for a separator and others do not.
    #[error("path has an encoded slash")]
    EncodedSlash,
    /// `\` or `%5C`, which some readers take for a separator.
    #[error("path has a backslash")]
    Backslash,
    /// A control character, NUL included, plain or encoded.
    #[error("path has a control character")]
    Control,
    /// A character that cannot stand in a path unencoded: space, `#`, `?`, quotes and the like.
    #[error("path has a character that must be encoded")]
    Unencoded,
    /// A segment `.` or `..`, in any spelling.
    #[error("path has a dot segment")]
    DotSegment,
    /// Bytes that are not UTF-8, overlong forms included.
    #[error("path is not utf-8")]
    NotUtf8,
}

impl CanonicalPath {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    /// The first thing that makes the path ambiguous or malformed.
    pub fn parse(raw: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let raw = raw.as_ref();
        if raw.first() != Some(&b'/') {
            return Err(PathError::NotAbsolute);
        }
        let decoded = decode(raw)?;
        if decoded.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(PathError::DotSegment);
        }
        let strict = encode(&decoded);
        let preserved = normalise(raw);
        let preserved = (preserved != strict).then(|| preserved.into_owned());
        let differs = matches!(strict, Cow::Owned(_));
        let strict = strict.into_owned();
        Ok(Self {
            strict,
            preserved,
            decoded: differs.then(|| decoded.into_owned()),
        })
    }

    /// Decoded and encoded once: everything but unreserved characters and `/` as upper-case escapes.
    /// This is the form that SigV4 signs and S3 is asked for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.strict
    }

    /// The same path with reserved characters (`;`, `@`, `+` …) plain or encoded as the viewer wrote them,
    /// because for a custom origin the two may differ in meaning.
    #[must_use]
    pub fn preserved(&self) -> &str {
        self.preserved.as_deref().unwrap_or(&self.strict)
    }

    /// Without any encoding: the object's key or the file's name, with the leading slash.
    #[must_use]
    pub fn decoded(&self) -> &str {
        self.decoded.as_deref().unwrap_or(&self.strict)
    }

    /// Whether the path names a directory.
    #[must_use]
    pub fn ends_with_slash(&self) -> bool {
        self.strict.ends_with('/')
    }

    /// This path followed by `file`, as in `/docs/` and `index.html`.
    ///
    /// # Errors
    /// What [`parse`](Self::parse) says of the result.
    pub fn join(&self, file: &str) -> Result<Self, PathError> {
        Self::parse(format!("{}{}", self.preserved(), encode(file)))
    }
}

fn decode(raw: &[u8]) -> Result<Cow<'_, str>, PathError> {
    for &byte in raw {
        refuse_unencoded(byte)?;
    }
    if !raw.contains(&b'%') {
        return std::str::from_utf8(raw)
            .map(Cow::Borrowed)
            .map_err(|_| PathError::NotUtf8);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let [high, low, ..] = *tail else {
                return Err(PathError::BadEscape);
            };
            decoded.push(unescape(high, low)?);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| PathError::NotUtf8)
}

const fn refuse_unencoded(byte: u8) -> Result<(), PathError> {
    match byte {
        0..=0x1f | 0x7f => Err(PathError::Control),
        b'\\' => Err(PathError::Backslash),
        b' ' | b'#' | b'?' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => Err(PathError::Unencoded),
        _ => Ok(()),
    }
}

fn unescape(high: u8, low: u8) -> Result<u8, PathError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(PathError::BadEscape);
    let value = u8::try_from(digit(high)? * 16 + digit(low)?).map_err(|_| PathError::BadEscape)?;
    match value {
        b'/' => Err(PathError::EncodedSlash),
        b'\\' => Err(PathError::Backslash),
        0..=0x1f | 0x7f => Err(PathError::Control),
        _ => Ok(value),
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode(decoded: &str) -> Cow<'_, str> {
    if decoded.bytes().all(|byte| is_unreserved(byte) || byte == b'/') {
        return Cow::Borrowed(decoded);
    }
    let mut encoded = String::with_capacity(decoded.len() + 16);
    for byte in decoded.bytes() {
        if is_unreserved(byte) || byte == b'/' {
            encoded.push(char::from(byte));
        } else {
            push_escape(&mut encoded, byte);
        }
    }
    Cow::Owned(encoded)
}

/// Escapes in upper case, unreserved characters decoded, what is outside of ASCII encoded. `raw` has passed [`decode`].
fn normalise(raw: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(raw)
        && raw.iter().all(|&byte| byte.is_ascii() && byte != b'%')
    {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(raw.len() + 16);
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%'
            && let [high, low, ..] = *tail
            && let Ok(value) = unescape(high, low)
        {
            rest = tail.get(2..).unwrap_or_default();
            if is_unreserved(value) {
                normal.push(char::from(value));
            } else {
                push_escape(&mut normal, value);
            }
        } else if byte.is_ascii() {
            normal.push(char::from(byte));
        } else {
            push_escape(&mut normal, byte);
        }
    }
    Cow::Owned(normal)
}

fn push_escape(text: &mut String, byte: u8) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    text.push('%');
    text.push(HEX[usize::from(byte >> 4)]);
    text.push(HEX[usize::from(byte & 15)]);
}

#[cfg(test)]
mod agreement;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn forms(raw: &str) -> (String, String, String) {
        let path = CanonicalPath::parse(raw).unwrap();
        (
            path.as_str().to_owned(),
            path.preserved().to_owned(),
            path.decoded().to_owned(),
        )
    }

    #[track_caller]
    fn refused(raw: impl AsRef<[u8]>) -> PathError {
        CanonicalPath::parse(raw).unwrap_err()
    }

    #[test]
    fn a_plain_path_has_one_form() {
        let plain = "/assets/app-1.2_3~x.js".to_owned();
        assert_eq!(forms(&plain), (plain.clone(), plain.clone(), plain));
    }

    #[test]
    fn reserved_characters_are_encoded_for_signing_and_kept_for_custom_origins() {
        assert_eq!(
            forms("/a+b;c=@d%40"),
            (
                "/a%2Bb%3Bc%3D%40d%40".into(),
                "/a+b;c=@d%40".into(),
                "/a+b;c=@d@".into()
            )
        );
    }

    #[test]
    fn escapes_are_decoded_once_and_encoded_once() {
        assert_eq!(
            forms("/a%2520b%c3%a9%7E"),
            ("/a%2520b%C3%A9~".into(), "/a%2520b%C3%A9~".into(), "/a%20bé~".into())
        );
    }

    #[test]
    fn plain_utf_8_is_read_like_its_escapes() {
        assert_eq!(forms("/é"), forms("/%C3%A9"));
    }

    #[test]
    fn empty_segments_are_kept_since_they_are_part_of_keys() {
        assert_eq!(forms("//a///b/").0, "//a///b/");
    }

    #[test]
    fn dots_within_names_are_fine() {
        assert_eq!(forms("/.well-known/..a/...").0, "/.well-known/..a/...");
    }

    #[test]
    fn dot_segments_are_refused_in_every_spelling() {
        for raw in ["/.", "/..", "/a/../b", "/a/./b", "/%2e%2E/b", "/a/.%2e", "/%2e"] {
            assert_eq!(refused(raw), PathError::DotSegment, "{raw}");
        }
    }

    #[test]
    fn encoded_separators_are_refused() {
        assert_eq!(refused("/a%2fb"), PathError::EncodedSlash);
        assert_eq!(refused("/a%2Fb"), PathError::EncodedSlash);
        assert_eq!(refused("/a%5cb"), PathError::Backslash);
        assert_eq!(refused("/a\\b"), PathError::Backslash);
    }

    #[test]
    fn control_characters_are_refused_plain_and_encoded() {
        for raw in ["/a%00", "/a%0d%0a", "/a\0", "/a\r", "/a\t", "/a\x7f", "/a%7f"] {
            assert_eq!(refused(raw), PathError::Control, "{raw:?}");
        }
    }

    #[test]
    fn characters_that_end_or_break_a_path_are_refused() {
        for raw in ["/a#b", "/a b", "/a?b", "/a\"", "/<a>", "/a|b"] {
            assert_eq!(refused(raw), PathError::Unencoded, "{raw:?}");
        }
    }

    #[test]
    fn malformed_escapes_are_refused() {
        for raw in ["/%", "/%2", "/%zz", "/%+1", "/%%41"] {
            assert_eq!(refused(raw), PathError::BadEscape, "{raw}");
        }
    }

    #[test]
    fn overlong_and_broken_utf_8_is_refused() {
        for raw in [&b"/%c0%af"[..], b"/%ff", b"/\xc3", b"/%c3", b"/\xc3%41"] {
            assert_eq!(refused(raw), PathError::NotUtf8, "{raw:?}");
        }
    }

    #[test]
    fn a_target_that_is_not_a_path_is_refused() {
        assert_eq!(refused("*"), PathError::NotAbsolute);
        assert_eq!(refused(""), PathError::NotAbsolute);
        assert_eq!(refused("a/b"), PathError::NotAbsolute);
    }

    #[test]
    fn a_file_name_can_be_appended() {
        let path = CanonicalPath::parse("/a;b/").unwrap();
        assert!(path.ends_with_slash());
        let joined = path.join("index page.html").unwrap();
        assert_eq!(joined.preserved(), "/a;b/index%20page.html");
        assert_eq!(joined.decoded(), "/a;b/index page.html");
    }
}
