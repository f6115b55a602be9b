//! The properties that the template gives a custom resource. CloudFormation makes strings of everything
//! but lists and objects.

use std::fmt;

use serde_json::{Map, Value};

use crate::problem::Problem;

/// Properties by name. Shows none in its Debug form: some are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Properties(Map<String, Value>);

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl From<Map<String, Value>> for Properties {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl Properties {
    /// A text that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Problem> {
        match self.0.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            found => Err(Problem::property(name, kind_of(found), "a text")),
        }
    }

    /// A text that may be missing or empty.
    pub(crate) fn optional_text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A list of texts, or one text with commas; white space and empty members do not count.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<String>, Problem> {
        let wrong = || Problem::property(name, kind_of(self.0.get(name)), "a list of texts");
        let members: Vec<&str> = match self.0.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.split(',').collect(),
            Some(Value::Array(list)) => {
                let texts: Option<_> = list.iter().map(Value::as_str).collect();
                texts.ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let members = members.into_iter().map(str::trim).filter(|member| !member.is_empty());
        Ok(members.map(str::to_owned).collect())
    }

    /// Properties within a property.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            found => Err(Problem::property(name, kind_of(found), "an object")),
        }
    }

    /// Names and texts, in the template's order; what is no text is left out.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self
            .0
            .iter()
            .map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        texts.flatten()
    }

    /// All of it as JSON.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// What a value is. Never the value, which may be a secret.
pub(crate) const fn kind_of(found: Option<&Value>) -> &'static str {
    match found {
        None | Some(Value::Null) => "nothing",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(text)) if text.is_empty() => "nothing",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn properties(json: Value) -> Properties {
        match json {
            Value::Object(members) => Properties(members),
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn a_list_is_read_in_every_way_a_template_writes_one() {
        let read = |value: Value| properties(json!({"L": value})).list("L");
        assert_eq!(read(json!(["a", " b "])).unwrap(), ["a", "b"]);
        assert_eq!(read(json!("a, b")).unwrap(), ["a", "b"]);
        for empty in [json!(null), json!(""), json!([]), json!([""])] {
            assert_eq!(read(empty).unwrap(), Vec::<String>::new());
        }
        for wrong in [json!(7), json!({}), json!([1])] {
            assert!(read(wrong).is_err());
        }
    }

    #[test]
    fn a_missing_text_is_named() {
        for missing in [json!({}), json!({"T": ""}), json!({"T": null})] {
            let error = properties(missing).text("T").unwrap_err();
            assert_eq!(error.to_string(), "T: found nothing, expected a text");
        }
        assert_eq!(properties(json!({"T": "x"})).text("T").unwrap(), "x");
    }
}
