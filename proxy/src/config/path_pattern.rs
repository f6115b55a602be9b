//! Path patterns of behaviours, in CloudFront's syntax: `*` stands for any number of characters, `?` for one.
//!
//! Case counts, slashes are characters like others, and a pattern always describes a whole path. It is matched
//! against the decoded canonical path, so that no other spelling of a path finds another behaviour. Matching
//! never backtracks further than to the last `*`: its time is bounded by the product of the lengths (T-DOS-4).

use std::{fmt, str::FromStr};

use thiserror::Error;

/// As `/api/*` or `/images/??.png`; starts with a slash or a `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern(String);

/// Why a text is no path pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathPatternError {
    /// Nothing at all.
    #[error("empty")]
    Empty,
    /// Longer than CloudFront's 255 characters.
    #[error("more than 255 characters")]
    TooLong,
    /// A control character, a backslash or the beginning of a query or fragment.
    #[error("a character that no path has")]
    Character,
    /// An escape: patterns are written decoded.
    #[error("a percent sign")]
    Escaped,
    /// A `.` or `..` segment, which no admitted path has.
    #[error("a dot segment")]
    DotSegment,
}

impl PathPattern {
    const MAX_LENGTH: usize = 255;

    /// Whether the pattern describes the whole of a decoded path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let (mut pattern, mut path) = (self.0.chars(), path.chars());
        // What to go on with should it turn out that the last `*` stands for one more character.
        let mut retry = None;
        loop {
            let at_path = path.clone();
            match (pattern.next(), path.next()) {
                (Some('*'), _) => {
                    retry = Some((pattern.clone(), at_path.clone()));
                    path = at_path;
                }
                (Some('?'), Some(_)) => {}
                (Some(expected), Some(found)) if expected == found => {}
                (None, None) => return true,
                _ => {
                    let Some((after_star, mut longer)) = retry.take() else {
                        return false;
                    };
                    if longer.next().is_none() {
                        return false;
                    }
                    retry = Some((after_star.clone(), longer.clone()));
                    (pattern, path) = (after_star, longer);
                }
            }
        }
    }

    /// Whether every path is described.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self.0.as_str(), "*" | "/*")
    }
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, PathPatternError> {
        if text.is_empty() {
            return Err(PathPatternError::Empty);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(PathPatternError::TooLong);
        }
        if text.contains('%') {
            return Err(PathPatternError::Escaped);
        }
        if text.contains(|c: char| c.is_control() || matches!(c, '\\' | '#')) {
            return Err(PathPatternError::Character);
        }
        if text.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(PathPatternError::DotSegment);
        }
        // As with CloudFront, the leading slash may be left out.
        let slash = if text.starts_with(['/', '*']) { "" } else { "/" };
        Ok(Self(format!("{slash}{text}")))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<PathPattern>().unwrap().matches(path)
    }

    #[test]
    fn a_pattern_without_wildcards_is_one_path() {
        assert!(matches("/docs/a.html", "/docs/a.html"));
        for other in [
            "/docs/a.htm",
            "/docs/a.html/",
            "/docs/a.html5",
            "/x/docs/a.html",
            "/docs/aXhtml",
        ] {
            assert!(!matches("/docs/a.html", other), "{other}");
        }
    }

    #[test]
    fn case_counts() {
        assert!(!matches("/API/*", "/api/x"));
        assert!(!matches("*.JPG", "/a.jpg"));
    }

    #[test]
    fn a_star_stands_for_any_number_of_characters_and_slashes() {
        for path in ["/api/", "/api/v1", "/api/v1/users/7", "/api/*"] {
            assert!(matches("/api/*", path), "{path}");
        }
        for path in ["/api", "/apix", "/x/api/"] {
            assert!(!matches("/api/*", path), "{path}");
        }
        assert!(matches("*.jpg", "/deep/down/a.jpg"));
        assert!(matches("/a*/b*c", "/axx/yy/bzzc"));
        assert!(matches("*", "/"));
        assert!(!matches("/a*b*c", "/axbx"));
    }

    #[test]
    fn a_question_mark_stands_for_exactly_one_character() {
        assert!(matches("/a??.png", "/a12.png"));
        assert!(matches("/caf?", "/café"));
        assert!(!matches("/a??.png", "/a1.png"));
        assert!(!matches("/a?", "/a"));
    }

    #[test]
    fn the_leading_slash_may_be_left_out() {
        assert!(matches("images/*", "/images/a"));
        assert_eq!("images/*".parse::<PathPattern>().unwrap().to_string(), "/images/*");
        assert!(!matches("*images/*", "/x"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "*a".repeat(127);
        assert!(!matches(&pattern, &format!("/{}", "a".repeat(126))));
        assert!(matches(&pattern, &format!("/{}", "a".repeat(8000))));
        assert!(!matches(&pattern, &format!("/{}b", "a".repeat(8000))));
    }

    #[test]
    fn what_matches_no_path_is_refused() {
        for (wrong, error) in [
            ("", PathPatternError::Empty),
            ("/a%20b", PathPatternError::Escaped),
            ("/a\\b", PathPatternError::Character),
            ("/a#b", PathPatternError::Character),
            ("/a\0", PathPatternError::Character),
            ("/a/../b", PathPatternError::DotSegment),
            ("/./*", PathPatternError::DotSegment),
        ] {
            assert_eq!(wrong.parse::<PathPattern>(), Err(error), "{wrong:?}");
        }
        assert_eq!("a".repeat(256).parse::<PathPattern>(), Err(PathPatternError::TooLong));
    }

    /// The definition, without any cleverness.
    fn by_definition(pattern: &[char], path: &[char]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=path.len()).any(|taken| by_definition(rest, &path[taken..])),
            (Some((p, rest)), Some((c, left))) if *p == '?' || p == c => by_definition(rest, left),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "/[ab*?/]{0,8}", path in "/[ab/]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &path), by_definition(&chars(&pattern), &chars(&path)));
        }
    }
}
