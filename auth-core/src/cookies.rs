//! Reading cookies (RFC 6265 as the reference's parser understands it).
//!
//! Not the `cookie` crate: it trims and decodes by other rules, and which of several cookies of one
//! name holds is wire behaviour here. Nothing is copied unless a value needs decoding.

use std::{borrow::Cow, iter};

use memchr::memchr;

use crate::js::percent::decode_strict;

/// The cookies of a request: the values of its Cookie header fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies<'a>(&'a [&'a str]);

impl<'a> Cookies<'a> {
    pub(crate) const fn new(fields: &'a [&'a str]) -> Self {
        Self(fields)
    }

    /// The value of the cookie of that name: of several fields the last one that has it, within a field the first.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.get_composed(&[name])
    }

    /// The same for the name that these texts make up one after the other. A cookie is told by the beginning of its
    /// name, whose end need not be looked for in most of them.
    pub(crate) fn get_composed(self, name: &[&str]) -> Option<Cow<'a, str>> {
        let value_of = |segment: &'a str| {
            let segment = trim_start(segment);
            let rest = name.iter().try_fold(segment, |rest, text| rest.strip_prefix(text))?;
            let value = trim_start(rest).strip_prefix('=')?;
            // With one of these in it, or at its end, no name is the one that was sent.
            let named = &segment[..segment.len() - rest.len()];
            (cut(named, b'=').is_none() && trim(named).len() == named.len()).then(|| trim(value))
        };
        let mut fields = self.0.iter().rev();
        fields.find_map(|field| segments(field).find_map(value_of)).map(decode)
    }

    /// Every name with its value as it was sent, in the order in which they hold.
    pub(crate) fn all(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().rev().flat_map(|field| pairs(field))
    }

    /// Every value of the cookie of that name, whatever path or domain it was set for.
    pub(crate) fn values_of(self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let of_name = move |(known, _): &(&str, &str)| *known == name;
        let values = self.0.iter().flat_map(|field| pairs(field)).filter(of_name);
        values.map(|(_, value)| decode(value))
    }

    /// The value, unless it is empty.
    pub(crate) fn get_non_empty(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// Trimmed name and raw value pairs of a field; segments without `=` are no cookies.
fn pairs(field: &str) -> impl Iterator<Item = (&str, &str)> {
    segments(field).filter_map(|segment| {
        let (name, value) = cut(segment, b'=')?;
        Some((trim(name), trim(value)))
    })
}

/// What stands between a field's semicolons.
fn segments(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(field);
    iter::from_fn(move || {
        let text = rest?;
        let (segment, after) = cut(text, b';').map_or((text, None), |(segment, after)| (segment, Some(after)));
        rest = after;
        Some(segment)
    })
}

/// `str::split_once` in a quarter of its time: cookies are the most of a request.
fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr(separator, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// Only space and tab are white space in a Cookie header.
fn trim(text: &str) -> &str {
    let text = trim_start(text);
    let end = text
        .bytes()
        .rposition(|byte| !is_space(byte))
        .map_or(0, |last| last + 1);
    &text[..end]
}

fn trim_start(text: &str) -> &str {
    let start = text.bytes().position(|byte| !is_space(byte)).unwrap_or(text.len());
    &text[start..]
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Takes one quote off each side, then decodes: the whole value, or nothing of it.
pub(crate) fn decode(value: &str) -> Cow<'_, str> {
    let value = if value == "\"" {
        ""
    } else {
        value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value)
    };
    decode_strict(value).unwrap_or(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(fields: &[&str]) -> Option<String> {
        Cookies::new(fields).get("a").map(Cow::into_owned)
    }

    #[test]
    fn within_a_field_the_first_of_a_name_holds() {
        assert_eq!(value(&["a=1; a=2"]).as_deref(), Some("1"));
        assert_eq!(value(&["a=; a=2"]).as_deref(), Some(""));
    }

    #[test]
    fn a_name_is_read_as_one_whatever_it_is_made_of() {
        let field = "ab=1; abc =2; \tab\t=3; ab.c=4; a=b=5; =6; a";
        let fields = [field];
        let found = |name: [&str; 2]| Cookies::new(&fields).get_composed(&name);
        let composed = [
            (["a", "b"], Some("1")),
            (["", "ab"], Some("1")),
            (["ab", "c"], Some("2")),
            (["ab.", "c"], Some("4")),
            (["a", ""], Some("b=5")),
            (["a=", "b"], None),
            (["a", "=b"], None),
            (["ab", "c "], None),
            (["ab ", ""], None),
            ([" ab", "c"], None),
            (["", ""], Some("6")),
            (["b", "c"], None),
        ];
        for (name, value) in composed {
            assert_eq!(found(name).as_deref(), value, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cookie_s_value_is_that_of_the_first_pair_of_its_name(
            field in "[ab=; \t]{0,24}",
            name in ("[ab= \t]{0,2}", "[ab= \t]{0,2}", "[ab= \t]{0,2}"),
        ) {
            let whole = format!("{}{}{}", name.0, name.1, name.2);
            let first = pairs(&field).find(|(name, _)| *name == whole).map(|(_, value)| decode(value));
            let fields = [field.as_str()];
            prop_assert_eq!(Cookies::new(&fields).get_composed(&[&name.0, &name.1, &name.2]), first);
        }
    }

    #[test]
    fn a_later_field_overrides_even_with_an_empty_value() {
        assert_eq!(value(&["a=1", "a=2"]).as_deref(), Some("2"));
        assert_eq!(value(&["a=1", "a="]).as_deref(), Some(""));
        assert_eq!(value(&["a=1", "b=2"]).as_deref(), Some("1"));
    }

    #[test]
    fn only_space_and_tab_are_trimmed() {
        assert_eq!(value(&["b; \ta \t=\t x y \t;c"]).as_deref(), Some("x y"));
        assert_eq!(value(&["\u{a0}a=1"]), None);
        assert_eq!(value(&["a=\n1"]).as_deref(), Some("\n1"));
    }

    #[test]
    fn one_pair_of_quotes_is_taken_off() {
        assert_eq!(value(&[r#"a="1""#]).as_deref(), Some("1"));
        assert_eq!(value(&[r#"a=""1"""#]).as_deref(), Some(r#""1""#));
        assert_eq!(value(&[r#"a="1"#]).as_deref(), Some(r#""1"#));
        assert_eq!(value(&[r#"a=""#]).as_deref(), Some(""));
    }

    #[test]
    fn a_value_is_decoded_as_a_whole_or_not_at_all() {
        assert_eq!(value(&["a=%41+%20"]).as_deref(), Some("A+ "));
        assert_eq!(value(&["a=%41%zz"]).as_deref(), Some("%41%zz"));
        assert_eq!(value(&["a=%41%ff"]).as_deref(), Some("%41%ff"));
    }

    #[test]
    fn names_are_neither_decoded_nor_case_folded() {
        assert_eq!(value(&["%61=1; A=2"]), None);
    }
}
