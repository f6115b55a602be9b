//! One claim.

use std::fmt;

use super::{ClaimsSet, Member};
use crate::json::{self, Json, Object};

/// A claim of a token: a JSON value that is looked at where it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim<'c> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A string.
    Text(&'c str),
    /// An array.
    List(ClaimList<'c>),
    /// An object.
    Object(&'c Object),
}

impl<'c> From<&'c Json> for Claim<'c> {
    fn from(json: &'c Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => Self::Number(*value),
            Json::String(text) => Self::Text(text),
            Json::Array(list) => Self::List(ClaimList(List::OfTree(list))),
            Json::Object(object) => Self::Object(object),
        }
    }
}

impl<'c> Claim<'c> {
    /// The text, if this is one.
    #[must_use]
    pub const fn as_str(self) -> Option<&'c str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub const fn as_number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The entries of a list; anything else as the only one.
    pub fn entries(self) -> impl Iterator<Item = Self> {
        Entries { claim: self, at: 0 }
    }

    /// The value as a tree of its own.
    #[must_use]
    pub fn to_json(self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(value) => Json::Number(value),
            Self::Text(text) => Json::String(text.to_owned()),
            Self::List(_) => Json::Array(self.entries().map(Self::to_json).collect()),
            Self::Object(object) => Json::Object(object.clone()),
        }
    }

    /// `JSON.stringify(value)`.
    #[must_use]
    pub fn stringify(self) -> String {
        match self {
            Self::Text(text) => json::stringify_text(text),
            other => other.to_json().stringify(),
        }
    }
}

/// A list of claims.
#[derive(Clone, Copy)]
pub struct ClaimList<'c>(List<'c>);

#[derive(Clone, Copy)]
enum List<'c> {
    OfSet(&'c ClaimsSet, &'c [Member]),
    OfTree(&'c [Json]),
}

impl<'c> ClaimList<'c> {
    pub(super) const fn of_set(set: &'c ClaimsSet, entries: &'c [Member]) -> Self {
        Self(List::OfSet(set, entries))
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(self) -> usize {
        match self.0 {
            List::OfSet(_, entries) => entries.len(),
            List::OfTree(entries) => entries.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// An entry, if there are so many.
    #[must_use]
    pub fn get(self, at: usize) -> Option<Claim<'c>> {
        match self.0 {
            List::OfSet(set, entries) => entries.get(at).map(|&(_, entry)| set.claim(entry, &[])),
            List::OfTree(entries) => entries.get(at).map(Claim::from),
        }
    }

    /// The entries in order.
    pub fn iter(self) -> impl Iterator<Item = Claim<'c>> {
        Claim::List(self).entries()
    }
}

impl PartialEq for ClaimList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for ClaimList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

struct Entries<'c> {
    claim: Claim<'c>,
    at: usize,
}

impl<'c> Iterator for Entries<'c> {
    type Item = Claim<'c>;

    fn next(&mut self) -> Option<Claim<'c>> {
        let at = self.at;
        self.at += 1;
        match self.claim {
            Claim::List(list) => list.get(at),
            single => (at == 0).then_some(single),
        }
    }
}
