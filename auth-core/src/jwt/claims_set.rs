//! A token's claims (RFC 7519, section 4), kept in two pieces of memory however many there are.
//!
//! They say what [`Json`] would: of a repeated name the last value holds, and the order is JavaScript's. A tree
//! would take an allocation for each name and each text, of which a token has some thirty: that is more work than
//! reading them, and a first-seen token is to cost its signature's verification and little else.

mod claim;
#[cfg(feature = "fast")]
mod plain;
mod read;

use std::{fmt, ops::Range};

use serde::de::DeserializeSeed as _;

pub use self::claim::{Claim, ClaimList};
use self::read::Reader;
use crate::{
    js::object::{self, FEW},
    json::{Json, Object},
};

/// A token's claims.
#[derive(Clone, Default)]
pub(crate) struct ClaimsSet {
    /// The JSON that was read, in which names and texts lie, after it those that were escaped there, and last what was
    /// appended.
    texts: String,
    members: Vec<Member>,
}

/// A name and its value, which the entries of a list follow, each without a name.
type Member = (Span, Value);

/// As many as a token has, as a rule.
const USUAL_MEMBERS: usize = 20;

/// Where a text lies among the others.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// The name of a list's entry.
    const NONE: Self = Self { start: 0, length: 0 };

    /// `None`: further on than any token is long.
    fn new(start: usize, length: usize) -> Option<Self> {
        u32::try_from(start.checked_add(length)?).ok()?;
        Some(Self {
            start: start as u32,
            length: length as u32,
        })
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

#[derive(Clone)]
enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(Span),
    /// So many entries.
    List(u32),
    /// An object, or what is in a list's list; few claims are.
    Tree(Box<Json>),
}

impl ClaimsSet {
    /// Reads a JSON object; bad UTF-8 becomes U+FFFD first. `None`: it is no object, or no JSON.
    pub(crate) fn parse_lossy(text: Vec<u8>) -> Option<Self> {
        let text =
            String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let claims = Self::read(text)?;
        if claims.is_in_order() {
            return Some(claims);
        }
        let tree: Vec<(String, Json)> = claims
            .iter()
            .map(|(name, claim)| (name.to_owned(), claim.to_json()))
            .collect();
        Self::of(&tree.into_iter().collect())
    }

    /// The members as they stand there.
    fn read(text: String) -> Option<Self> {
        #[cfg(feature = "fast")]
        if let Some(members) = plain::read(&text) {
            return Some(Self { texts: text, members });
        }
        Self::read_any(text)
    }

    /// The same of any JSON object.
    fn read_any(text: String) -> Option<Self> {
        let mut reader = Reader::new(&text);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        reader.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        let Reader { escaped, members, .. } = reader;
        let mut claims = Self { texts: text, members };
        claims.texts.push_str(&escaped);
        Some(claims)
    }

