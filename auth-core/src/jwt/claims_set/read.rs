//! Reading claims: where they lie in the text is noted, and nothing is copied but what is escaped there.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{Kind, Span, Table, Value};
use crate::json::Json;

/// Claims that are being read.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) escaped: String,
    pub(super) members: Table,
    pub(super) trees: Vec<Json>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            escaped: String::new(),
            members: Table::new(),
            trees: Vec::new(),
        }
    }

    /// A part of the text; by address, since that is what there is.
    fn place(&mut self, part: &str) -> Option<Span> {
        let start = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        let within = start.filter(|start| start.checked_add(part.len()).is_some_and(|end| end <= self.text.len()));
        match within {
            Some(start) => Span::new(start, part.len()),
            None => self.keep(part),
        }
    }

    /// What the text has in other words.
    fn keep(&mut self, text: &str) -> Option<Span> {
        let span = Span::new(self.text.len() + self.escaped.len(), text.len());
        self.escaped.push_str(text);
        span
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Kept(self, Depth::Member))? {
            let Kind::Text = name.kind else {
                return Err(A::Error::custom("a name is a text"));
            };
            let at = self.members.len();
            self.members.push((name.span(), Value::NULL));
            self.members[at].1 = map.next_value_seed(Kept(self, Depth::Member))?;
        }
        Ok(())
    }
}

/// Reads a name or a value.
struct Kept<'r, 't>(&'r mut Reader<'t>, Depth);

#[derive(Clone, Copy)]
enum Depth {
    Member,
    Entry,
}

impl<'de> DeserializeSeed<'de> for Kept<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kept<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::NULL)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::number(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value, E> {
        of_text(self.0.place(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        of_text(self.0.keep(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let Self(reader, Depth::Member) = self else {
            let tree = Json::visitor().visit_seq(seq)?;
            return Ok(Value::tree(tree, &mut self.0.trees));
        };
        let start = reader.members.len();
        while let Some(entry) = seq.next_element_seed(Kept(reader, Depth::Entry))? {
            reader.members.push((Span::NONE, entry));
        }
        Ok(Value::list(reader.members.len() - start))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let tree = Json::visitor().visit_map(map)?;
        Ok(Value::tree(tree, &mut self.0.trees))
    }
}

fn of_text<E: Error>(span: Option<Span>) -> Result<Value, E> {
    span.map(Value::text).ok_or_else(|| E::custom("longer than any token"))
}
