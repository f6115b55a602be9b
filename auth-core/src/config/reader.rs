//! Reads the raw file key by key and collects every problem on the way.

mod sections;
mod site_keys;

use std::sync::LazyLock;

use super::{Config, ConfigError, ConfigProblem, Endpoint};
use crate::{
    Secret,
    json::{Json, Object},
};

/// How much of the file is held to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// All of it; unknown keys are problems.
    Whole,
    /// What the reference's function for this endpoint reads, judged as it does; without one, what all
    /// its functions read.
    AsDeployed(Option<Endpoint>),
}

/// What stands in for an object that is not there.
static EMPTY: LazyLock<Object> = LazyLock::new(Object::default);

pub(crate) struct Reader<'j> {
    object: &'j Object,
    strictness: Strictness,
    problems: Vec<ConfigProblem>,
}

impl<'j> Reader<'j> {
    pub(crate) fn new(json: &'j Json, strictness: Strictness) -> Self {
        let mut reader = Self {
            object: json.as_object().unwrap_or(&EMPTY),
            strictness,
            problems: Vec::new(),
        };
        if json.as_object().is_none() {
            reader.problem("(root)", describe(Some(json)), "a JSON object");
        } else if strictness == Strictness::Whole {
            reader.check_known("", reader.object, &Config::KEYS);
        }
        reader
    }

    pub(crate) fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError {
                problems: self.problems,
            })
        }
    }

    pub(crate) fn problem(&mut self, path: &str, found: impl Into<String>, expected: &str) {
        self.problems.push(ConfigProblem {
            path: path.to_owned(),
            found: found.into(),
            expected: expected.to_owned(),
        });
    }

    /// Whether a key that only these endpoints read may be left out or odd.
    pub(crate) fn is_needed_by(&self, endpoints: &[Endpoint]) -> bool {
        match self.strictness {
            Strictness::Whole | Strictness::AsDeployed(None) => true,
            Strictness::AsDeployed(Some(endpoint)) => endpoints.contains(&endpoint),
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.strictness == Strictness::Whole
    }

    /// The value of a key; `null` counts as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'j Json> {
        self.object.get(key).filter(|value| **value != Json::Null)
    }

    /// A string that must be there.
    pub(crate) fn text(&mut self, key: &str) -> String {
        match self.value(key) {
            Some(Json::String(text)) => text.clone(),
            found => {
                self.problem(key, describe(found), "a string");
                String::new()
            }
        }
    }

    /// A string that may be absent.
    pub(crate) fn optional_text(&mut self, key: &str) -> Option<&'j str> {
        match self.value(key)? {
            Json::String(text) => Some(text),
            found => {
                self.problem(key, describe(Some(found)), "a string");
                None
            }
        }
    }

    /// A secret that may be absent; its value never shows in a problem.
    pub(crate) fn optional_secret(&mut self, key: &str) -> Option<Secret<String>> {
        match self.value(key)? {
            Json::String(text) => Some(Secret::new(text.clone())),
            found => {
                self.problem(key, kind_of(found), "a string");
                None
            }
        }
    }

    /// A switch, off unless set.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        self.switch(key, false)
    }

    /// A switch, `default` unless set.
    pub(crate) fn switch(&mut self, key: &str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Json::Bool(value)) => *value,
            found => {
                self.problem(key, describe(found), "true or false");
                default
            }
        }
    }

    /// A list of strings; absent, it is empty.
    pub(crate) fn list(&mut self, key: &str) -> Vec<String> {
        match self.value(key) {
            None => Vec::new(),
            Some(Json::Array(list)) if list.iter().all(|entry| entry.as_str().is_some()) => {
                list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
            }
            found => {
                self.problem(key, describe(found), "a list of strings");
                Vec::new()
            }
        }
    }

    /// A list of secrets of so many characters or more, none of which shows in a problem; absent, it is empty.
    pub(crate) fn secrets(&mut self, key: &str, least_length: usize) -> Vec<Secret<String>> {
        let expected = format!("a list of strings of {least_length} or more random characters each");
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(Json::Array(list)) if !list.is_empty() => list,
            found => {
                self.problem(key, found.map_or("nothing", kind_of), &expected);
                return Vec::new();
            }
        };
        let mut secrets = Vec::with_capacity(list.len());
        for (index, entry) in list.iter().enumerate() {
            match entry.as_str() {
                Some(text) if text.len() >= least_length => secrets.push(Secret::new(text.to_owned())),
                Some(text) => {
                    let found = format!("a secret of {} characters", text.len());
                    self.problem(&format!("{key}[{index}]"), found, &expected);
                }
                None => self.problem(&format!("{key}[{index}]"), kind_of(entry), &expected),
            }
        }
        secrets
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let found = self.value(key);
        let chosen = choices
            .iter()
            .find(|(word, _)| found.and_then(Json::as_str) == Some(word));
        if chosen.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.problem(key, describe(found), &format!("one of {}", words.join(", ")));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A whole number of at least `least`, or the default when absent.
    pub(crate) fn count(&mut self, key: &str, least: f64, default: usize) -> usize {
        const MOST: f64 = 4096.0;
        match self.value(key) {
            None => default,
            Some(Json::Number(number)) if number.fract() == 0.0 && (least..=MOST).contains(number) => *number as usize,
            found => {
                self.problem(key, describe(found), &format!("a whole number from {least} to {MOST}"));
                default
            }
        }
    }

    /// A whole number of seconds within these bounds, if it is there.
    pub(crate) fn secs(&mut self, key: &str, least: u32, most: u32) -> Option<u64> {
        match self.value(key)? {
            Json::Number(secs) if secs.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(secs) => {
                Some(*secs as u64)
            }
            found => {
                let expected = format!("a whole number of seconds from {least} to {most}");
                self.problem(key, describe(Some(found)), &expected);
                None
            }
        }
    }
}

/// What a value is, for a problem: strings and numbers as they are.
pub(crate) fn describe(found: Option<&Json>) -> String {
    match found {
        None => "nothing".to_owned(),
        Some(json @ (Json::String(_) | Json::Number(_) | Json::Bool(_))) => json.stringify(),
        Some(json) => kind_of(json).to_owned(),
    }
}

pub(crate) const fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
