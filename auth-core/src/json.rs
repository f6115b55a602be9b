//! JSON as a JavaScript engine sees it: objects in its order, repeated names resolved, numbers doubles.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::js::{number, object};

/// The members of a JSON object.
pub type Object = object::Object<Json>;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Object),
}

impl Json {
    /// Parses a JSON text.
    ///
    /// # Errors
    /// What serde_json says of the text, with line and column.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// What reads a list or an object that others have come upon.
    pub(crate) fn visitor<'de>() -> impl Visitor<'de, Value = Self> {
        JsonVisitor
    }

    /// Parses bytes as `JSON.parse(buffer.toString())` does: bad UTF-8 becomes U+FFFD first.
    pub(crate) fn parse_lossy(text: &[u8]) -> Option<Self> {
        parse_lossy(text)
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A member, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// What an `if` makes of the value.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// What a template string makes of the value.
    pub(crate) fn to_template(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number::print(*number),
            Self::String(text) => text.clone(),
            Self::Array(list) => {
                let parts: Vec<String> = list
                    .iter()
                    .map(|value| {
                        if *value == Self::Null {
                            String::new()
                        } else {
                            value.to_template()
                        }
                    })
                    .collect();
                parts.join(",")
            }
            Self::Object(_) => "[object Object]".to_owned(),
        }
    }

    /// `JSON.stringify(value)`.
    #[must_use]
    pub fn stringify(&self) -> String {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => self.to_template(),
            Self::String(text) => stringify_text(text),
            Self::Array(list) => {
                let parts: Vec<String> = list.iter().map(Self::stringify).collect();
                format!("[{}]", parts.join(","))
            }
            Self::Object(object) => {
                let parts: Vec<String> = object
                    .iter()
                    .map(|(name, value)| format!("{}:{}", stringify_text(name), value.stringify()))
                    .collect();
                format!("{{{}}}", parts.join(","))
            }
        }
    }
}

/// [`Json::parse_lossy`] into a type that keeps less.
pub(crate) fn parse_lossy<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    // Checked first: the lossy conversion reads byte by byte.
    match str::from_utf8(text) {
        Ok(text) => serde_json::from_str(text).ok(),
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(text)).ok(),
    }
}

/// `JSON.stringify(text)`: control characters escaped, everything else literal.
pub(crate) fn stringify_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, Json>()? {
            members.push(member);
        }
        Ok(Json::Object(members.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_of_a_repeated_name_holds() {
        assert_eq!(json(r#"{"a":1,"a":2}"#).member("a"), Some(&Json::Number(2.0)));
    }

    #[test]
    fn falsy_values_are_those_of_javascript() {
        for text in ["null", "false", "0", "-0.0", r#""""#] {
            assert!(!json(text).is_truthy(), "{text}");
        }
        for text in ["true", "1", r#""0""#, "[]", "{}"] {
            assert!(json(text).is_truthy(), "{text}");
        }
    }

    #[test]
    fn values_print_as_in_a_template_string() {
        assert_eq!(json(r#"["a",null,[1,2.5]]"#).to_template(), "a,,1,2.5");
        assert_eq!(json("{}").to_template(), "[object Object]");
    }

    #[test]
    fn stringify_escapes_control_characters_only() {
        assert_eq!(
            stringify_text("\u{1}\n\"\\é\u{7f}\u{2028}"),
            "\"\\u0001\\n\\\"\\\\é\u{7f}\u{2028}\""
        );
        assert_eq!(
            json(r#"{"b":[1,"x"],"1":null}"#).stringify(),
            r#"{"1":null,"b":[1,"x"]}"#
        );
    }
}
