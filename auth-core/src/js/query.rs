//! Query strings as Node's `querystring` module parses and generates them.

use std::borrow::Cow;

use super::percent::{decode_lossy, decode_strict, encode_component, has_escape};

/// Parts beyond this many are not looked at, empty ones included.
const MAX_PARTS: usize = 1000;

/// A parsed query string.
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What a query string has under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Param<'q> {
    Absent,
    One(&'q str),
    /// A repeated parameter, which JavaScript sees as a list.
    Many(Vec<&'q str>),
}

impl<'q> Param<'q> {
    /// The value, if there is exactly one and it is not empty.
    pub(crate) fn single(&self) -> Option<&'q str> {
        match self {
            Self::One(value) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

impl<'a> Query<'a> {
    /// Parses a query string without its `?`. Never fails.
    pub(crate) fn parse(text: &'a str) -> Self {
        let parts = text.split('&').take(MAX_PARTS).filter(|part| !part.is_empty());
        Self(
            parts
                .map(|part| {
                    let (name, value) = part.split_once('=').unwrap_or((part, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The values of a parameter.
    pub(crate) fn param(&self, name: &str) -> Param<'_> {
        let mut values = self
            .0
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref());
        match (values.next(), values.next()) {
            (None, _) => Param::Absent,
            (Some(value), None) => Param::One(value),
            (Some(first), Some(second)) => Param::Many([first, second].into_iter().chain(values).collect()),
        }
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    let text = if text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    };
    if !has_escape(&text) {
        return text;
    }
    match decode_strict(&text) {
        Some(decoded) => Cow::Owned(decoded.into_owned()),
        None => Cow::Owned(decode_lossy(&text)),
    }
}

/// Joins name and value pairs, each encoded, in the given order.
pub(crate) fn stringify(pairs: &[(&str, &str)]) -> String {
    let parts: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode_component(name), encode_component(value)))
        .collect();
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_a_space_and_a_part_without_equals_is_empty() {
        let query = Query::parse("a=1+2&b&c=x=y");
        assert_eq!(query.param("a"), Param::One("1 2"));
        assert_eq!(query.param("b"), Param::One(""));
        assert_eq!(query.param("c"), Param::One("x=y"));
        assert_eq!(query.param("d"), Param::Absent);
    }

    #[test]
    fn a_repeated_parameter_is_a_list_and_never_single() {
        let query = Query::parse("a=1&a=2&a=3");
        assert_eq!(query.param("a"), Param::Many(vec!["1", "2", "3"]));
        assert_eq!(query.param("a").single(), None);
    }

    #[test]
    fn only_the_first_thousand_parts_count_empty_ones_included() {
        let filler = "&".repeat(999);
        assert_eq!(Query::parse(&format!("{filler}a=1")).param("a"), Param::One("1"));
        assert_eq!(Query::parse(&format!("{filler}&a=1")).param("a"), Param::Absent);
    }

    #[test]
    fn a_broken_escape_falls_back_to_lenient_decoding() {
        assert_eq!(Query::parse("a=%zz").param("a"), Param::One("%zz"));
        assert_eq!(Query::parse("a=%zz%41").param("a"), Param::One("%zzA"));
    }
}
