//! One claim.

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
    List(&'c [Json]),
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
            Json::Array(list) => Self::List(list),
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

    /// The value as a tree of its own.
    #[must_use]
    pub fn to_json(self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(value) => Json::Number(value),
            Self::Text(text) => Json::String(text.to_owned()),
            Self::List(list) => Json::Array(list.to_vec()),
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
