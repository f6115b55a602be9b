//! Configuration: the reference's `configuration.json`, checked as a whole before anything starts.

use std::fmt;

use crate::{headers::ConfiguredHeaders, json::Json};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key's path, as `cookieSettings.nonce`.
    pub path: String,
    /// What was found there, or `nothing`. Never a secret.
    pub found: String,
    /// What is accepted.
    pub expected: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}", self.path, self.found, self.expected)
    }
}

/// Every problem of a configuration at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the keys.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// A checked configuration of the four auth endpoints.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) http_headers: ConfiguredHeaders,
}

/// The part of a path space a request falls into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Everything that is not one of the others.
    Protected,
    /// `redirectPathSignIn`, where the hosted UI sends the viewer back to.
    SignIn,
    /// `redirectPathAuthRefresh`.
    Refresh,
    /// `signOutUrl`.
    SignOut,
}

impl Config {
    /// Checks a whole configuration. Errors list every problem at once.
    pub fn from_json(_json: &Json) -> Result<Self, ConfigError> {
        Err(ConfigError { problems: Vec::new() })
    }

    /// Which endpoint a path belongs to.
    #[must_use]
    pub fn endpoint_of(&self, _path: &str) -> Endpoint {
        Endpoint::Protected
    }

    /// The configured `httpHeaders`, for origin responses.
    #[must_use]
    pub fn http_headers(&self) -> &ConfiguredHeaders {
        &self.http_headers
    }
}
