//! Paths of rules: exact, everything under one, or with `*` (within a segment) and `**` (anything). Always the whole
//! path, never a part of it, and never a regular expression.
//!
//! What is behind the first wildcard is matched by running through the path once with the set of all places in
//! the pattern where one can be: no pattern and no path takes longer than their lengths say (T-DOS-4).

use std::fmt;

/// What a pattern describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathPattern {
    /// This path.
    Exact(Box<str>),
    /// This path, with or without a slash at its end, and everything below.
    Under(Box<str>),
    /// Paths that start so and go on as the wildcards say.
    Glob { start: Box<str>, rest: Wildcards },
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternError {
    NotAbsolute,
    TooLong,
    Character,
    DotSegment,
    EmptySegment,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "one that does not start with /",
            Self::TooLong => "more than 255 bytes, or 120 behind the first wildcard",
            Self::Character => "a character that paths of rules do not have (% ; ? # \\ ^ or a control character)",
            Self::DotSegment => "a dot segment",
            Self::EmptySegment => "an empty segment",
        })
    }
}

impl PathPattern {
    const MAX_BYTES: usize = 255;

    /// A whole path, decoded, perhaps with wildcards.
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        let Some(at) = text.find('*') else {
            return Ok(Self::Exact(text.into()));
        };
        let (start, rest) = text.split_at(at);
        Ok(Self::Glob {
            start: start.into(),
            rest: Wildcards::compile(rest).ok_or(PatternError::TooLong)?,
        })
    }

    /// A path and all below it.
    pub(super) fn under(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        if text.contains('*') {
            return Err(PatternError::Character);
        }
        Ok(Self::Under(text.strip_suffix('/').unwrap_or(text).into()))
    }

    /// Whether every path is described.
    pub(super) fn is_everything(&self) -> bool {
        match self {
            Self::Exact(_) => false,
            Self::Under(path) => path.is_empty(),
            Self::Glob { start, rest } => matches!(&**start, "" | "/") && rest.is_anything(),
        }
    }

    /// Whether a decoded path is described.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *path,
            Self::Under(start) => {
                let below = path.strip_prefix(&**start);
                below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
            }
            Self::Glob { start, rest } => path.strip_prefix(&**start).is_some_and(|path| rest.match_all(path)),
        }
    }
}

fn check(text: &str) -> Result<(), PatternError> {
    if !text.starts_with('/') {
        return Err(PatternError::NotAbsolute);
    }
    if text.len() > PathPattern::MAX_BYTES {
        return Err(PatternError::TooLong);
    }
    if text.contains(|c: char| c.is_control() || "%;?#\\^".contains(c)) {
        return Err(PatternError::Character);
    }
    if text.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(PatternError::DotSegment);
    }
    if text.contains("//") {
        return Err(PatternError::EmptySegment);
    }
    Ok(())
}

/// The part of a pattern from its first wildcard on, as sets of places: bit `n` is the place before its `n`th sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wildcards {
    /// The longest part without a wildcard: paths without it, nearly all, are told from others by it.
    needle: Box<str>,
    /// Before a `*` or `**`, which need not stand for anything.
    skippable: u128,
    /// Where any byte but a slash may be taken.
    within: u128,
    /// Where any byte may be taken.
    anything: u128,
    /// Which byte leads on from which places.
    literals: Vec<(u8, u128)>,
    end: u128,
}

impl Wildcards {
    const MAX_SIGNS: usize = 120;

