//! A token's claims (RFC 7519, section 4), in one piece of memory unless there are unusually many.
//!
//! They say what [`Json`] would: of a repeated name the last value holds, and the order is JavaScript's. A tree
//! would take an allocation for each name and each text, of which a token has some thirty: that is more work than
//! reading them, and a first-seen token is to cost its signature's verification and little else. So they are read on
//! the stack.

mod claim;
mod marked;
#[cfg(feature = "fast")]
mod plain;
mod read;
mod texts;

use std::{fmt, ops::Range};

use serde::de::DeserializeSeed as _;
use smallvec::SmallVec;

pub use self::claim::{Claim, ClaimList};
pub(super) use self::texts::Texts;
use self::{marked::Marked, read::Reader};
use crate::{
    js::object::{self, FEW},
    json::{Json, Object},
};

/// A token's claims.
#[derive(Default)]
pub(crate) struct ClaimsSet {
    /// The JSON that was read, in which names and texts lie, and after it those that were escaped there.
    texts: Texts<ROOM>,
    members: Table,
    /// Which of them has a name of that mark.
    marked: Marked,
    /// Values that are objects, or lists in which there are others; few claims have any.
    trees: Vec<Json>,
}

/// A name and its value, which the entries of a list follow, each without a name.
type Member = (Span, Value);

/// Most tokens' claims are shorter.
const ROOM: usize = 1_376;

/// So that those that are remembered take a block of two KiB.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<ClaimsSet>() <= 2 * 1024);

/// As many as a token has, as a rule.
const USUAL_MEMBERS: usize = 20;

type Table = SmallVec<[Member; USUAL_MEMBERS]>;

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

/// A value, as a kind and what belongs to it: two words that are kept in registers on their way into the table. An enum
/// is put together in memory, in pieces that the processor then has to wait for.
#[derive(Clone, Copy)]
struct Value {
    kind: Kind,
    bits: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Null,
    Bool,
    Number,
    Text,
    /// So many entries.
    List,
    /// The tree of that index.
    Tree,
}

impl Value {
    const NULL: Self = Self::new(Kind::Null, 0);

    const fn new(kind: Kind, bits: u64) -> Self {
        Self { kind, bits }
    }

    const fn bool(value: bool) -> Self {
        Self::new(Kind::Bool, value as u64)
    }

    const fn number(value: f64) -> Self {
        Self::new(Kind::Number, value.to_bits())
    }

    const fn text(span: Span) -> Self {
        Self::new(Kind::Text, (span.start as u64) << 32 | span.length as u64)
    }

    const fn list(entries: usize) -> Self {
        Self::new(Kind::List, entries as u64)
    }

    /// Keeps a tree among the others.
    fn tree(tree: Json, trees: &mut Vec<Json>) -> Self {
        trees.push(tree);
        Self::new(Kind::Tree, trees.len() as u64 - 1)
    }

    const fn span(self) -> Span {
        Span {
            start: (self.bits >> 32) as u32,
            length: self.bits as u32,
        }
    }

    /// How many entries follow it.
    const fn entries(self) -> usize {
        match self.kind {
            Kind::List => self.bits as usize,
            _ => 0,
        }
    }
}

impl ClaimsSet {
    /// Reads a JSON object, in place of what was there; bad UTF-8 becomes U+FFFD first. `None`: it is no object, or no
    /// JSON.
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<()> {
        self.clear();
        match str::from_utf8(text) {
            Ok(text) => self.texts.push_str(text),
            Err(_) => self.texts.push_str(&String::from_utf8_lossy(text)),
        }
        self.read_members()?;
        if !self.mark() {
            let tree: Vec<(String, Json)> = self
                .iter()
                .map(|(name, claim)| (name.to_owned(), claim.to_json()))
                .collect();
            *self = Self::of(&tree.into_iter().collect())?;
        }
        Some(())
    }

    /// The members as they stand there.
    fn read_members(&mut self) -> Option<()> {
        #[cfg(feature = "fast")]
        if plain::read(self.texts.as_str(), &mut self.members).is_some() {
            return Some(());
        }
        self.read_any()
    }

    /// The same of any JSON object.
    fn read_any(&mut self) -> Option<()> {
        let mut reader = Reader::new(self.texts.as_str());
        let mut deserializer = serde_json::Deserializer::from_str(self.texts.as_str());
        reader.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        let Reader {
            escaped,
            members,
            trees,
            ..
        } = reader;
        self.texts.push_str(&escaped);
        self.members = members;
        self.trees = trees;
        Some(())
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.members.clear();
        self.marked = Marked::NONE;
        self.trees.clear();
    }