    /// Those of an object. `None`: its texts are longer than any token.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        let mut claims = Self::default();
        for (name, value) in object.iter() {
            let name = claims.keep(name)?;
            let value = match value {
                Json::Null => Value::Null,
                Json::Bool(value) => Value::Bool(*value),
                Json::Number(value) => Value::Number(*value),
                Json::String(text) => Value::Text(claims.keep(text)?),
                tree @ (Json::Array(_) | Json::Object(_)) => Value::Tree(tree.clone().into()),
            };
            claims.members.push((name, value));
        }
        Some(claims)
    }

    fn keep(&mut self, text: &str) -> Option<Span> {
        let span = Span::new(self.texts.len(), text.len());
        self.texts.push_str(text);
        span
    }

    /// Keeps what is not a claim behind all that is. Says where it begins.
    pub(crate) fn append(&mut self, text: &str) -> usize {
        let at = self.texts.len();
        self.texts.push_str(text);
        at
    }

    /// What was appended there.
    pub(crate) fn appended(&self, at: usize) -> &str {
        &self.texts[at..]
    }

    fn text(&self, span: Span) -> &str {
        &self.texts[span.range()]
    }

    /// Whether these are few, of different names, none of which JavaScript would put elsewhere.
    fn is_in_order(&self) -> bool {
        let mut seen = 0_u64;
        let mut is_new = |at: usize, name: &str| {
            // Names that differ here need not be compared.
            let last = name.bytes().next_back().unwrap_or_default();
            let mark = 1 << ((name.len() as u64 ^ u64::from(last)) % 64);
            let is_told_apart = seen & mark == 0;
            seen |= mark;
            is_told_apart || find(&self.texts, &self.members[..at], name).is_none()
        };
        let (mut rest, mut count) = (Members(&self.members), 0);
        loop {
            let at = self.members.len() - rest.0.len();
            let Some((name, ..)) = rest.next() else {
                return true;
            };
            let name = self.text(name);
            count += 1;
            if count > FEW || object::is_integer_name(name) || !is_new(at, name) {
                return false;
            }
        }
    }

    /// A claim, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<Claim<'_>> {
        find(&self.texts, &self.members, name).map(|(value, entries)| self.claim(value, entries))
    }

    /// The claims in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Claim<'_>)> {
        self.short(usize::MAX)
    }

    /// Those whose names are so short at most; the others are passed over without a look.
    pub(crate) fn short(&self, longest: usize) -> impl Iterator<Item = (&str, Claim<'_>)> {
        let is_short = move |(name, ..): &(Span, &Value, &[Member])| name.length as usize <= longest;
        let short = Members(&self.members).filter(is_short);
        short.map(|(name, value, entries)| (self.text(name), self.claim(value, entries)))
    }

    /// A claim that is a text.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A claim that is a number.
    pub(crate) fn number_of(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }

    #[inline]
    fn claim<'c>(&'c self, value: &'c Value, entries: &'c [Member]) -> Claim<'c> {
        match value {
            Value::Null => Claim::Null,
            Value::Bool(value) => Claim::Bool(*value),
            Value::Number(value) => Claim::Number(*value),
            Value::Text(span) => Claim::Text(self.text(*span)),
            Value::List(_) => Claim::List(ClaimList::of_set(self, entries)),
            Value::Tree(tree) => (&**tree).into(),
        }
    }
}

/// Goes from name to name, over the entries between.
struct Members<'m>(&'m [Member]);

impl<'m> Iterator for Members<'m> {
    type Item = (Span, &'m Value, &'m [Member]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let ((name, value), rest) = self.0.split_first()?;
        let (entries, rest) = match value {
            Value::List(count) => rest.split_at(*count as usize),
            _ => rest.split_at(0),
        };
        self.0 = rest;
        Some((*name, value, entries))
    }
}

/// The value of the first member of that name, and its entries.
fn find<'m>(texts: &str, members: &'m [Member], name: &str) -> Option<(&'m Value, &'m [Member])> {
    // Most names differ in length, which is less to look at than where they lie; entries of lists have none, so that
    // they need not be stepped over.
    let is_named =
        |span: Span| span.length as usize == name.len() && texts.as_bytes()[span.range()] == *name.as_bytes();
    if name.is_empty() {
        let found = Members(members).find(|(known, ..)| is_named(*known));
        return found.map(|(_, value, entries)| (value, entries));
    }
    let at = members.iter().position(|(known, _)| is_named(*known))?;
    Members(&members[at..])
        .next()
        .map(|(_, value, entries)| (value, entries))
}

