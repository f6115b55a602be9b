//! Keys of the reference's file that are more than one plain value.

use super::{Reader, Strictness, describe, kind_of};
use crate::{
    config::{ConfigProblem, Endpoint, LogLevel},
    headers::ConfiguredHeaders,
    js::object,
    json::Json,
    jwt::{JwkSet, Speaker},
};

impl Reader<'_> {
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
}

/// Whether a text is a field name (RFC 9110, section 5.1).
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