    /// Becomes the same as another.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.clear();
        self.texts.push_str(other.texts.as_str());
        self.members.extend_from_slice(&other.members);
        self.marked = other.marked;
        self.trees.extend_from_slice(&other.trees);
    }

    /// Those of an object. `None`: its texts are longer than any token.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        let mut claims = Self::default();
        for (name, value) in object.iter() {
            let name = claims.keep(name)?;
            let value = match value {
                Json::Null => Value::NULL,
                Json::Bool(value) => Value::bool(*value),
                Json::Number(value) => Value::number(*value),
                Json::String(text) => Value::text(claims.keep(text)?),
                tree @ (Json::Array(_) | Json::Object(_)) => Value::tree(tree.clone(), &mut claims.trees),
            };
            claims.members.push((name, value));
        }
        claims.mark();
        Some(claims)
    }

    fn keep(&mut self, text: &str) -> Option<Span> {
        let span = Span::new(self.texts.as_str().len(), text.len());
        self.texts.push_str(text);
        span
    }

    fn text(&self, span: Span) -> &str {
        &self.texts.as_str()[span.range()]
    }

    /// Marks the names. Says whether these are few and different, and JavaScript would put none elsewhere.
    fn mark(&mut self) -> bool {
        let texts = self.texts.as_str().as_bytes();
        let (mut marked, mut count, mut is_doubtful) = (Marked::NONE, 0, false);
        let mut at = 0;
        while let Some(&(name, value)) = self.members.get(at) {
            let name = &texts[name.range()];
            is_doubtful |= !marked.mark(name, at) || name.first().is_some_and(u8::is_ascii_digit);
            at += 1 + value.entries();
            count += 1;
        }
        self.marked = marked;
        count <= FEW && (!is_doubtful || self.has_orderly_names())
    }

    /// The same of few, looked at one by one.
    fn has_orderly_names(&self) -> bool {
        let names = || self.iter().map(|(name, _)| name);
        let is_repeated = |at: usize, name: &str| names().take(at).any(|other| other == name);
        names()
            .enumerate()
            .all(|(at, name)| !object::is_integer_name(name) && !is_repeated(at, name))
    }

    /// A claim, if it is there.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<Claim<'_>> {
        let (_, value, entries) = self.find(self.marked.first(name.as_bytes())?, name)?;
        Some(self.claim(value, entries))
    }

    /// The first member of that name, from the first on that has its mark.
    fn find(&self, first: usize, name: &str) -> Option<(Span, Value, &[Member])> {
        let texts = self.texts.as_str().as_bytes();
        Members(&self.members[first..]).find(|(known, ..)| texts[known.range()] == *name.as_bytes())
    }

    /// The claims in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Claim<'_>)> {
        Members(&self.members).map(|(name, value, entries)| (self.text(name), self.claim(value, entries)))
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
    fn claim<'c>(&'c self, value: Value, entries: &'c [Member]) -> Claim<'c> {
        match value.kind {
            Kind::Null => Claim::Null,
            Kind::Bool => Claim::Bool(value.bits != 0),
            Kind::Number => Claim::Number(f64::from_bits(value.bits)),
            Kind::Text => Claim::Text(self.text(value.span())),
            Kind::List => Claim::List(ClaimList::of_set(self, entries)),
            Kind::Tree => (&self.trees[value.bits as usize]).into(),
        }
    }
}

/// Goes from name to name, over the entries between.
struct Members<'m>(&'m [Member]);

impl<'m> Iterator for Members<'m> {
    type Item = (Span, Value, &'m [Member]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&(name, value), rest) = self.0.split_first()?;
        let (entries, rest) = rest.split_at(value.entries());
        self.0 = rest;
        Some((name, value, entries))
    }
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

    impl ClaimsSet {
        /// Those of a text.
        pub(crate) fn parse_lossy(text: &[u8]) -> Option<Self> {
            let mut claims = Self::default();
            claims.read(text)?;
            Some(claims)
        }
    }

    /// What both make of a text.
    fn both(text: &[u8]) -> (Option<Members>, Option<Members>) {
        let set = ClaimsSet::parse_lossy(text);
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
            assert!(ClaimsSet::parse_lossy(text.as_bytes()).is_none(), "{text}");
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
    fn a_claim_is_found_behind_more_than_a_mark_can_tell_and_behind_others_of_its_mark() {
        let groups = vec![r#""g""#; 300].join(",");
        // "ae" and "ba" have one mark, "sub", "sxb" and "syb" another.
        let text = format!(r#"{{"ae":1,"sub":"s","groups":[{groups}],"ba":2,"aud":"c","sxb":3}}"#);
        let set = ClaimsSet::parse_lossy(text.as_bytes()).unwrap();
        for (name, value) in [("ae", 1.0), ("ba", 2.0), ("sxb", 3.0)] {
            assert_eq!(set.number_of(name), Some(value), "{name}");
        }
        assert_eq!((set.text_of("sub"), set.text_of("aud")), (Some("s"), Some("c")));
        assert_eq!(set.get("groups").map(|list| list.entries().count()), Some(300));
        for absent in ["", "g", "syb", "auc"] {
            assert_eq!(set.get(absent), None, "{absent}");
        }
    }

    #[test]
    fn values_are_no_part_of_its_debug_output() {
        let set = ClaimsSet::parse_lossy(br#"{"email":"jane@example.com"}"#).unwrap();
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
