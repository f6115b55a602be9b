//! URLs cut where a browser cuts them, without any normalisation: tests compare bytes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// `scheme://authority/target`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) authority: String,
    /// Path and query; at least `/`.
    pub(crate) target: String,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Self {
        let (scheme, rest) = text.split_once("://").unwrap_or_else(|| panic!("no URL: {text}"));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = target.split('#').next().unwrap_or_default();
        Self {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            target: if target.starts_with('/') {
                target.to_owned()
            } else {
                format!("/{target}")
            },
        }
    }

    /// What a `Location` says, seen from here.
    pub(crate) fn join(&self, location: &str) -> Self {
        if location.starts_with('/') && !location.starts_with("//") {
            return Self {
                target: location.to_owned(),
                ..self.clone()
            };
        }
        Self::parse(location)
    }

    pub(crate) fn host(&self) -> &str {
        self.authority
            .rsplit_once(':')
            .map_or(&self.authority, |(host, _)| host)
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.authority.rsplit_once(':')?.1.parse().ok()
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a query parameter, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.target)
    }
}

/// `application/x-www-form-urlencoded`
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// JSON as in the parts of a token and in `state`.
pub(crate) fn open_base64url(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).unwrap()).unwrap()
}

/// The inverse of [`open_base64url`].
pub(crate) fn seal_base64url(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