    fn compile(text: &str) -> Option<Self> {
        let needle = text.split('*').max_by_key(|part| part.len());
        let mut compiled = Self {
            needle: needle.unwrap_or_default().into(),
            skippable: 0,
            within: 0,
            anything: 0,
            literals: Vec::new(),
            end: 0,
        };
        let mut place = 1_u128;
        let mut signs = 0;
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            if byte == b'*' {
                let stars = 1 + rest.iter().take_while(|&&byte| byte == b'*').count();
                rest = rest.get(stars - 1..).unwrap_or_default();
                compiled.skippable |= place;
                let taken = if stars > 1 {
                    &mut compiled.anything
                } else {
                    &mut compiled.within
                };
                *taken |= place;
            } else {
                match compiled.literals.iter_mut().find(|(known, _)| *known == byte) {
                    Some((_, places)) => *places |= place,
                    None => compiled.literals.push((byte, place)),
                }
            }
            place <<= 1;
            signs += 1;
        }
        compiled.end = place;
        (signs <= Self::MAX_SIGNS).then_some(compiled)
    }

    /// `**` and nothing else.
    fn is_anything(&self) -> bool {
        self.anything == 1 && self.end == 2
    }

    fn match_all(&self, path: &str) -> bool {
        if self.is_anything() {
            return true;
        }
        if !path.contains(&*self.needle) {
            return false;
        }
        let mut places = self.skip(1);
        for byte in path.bytes() {
            let literal = self.literals.iter().find(|(known, _)| *known == byte);
            let led_on = literal.map_or(0, |(_, from)| (places & from) << 1);
            let stayed = if byte == b'/' {
                self.anything
            } else {
                self.anything | self.within
            };
            places = self.skip(led_on | places & stayed);
            if places == 0 {
                return false;
            }
        }
        places & self.end != 0
    }

    /// Two wildcards never stand side by side, so that one step is enough.
    const fn skip(&self, places: u128) -> u128 {
        places | (places & self.skippable) << 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::parse(pattern).unwrap().matches(path)
    }

    #[test]
    fn without_wildcards_a_pattern_is_one_path() {
        assert!(matches("/docs/a.html", "/docs/a.html"));
        for other in [
            "/docs/a.html/",
            "/docs/a.html5",
            "/docs/a.htm",
            "/x/docs/a.html",
            "/docs/aXhtml",
            "/Docs/a.html",
        ] {
            assert!(!matches("/docs/a.html", other), "{other}");
        }
    }

    #[test]
    fn one_star_stays_within_its_segment_and_two_do_not() {
        for path in ["/a/x", "/a/", "/a/x.y"] {
            assert!(matches("/a/*", path), "{path}");
        }
        for other in ["/a", "/a/x/", "/a/x/y", "/ab/x"] {
            assert!(!matches("/a/*", other), "{other}");
        }
        for path in ["/a/", "/a/x", "/a/x/y/"] {
            assert!(matches("/a/**", path), "{path}");
        }
        assert!(!matches("/a/**", "/a") && !matches("/a/**", "/ab/c"));
        assert!(matches("/**.png", "/x/y.png") && !matches("/**.png", "/x/y.png/z"));
        assert!(matches("/*/x/*.js", "/v1/x/app.js") && !matches("/*/x/*.js", "/v/1/x/app.js"));
        assert!(matches("/**/.git/**", "/a/b/.git/config") && !matches("/**/.git/**", "/a/b/.gitx/config"));
        assert!(matches("/caf*", "/café") && matches("/*é", "/café"));
    }

    #[test]
    fn under_is_the_path_itself_and_all_below_it() {
        for text in ["/admin", "/admin/"] {
            let under = PathPattern::under(text).unwrap();
            for path in ["/admin", "/admin/", "/admin/x/y"] {
                assert!(under.matches(path), "{path}");
            }
            for other in ["/administrator", "/admin.html", "/x/admin", "/Admin", "/"] {
                assert!(!under.matches(other), "{other}");
            }
        }
    }

    #[test]
    fn only_what_describes_every_path_is_everything() {
        assert!(PathPattern::parse("/**").unwrap().is_everything());
        assert!(PathPattern::under("/").unwrap().is_everything());
        for text in ["/*", "/**/", "/a/**", "/**a", "/"] {
            assert!(!PathPattern::parse(text).unwrap().is_everything(), "{text}");
        }
    }

    #[test]
    fn what_fits_no_path_or_looks_like_something_else_is_refused() {
        for (text, error) in [
            ("", PatternError::NotAbsolute),
            ("a", PatternError::NotAbsolute),
            ("**", PatternError::NotAbsolute),
            ("^/a$", PatternError::NotAbsolute),
            ("/^a", PatternError::Character),
            ("/a?b=c", PatternError::Character),
            ("/a%20b", PatternError::Character),
            ("/a;b", PatternError::Character),
            ("/a\\b", PatternError::Character),
            ("/a#b", PatternError::Character),
            ("/a/../b", PatternError::DotSegment),
            ("/a//b", PatternError::EmptySegment),
        ] {
            assert_eq!(PathPattern::parse(text), Err(error), "{text}");
        }
        assert_eq!(PathPattern::under("/a/*"), Err(PatternError::Character));
    }

    #[test]
    fn t_dos_4_long_patterns_are_refused_and_bad_ones_take_no_time() {
        assert_eq!(
            PathPattern::parse(&format!("/{}", "a".repeat(255))),
            Err(PatternError::TooLong)
        );
        assert_eq!(
            PathPattern::parse(&format!("/*{}", "a".repeat(120))),
            Err(PatternError::TooLong)
        );
        let pattern = format!("/{}", "**a*a".repeat(24));
        assert!(!matches(&pattern, &format!("/{}b", "a".repeat(100_000))));
        assert!(matches(&pattern, &format!("/{}", "a".repeat(100_000))));
    }

    /// The definition, without any cleverness.
    fn by_definition(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => path.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=path.len()).any(|taken| by_definition(rest, &path[taken..])),
            [b'*', rest @ ..] => (0..=path.len())
                .take_while(|&taken| !path[..taken].contains(&b'/'))
                .any(|taken| by_definition(rest, &path[taken..])),
            [byte, rest @ ..] => path.first() == Some(byte) && by_definition(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "/([ab]|[ab]/|\\*|\\*\\*|\\*/){0,7}", path in "/[ab/]{0,10}") {
            if let Ok(compiled) = PathPattern::parse(&pattern) {
                // Three stars and more are two.
                let mut pattern = pattern.clone();
                while pattern.contains("***") {
                    pattern = pattern.replace("***", "**");
                }
                prop_assert_eq!(compiled.matches(&path), by_definition(pattern.as_bytes(), path.as_bytes()));
            }
        }
    }
}
