//! The path that rules are held against: decoded once, and refused where two parties could read it differently.
//!
//! What is refused here need not reach us at all: the proxy's admission refuses most of it for every request. At
//! the edge nothing stands before the core (T-PATH-2; RFC 3986, sections 2.1, 3.3 and 6.2.2).

use std::borrow::Cow;

use super::pattern::PathPattern;

/// Why a path has no single reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ambiguity {
    NotAbsolute,
    /// A `%` without two hexadecimal digits.
    BadEscape,
    /// `/` or `\` encoded, or `\` as it is.
    Separator,
    /// A control character, NUL included.
    Control,
    /// `?` or `#` within the path, which a second reading would end it with.
    Delimiter,
    /// Still encoded after it has been decoded.
    DoubleEncoding,
    NotUtf8,
    /// `.` or `..`, in any spelling.
    DotSegment,
}

impl Ambiguity {
    /// In words, for those who ask why.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotAbsolute => "does not start with a slash",
            Self::BadEscape => "has a percent sign without two hexadecimal digits",
            Self::Separator => "has a backslash or an encoded slash",
            Self::Control => "has a control character",
            Self::Delimiter => "has the sign of a query or fragment",
            Self::DoubleEncoding => "is encoded twice",
            Self::NotUtf8 => "is not UTF-8",
            Self::DotSegment => "has a dot segment",
        }
    }
}

/// A path as it stands, and as those read it who drop `;parameters` or empty segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readings<'p> {
    plain: Cow<'p, str>,
    others: Vec<String>,
}

impl<'p> Readings<'p> {
    /// Nothing is allocated for a path without escapes, parameters and empty segments.
    pub(super) fn of(raw: &'p str) -> Result<Self, Ambiguity> {
        if !raw.starts_with('/') {
            return Err(Ambiguity::NotAbsolute);
        }
        let plain = if raw.bytes().all(is_plain) {
            Cow::Borrowed(raw)
        } else {
            decode(raw)?
        };
        refuse_dots(&plain)?;
        let mut others = Vec::new();
        if plain.contains(';') {
            others.push(without_parameters(&plain));
        }
        if plain.contains("//") || others.iter().any(|other| other.contains("//")) {
            let merged = without_empty_segments(&plain);
            let both = others
                .iter()
                .map(|other| without_empty_segments(other))
                .collect::<Vec<_>>();
            others.push(merged);
            others.extend(both);
        }
        for other in &others {
            refuse_dots(other)?;
        }
        Ok(Self { plain, others })
    }

    /// Whether one of the patterns describes the path; `None`: it depends on the reading.
    pub(super) fn fit(&self, patterns: &[PathPattern]) -> Option<bool> {
        let fits = |path: &str| patterns.iter().any(|pattern| pattern.matches(path));
        let fit = fits(&self.plain);
        self.others.iter().all(|other| fits(other) == fit).then_some(fit)
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!' | b'$'..=b'>' | b'@'..=b'[' | b']'..=b'~') && byte != b'%'
}

fn decode(raw: &str) -> Result<Cow<'_, str>, Ambiguity> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let byte = if first == b'%' {
            let (digits, tail) = tail.split_first_chunk().ok_or(Ambiguity::BadEscape)?;
            rest = tail;
            match hexadecimal(*digits).ok_or(Ambiguity::BadEscape)? {
                b'/' => return Err(Ambiguity::Separator),
                byte => byte,
            }
        } else {
            first
        };
        match byte {
            b'\\' => return Err(Ambiguity::Separator),
            b'?' | b'#' => return Err(Ambiguity::Delimiter),
            0..=0x1f | 0x7f => return Err(Ambiguity::Control),
            byte => bytes.push(byte),
        }
    }
    let is_escape = |window: &[u8]| matches!(*window, [b'%', high, low] if hexadecimal([high, low]).is_some());
    if bytes.windows(3).any(is_escape) {
        return Err(Ambiguity::DoubleEncoding);
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Ambiguity::NotUtf8)
}

fn hexadecimal([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn refuse_dots(path: &str) -> Result<(), Ambiguity> {
    if path.contains("/.") && path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Ambiguity::DotSegment);
    }
    Ok(())
}

fn without_parameters(path: &str) -> String {
    let names = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join("/")
}

fn without_empty_segments(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !merged.ends_with('/') {
            merged.push(letter);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_path_is_borrowed_and_has_one_reading() {
        for raw in [
            "/",
            "/a/b-1.2_3~x.js",
            "/@scope/a+b=c,d&e!",
            "/.well-known/..a/...",
            "/a|b",
        ] {
            let readings = Readings::of(raw).unwrap();
            assert!(matches!(readings.plain, Cow::Borrowed(path) if path == raw), "{raw}");
            assert!(readings.others.is_empty());
        }
    }

    #[test]
    fn escapes_are_decoded_once() {
        for (raw, plain) in [
            ("/%61b", "/ab"),
            ("/caf%C3%A9", "/café"),
            ("/café", "/café"),
            ("/100%25", "/100%"),
            ("/a%20b", "/a b"),
        ] {
            assert_eq!(Readings::of(raw).unwrap().plain, plain);
        }
    }

    #[test]
    fn t_path_2_what_others_may_read_differently_has_no_reading() {
        for (raw, expected) in [
            ("", Ambiguity::NotAbsolute),
            ("*", Ambiguity::NotAbsolute),
            ("/%", Ambiguity::BadEscape),
            ("/%4", Ambiguity::BadEscape),
            ("/%zz", Ambiguity::BadEscape),
            ("/%+1", Ambiguity::BadEscape),
            ("/a%2fb", Ambiguity::Separator),
            ("/a%2Fb", Ambiguity::Separator),
            ("/a%5cb", Ambiguity::Separator),
            ("/a\\b", Ambiguity::Separator),
            ("/a%00", Ambiguity::Control),
            ("/a%0d%0a", Ambiguity::Control),
            ("/a\tb", Ambiguity::Control),
            ("/a#b", Ambiguity::Delimiter),
            ("/a%23b", Ambiguity::Delimiter),
            ("/a?b", Ambiguity::Delimiter),
            ("/a%3Fb", Ambiguity::Delimiter),
            ("/a%252fb", Ambiguity::DoubleEncoding),
            ("/%252e%252e/b", Ambiguity::DoubleEncoding),
            ("/a%2541", Ambiguity::DoubleEncoding),
            ("/%c0%ae%c0%ae/b", Ambiguity::NotUtf8),
            ("/%ff", Ambiguity::NotUtf8),
            ("/..", Ambiguity::DotSegment),
            ("/a/../b", Ambiguity::DotSegment),
            ("/a/./b", Ambiguity::DotSegment),
            ("/%2e%2E/b", Ambiguity::DotSegment),
            ("/a/.%2e", Ambiguity::DotSegment),
            ("/a/..;/b", Ambiguity::DotSegment),
            ("/a/..;x=1/b", Ambiguity::DotSegment),
            ("/a/..%3b/b", Ambiguity::DotSegment),
        ] {
            assert_eq!(Readings::of(raw), Err(expected), "{raw:?}");
        }
    }

    #[test]
    fn parameters_and_empty_segments_make_for_several_readings() {
        let others = |raw: &str| Readings::of(raw).unwrap().others;
        assert_eq!(others("/a;x=1/b"), ["/a/b"]);
        assert_eq!(others("//a///b/"), ["/a/b/"]);
        assert_eq!(others("/a/;x/b"), ["/a//b", "/a/;x/b", "/a/b"]);
    }
}
