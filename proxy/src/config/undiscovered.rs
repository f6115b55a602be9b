//! A sign-in whose provider has still to be asked for its endpoints, and the same when it has been.
//!
//! Until then the endpoints that nobody has written down are addresses that lead nowhere (RFC 6761, section 6.4), so
//! that all else can be checked, and a mistake of ours would ask nobody.

use auth_core::{
    Config, ConfigError as CoreError,
    json::{Json, Object},
};

use super::{
    auth::AuthSettings,
    problem::{ConfigError, Problem},
};
use crate::discovery::Metadata;

/// Without these nobody can sign in.
const NEEDED: [&str; 3] = ["authorizationEndpoint", "tokenEndpoint", "jwksUri"];
const NOWHERE: &str = "https://undiscovered.invalid/";

/// The issuer to ask, if an endpoint is missing that is needed.
pub(super) fn issuer(given: &Object) -> Option<&str> {
    let provider = provider(given)?;
    if given.get("profile").and_then(Json::as_str) != Some("enhanced") {
        return None;
    }
    let is_missing = |key: &&str| matches!(provider.get(key), None | Some(Json::Null));
    if !NEEDED.iter().any(is_missing) {
        return None;
    }
    provider.get("issuer").and_then(Json::as_str)
}

/// What is known already, checked.
pub(super) fn check(given: &Object) -> Result<Config, CoreError> {
    let all = NEEDED.map(|key| (key, format!("{NOWHERE}{key}")));
    Config::from_json(&Json::Object(with(given, all)))
}

/// Whether the provider is another than Cognito.
pub(super) fn provider(given: &Object) -> Option<&Object> {
    given.get("enhancements")?.member("oidc")?.as_object()
}

impl AuthSettings {
    /// The issuer of a provider that has still to be asked for its endpoints.
    pub(crate) fn undiscovered(&self) -> Option<&str> {
        match self {
            Self::Required { given, .. } => issuer(given),
            Self::Off { .. } => None,
        }
    }

    /// The same with what the provider says of itself. What was written down stands.
    ///
    /// # Errors
    /// What of it cannot be used.
    pub(crate) fn discovered(&self, metadata: &Metadata) -> Result<Self, ConfigError> {
        let Self::Required { given, overlooked, .. } = self else {
            return Ok(self.clone());
        };
        let has_secret = given
            .get("clientSecret")
            .and_then(Json::as_str)
            .is_some_and(|secret| !secret.is_empty());
        let method = has_secret.then(|| ("tokenEndpointAuthMethod", metadata.authentication().to_owned()));
        let given = with(given, metadata.endpoints.iter().cloned().chain(method));
        let config = Config::from_json(&Json::Object(given.clone())).map_err(problems)?;
        Ok(Self::Required {
            config: Box::new(config),
            given,
            overlooked: overlooked.clone(),
        })
    }
}

/// The provider's table with what is not in it.
fn with(given: &Object, more: impl IntoIterator<Item = (&'static str, String)>) -> Object {
    let mut provider = provider(given).cloned().unwrap_or_default();
    for (key, text) in more {
        if matches!(provider.get(key), None | Some(Json::Null)) {
            provider.insert(key.to_owned(), Json::String(text));
        }
    }
    let mut enhancements = given
        .get("enhancements")
        .and_then(Json::as_object)
        .cloned()
        .unwrap_or_default();
    enhancements.insert("oidc".to_owned(), Json::Object(provider));
    let mut given = given.clone();
    given.insert("enhancements".to_owned(), Json::Object(enhancements));
    given
}

fn problems(error: CoreError) -> ConfigError {
    let problems = error.problems.into_iter();
    ConfigError {
        problems: problems
            .map(|problem| Problem {
                path: problem.path,
                found: problem.found,
                expected: problem.expected,
            })
            .collect(),
    }
}
