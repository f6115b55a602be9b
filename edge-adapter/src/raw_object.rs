//! A JSON object whose values are kept as their text, so that what is not touched stays as it came:
//! unknown members, the spelling of numbers, the order.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Members in order. Of a repeated name the last value holds, as in JavaScript.
#[derive(Debug)]
pub(crate) struct RawObject<'a>(Vec<(String, Member<'a>)>);

/// A value: as it came, or ours.
#[derive(Debug)]
enum Member<'a> {
    Kept(&'a RawValue),
    Set(Box<RawValue>),
}

impl<'a> RawObject<'a> {
    pub(crate) const fn empty() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| match value {
                Member::Kept(raw) => *raw,
                Member::Set(raw) => raw,
            })
    }

    pub(crate) fn set(&mut self, name: &str, value: Box<RawValue>) {
        self.put(name.to_owned(), Member::Set(value));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The members of these names alone.
    pub(crate) fn only(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| names.contains(&name.as_str()));
        self
    }

    fn put(&mut self, name: String, value: Member<'a>) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| match value {
            Member::Kept(raw) => (name, *raw),
            Member::Set(raw) => (name, &**raw),
        }))
    }
}

impl<'de> Deserialize<'de> for RawObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawObjectVisitor)
    }
}

struct RawObjectVisitor;

impl<'de> Visitor<'de> for RawObjectVisitor {
    type Value = RawObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = RawObject::empty();
        while let Some((name, value)) = map.next_entry()? {
            object.put(name, Member::Kept(value));
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn what_is_not_set_comes_back_as_it_came() {
        let text = r#"{"a":1.50e+2,"b":{ "x" : [null] },"z":"\u00e9"}"#;
        let object: RawObject<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&object).unwrap(), text);
    }

    #[test]
    fn a_member_that_is_set_keeps_its_place_and_a_new_one_comes_last() {
        let mut object: RawObject<'_> = serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap();
        object.set("a", to_raw_value("x").unwrap());
        object.set("c", to_raw_value(&true).unwrap());
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":"x","b":2,"c":true}"#);
    }

    #[test]
    fn of_a_repeated_name_the_last_value_holds() {
        let object: RawObject<'_> = serde_json::from_str(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(object.get("a").map(RawValue::get), Some("3"));
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "null", "1", "\"a\"", "{", "{\"a\"}"] {
            assert!(serde_json::from_str::<RawObject<'_>>(text).is_err(), "{text}");
        }
    }
}
