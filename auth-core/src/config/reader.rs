//! Reads the raw file key by key and collects every problem on the way.

use std::sync::LazyLock;

use super::{Config, ConfigError, ConfigProblem, Endpoint, LogLevel, nearest};
use crate::{
    Secret,
    headers::ConfiguredHeaders,
    js::object,
    json::{Json, Object},
    jwt::{JwkSet, Speaker},
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

    /// A path of ours.
    pub(crate) fn path(&mut self, key: &str) -> String {
        let path = self.text(key);
        if self.is_whole() && self.value(key).is_some() && !path.starts_with('/') {
            self.problem(key, describe(self.value(key)), "a path that starts with /");
        }
        path
    }

    pub(crate) fn scopes(&mut self) -> Vec<String> {
        match self.value("oauthScopes") {
            Some(Json::Array(list)) if list.iter().all(|scope| scope.as_str().is_some()) => {
                list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
            }
            found => {
                if self.is_needed_by(&[Endpoint::Protected, Endpoint::SignIn]) {
                    self.problem("oauthScopes", describe(found), "a list of strings");
                }
                Vec::new()
            }
        }
    }

    /// The JWK set known at deploy time. Without one, the first token has it fetched.
    pub(crate) fn jwks(&mut self, speaker: Speaker) -> JwkSet {
        let Some(json) = self.value("jwks") else {
            return JwkSet::default();
        };
        JwkSet::from_json(json, speaker).unwrap_or_else(|| {
            self.problem("jwks", kind_of(json), "an object with a list of keys");
            JwkSet::default()
        })
    }

    pub(crate) fn additional_cookies(&mut self) -> object::Object<String> {
        self.texts("additionalCookies", "an object of strings, each `value; attributes`")
    }

    /// The headers for every response. `null` is none; leaving the key out is a mistake.
    pub(crate) fn http_headers(&mut self) -> ConfiguredHeaders {
        if self.object.get("httpHeaders").is_none() {
            self.problem("httpHeaders", "nothing", "an object of strings, or null");
        }
        let headers = self.texts("httpHeaders", "an object of strings, or null");
        for (name, value) in headers.iter().filter(|_| self.strictness == Strictness::Whole) {
            if !is_header_name(name) || value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
                self.problems.push(ConfigProblem {
                    path: format!("httpHeaders.{name}"),
                    found: "a name or value that no header can have".to_owned(),
                    expected: "an HTTP field name and a value without control characters".to_owned(),
                });
            }
        }
        headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// An object of strings; absent, it is empty.
    pub(crate) fn texts(&mut self, key: &str, expected: &str) -> object::Object<String> {
        let members = match self.value(key) {
            None => return Default::default(),
            Some(Json::Object(members)) => members,
            found => {
                self.problem(key, describe(found), expected);
                return Default::default();
            }
        };
        let mut texts = Vec::new();
        for (name, value) in members.iter() {
            match value {
                Json::String(text) => texts.push((name.to_owned(), text.clone())),
                // The reference prints whatever stands there.
                other if !self.is_whole() && key == "additionalCookies" => {
                    texts.push((name.to_owned(), other.to_template()))
                }
                other => self.problem(&format!("{key}.{name}"), describe(Some(other)), "a string"),
            }
        }
        texts.into_iter().collect()
    }

    pub(crate) fn log_level(&mut self) -> LogLevel {
        let levels = [
            ("none", LogLevel::None),
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
        ];
        if !self.is_whole() || self.value("logLevel").is_none() {
            let found = self.value("logLevel").and_then(Json::as_str);
            return levels
                .iter()
                .find(|(word, _)| found == Some(word))
                .map_or(LogLevel::None, |(_, level)| *level);
        }
        self.choice("logLevel", &levels).unwrap_or_default()
    }

    /// A request must belong to one endpoint.
    pub(crate) fn check_endpoints_differ(&mut self, paths: &[&String]) {
        if !self.is_whole() || self.problems.iter().any(|problem| problem.found == "nothing") {
            return;
        }
        let same = (1..paths.len()).any(|at| paths[..at].contains(&paths[at]));
        if same {
            self.problem(
                "redirectPathSignIn, redirectPathAuthRefresh, signOutUrl",
                "the same path twice",
                "three different paths",
            );
        }
    }

    /// Reads an object under a key with a reader of its own, whose problems are told under the key. It is held to
    /// all rules; absent, it is empty.
    pub(crate) fn section<T>(&mut self, key: &str, known: &[&str], read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let found = self.value(key);
        if found.is_some_and(|found| found.as_object().is_none()) {
            self.problem(key, describe(found), "an object");
        }
        let object = found.and_then(Json::as_object);
        self.nested(key, object, known, read)
    }

    /// Whether an improvement is on that is a switch or an object of settings: anything but `false`.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.value(key) != Some(&Json::Bool(false))
    }

    /// Reads an object under a key where `true` stands for an empty one.
    pub(crate) fn section_or_switch<T>(
        &mut self,
        key: &str,
        known: &[&str],
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        match self.value(key) {
            Some(Json::Bool(_)) => self.nested(key, None, known, read),
            Some(found) if found.as_object().is_none() => {
                self.problem(key, describe(Some(found)), "true, false, or an object");
                self.nested(key, None, known, read)
            }
            _ => self.section(key, known, read),
        }
    }

    /// An object that may be absent.
    pub(crate) fn object(&mut self, key: &str) -> Option<&'j Object> {
        let found = self.value(key)?;
        if found.as_object().is_none() {
            self.problem(key, describe(Some(found)), "an object");
        }
        found.as_object()
    }

    /// Reads each object of a list under a key, as [`section`](Self::section) reads one.
    pub(crate) fn sections<T>(
        &mut self,
        key: &str,
        known: &[&str],
        mut read: impl FnMut(&mut Reader<'_>) -> T,
    ) -> Vec<T> {
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(Json::Array(list)) => list,
            found => {
                self.problem(key, describe(found), "a list of objects");
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let path = format!("{key}[{index}]");
            match entry.as_object() {
                Some(object) => values.push(self.nested(&path, Some(object), known, &mut read)),
                None => self.problem(&path, describe(Some(entry)), "an object"),
            }
        }
        values
    }

    pub(super) fn nested<T>(
        &mut self,
        path: &str,
        object: Option<&Object>,
        known: &[&str],
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let mut nested = Reader {
            object: object.unwrap_or(&EMPTY),
            strictness: Strictness::Whole,
            problems: Vec::new(),
        };
        nested.check_known("", nested.object, known);
        let value = read(&mut nested);
        for problem in nested.problems {
            self.problems.push(ConfigProblem {
                path: format!("{path}.{}", problem.path),
                ..problem
            });
        }
        value
    }

    /// Names every member that is not among the known ones.
    pub(crate) fn check_known(&mut self, prefix: &str, members: &Object, known: &[&str]) {
        for name in members.names().filter(|name| !known.contains(name)) {
            let shown = if name.is_empty() { "\"\"" } else { name };
            let expected = match nearest(name, known) {
                Some(meant) => format!("a known key (did you mean {meant}?)"),
                None => "a known key".to_owned(),
            };
            self.problem(&format!("{prefix}{shown}"), "an unknown key", &expected);
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

/// Whether a text is a field name (RFC 9110, section 5.1).
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