/// Names alone: values are about people.
impl fmt::Debug for ClaimsSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Members = Vec<(String, Json)>;

    /// What both make of a text.
    fn both(text: &[u8]) -> (Option<Members>, Option<Members>) {
        let set = ClaimsSet::parse_lossy(text.to_vec());
        let tree = Json::parse_lossy(text);
        let members = |object: &Object| {
            object
                .iter()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect()
        };
        (
            set.map(|set| {
                set.iter()
                    .map(|(name, claim)| (name.to_owned(), claim.to_json()))
                    .collect()
            }),
            tree.as_ref().and_then(Json::as_object).map(members),
        )
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "1",
            r#""a""#,
            "{",
            "{}}",
            r#"{"a":}"#,
            r#"{a:1}"#,
            r#"{"a":1e999}"#,
            r#"{"\ud800":1}"#,
        ] {
            assert!(ClaimsSet::parse_lossy(text.into()).is_none(), "{text}");
        }
    }

    #[test]
    fn escaped_and_repeated_names_and_those_of_integers_are_as_in_a_tree() {
        for text in [
            r#"{"\u0061ud":"x\n","aud":"y"}"#,
            r#"{"b":1,"10":2,"2":[{"x":null}],"a":{"2":1,"1":2},"b":"last"}"#,
            r#"{"":"","\u00e9":"\u00e9"}"#,
        ] {
            let (set, tree) = both(text.as_bytes());
            assert!(set.is_some(), "{text}");
            assert_eq!(set, tree, "{text}");
        }
        let (set, tree) = both(b"{\"a\xff\":\"\xc3\"}");
        assert_eq!(set, tree);
        assert_eq!(set.unwrap()[0].0, "a\u{fffd}");
    }

    #[test]
    fn values_are_no_part_of_its_debug_output() {
        let set = ClaimsSet::parse_lossy(br#"{"email":"jane@example.com"}"#.to_vec()).unwrap();
        assert_eq!(format!("{set:?}"), r#"{"email"}"#);
    }

    fn json() -> impl Strategy<Value = String> {
        let text = "\"([a-c0-2é]|\\\\u0061|\\\\n|\\\\ud800){0,3}\"";
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("-0.5e3".to_owned()),
            Just("12".to_owned()),
            text
        ];
        leaf.prop_recursive(3, 24, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
                prop::collection::vec((text, inner), 0..8).prop_map(|members| {
                    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    /// As issuers write it, and with a byte or two that are not as they should be.
    fn nearly_plain() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            "\"[a-c0-2é ]{0,12}\"",
            "[0-9]{1,17}",
            "-1|1\\.5|2e3|00|true|false|null| true ",
        ];
        let list = prop::collection::vec(scalar.clone(), 0..3).prop_map(|list| format!("[{}]", list.join(",")));
        let member = ("[a-c0-2]{0,2}", prop_oneof![4 => scalar, 1 => list]);
        let object = prop::collection::vec(member, 0..5).prop_map(|members| {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("\"{name}\": {value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        let slip = (
            any::<prop::sample::Index>(),
            prop::sample::select(vec!["\"", "\\", "{", "}", "[", "]", ",", ":", "0", " ", "\n", "t", ""]),
        );
        (object, prop::collection::vec(slip, 0..3)).prop_map(|(text, slips)| {
            let mut characters: Vec<String> = text.chars().map(String::from).collect();
            for (at, instead) in slips {
                *at.get_mut(&mut characters) = instead.to_owned();
            }
            characters.concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_says_what_a_tree_says(text in json()) {
            let (set, tree) = both(text.as_bytes());
            prop_assert_eq!(set, tree);
        }

        #[test]
        fn what_issuers_write_says_what_a_tree_says(text in nearly_plain()) {
            let (set, tree) = both(text.as_bytes());
            prop_assert_eq!(set, tree);
        }

        #[test]
        fn it_is_made_of_objects_as_well(text in json()) {
            let Some(Json::Object(object)) = Json::parse_lossy(text.as_bytes()) else { return Ok(()) };
            let set = ClaimsSet::of(&object).unwrap();
            for (name, value) in object.iter() {
                prop_assert_eq!(set.get(name), Some(value.into()));
            }
            prop_assert_eq!(set.iter().count(), object.iter().count());
        }
    }
}
