//! JSON as a JavaScript engine sees it.
//!
//! Objects keep their order: non-negative integer names first, ascending, then the others as written;
//! of a repeated name the last value holds, in the place of the first. Numbers are doubles.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

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

/// The members of an object in JavaScript's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    /// Sets a member as an assignment in JavaScript would.
    pub fn insert(&mut self, name: String, value: Json) {
        if let Some(entry) = self.0.iter_mut().find(|(known, _)| *known == name) {
            entry.1 = value;
            return;
        }
        let at = match integer_name(&name) {
            None => self.0.len(),
            Some(index) => self
                .0
                .iter()
                .position(|(known, _)| integer_name(known).is_none_or(|other| other > index))
                .unwrap_or(self.0.len()),
        };
        self.0.insert(at, (name, value));
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The value of a name that JavaScript orders as an array index: canonical decimal below 2^32 - 1.
fn integer_name(name: &str) -> Option<u32> {
    let canonical = name == "0" || (!name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit()));
    if !canonical {
        return None;
    }
    name.parse().ok().filter(|&index| index < u32::MAX)
}

impl Json {
    /// Parses a JSON text.
    ///
    /// # Errors
    /// What serde_json says of the text, with line and column.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
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
        let mut object = Object::default();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            object.insert(name, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let json = Json::parse(text.as_bytes()).unwrap();
        json.as_object()
            .unwrap()
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    #[test]
    fn integer_names_come_first_in_ascending_order() {
        assert_eq!(
            names(r#"{"b":0,"10":0,"2":0,"a":0,"01":0}"#),
            ["2", "10", "b", "a", "01"]
        );
    }

    #[test]
    fn a_repeated_name_keeps_its_place_and_takes_the_last_value() {
        let json = Json::parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
        let object = json.as_object().unwrap();
        assert_eq!(object.get("a"), Some(&Json::Number(3.0)));
        assert_eq!(object.iter().next().map(|(name, _)| name), Some("a"));
    }
}
