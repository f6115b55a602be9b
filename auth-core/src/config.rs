//! Configuration: the reference's `configuration.json`, checked as a whole before anything starts.

mod cookie_settings;
mod enhancements;
mod oidc;
mod provider;
mod reader;
mod secrets;

use std::{borrow::Cow, fmt};

use strsim::jaro_winkler;

pub(crate) use self::{
    cookie_settings::CookieSettings,
    oidc::KEYS as OIDC_KEYS,
    reader::{Reader, describe},
    secrets::Secrets,
};
use self::{provider::Provider, reader::Strictness};
use crate::{
    Secret,
    cookie_names::CookieScheme,
    enhanced::{Bearer, Enhanced},
    headers::ConfiguredHeaders,
    js::{object::Object, percent::decode_strict},
    json::Json,
    jwt::{JwkSet, Requirements},
    provider::Endpoints,
};

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
    /// In the order in which the keys were checked.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The part of a site's path space that a request falls into.
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
    /// `/_portcullis/sign-in`: begins a sign-in, with hints for the provider. Enhanced profile, as those below.
    StartSignIn,
    /// `/_portcullis/session`: tells a page about the viewer's session.
    Session,
    /// `/_portcullis/refresh`: renews the session for a page.
    Renewal,
    /// `/_portcullis/in-use`: writes down that a session is in use, where no other answer can.
    InUse,
    /// `/_portcullis/signed-out`: where a sign-out may end.
    SignedOut,
}

/// How much an operator wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    #[default]
    None,
    /// What needs an operator.
    Error,
    /// What may need one.
    Warn,
    /// Every decision.
    Info,
    /// Every step.
    Debug,
}

/// A checked configuration of the auth endpoints. Shows no secret in its Debug form.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) requirements: Requirements,
    pub(crate) jwks_uri: String,
    pub(crate) keys: JwkSet,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret<String>>,
    /// The scopes, joined by spaces.
    pub(crate) scope: String,
    /// Where the provider is asked what.
    pub(crate) endpoints: Endpoints,
    pub(crate) sign_in_path: String,
    pub(crate) sign_out_path: String,
    pub(crate) refresh_path: String,
    pub(crate) signed_out_path: String,
    endpoint_paths: EndpointPaths,
    pub(crate) cookie_scheme: CookieScheme,
    pub(crate) cookie_settings: CookieSettings,
    pub(crate) additional_cookies: Object<String>,
    pub(crate) secrets: Secrets,
    /// The enhanced profile, where it is chosen.
    pub(crate) enhanced: Option<Box<Enhanced>>,
    http_headers: ConfiguredHeaders,
    log_level: LogLevel,
    /// What was given for another kind of provider.
    unread: Option<String>,
}

impl Config {
    /// Every key a configuration may have: the reference's, then ours.
    pub const KEYS: [&'static str; 27] = [
        "userPoolArn",
        "jwks",
        "clientId",
        "clientSecret",
        "oauthScopes",
        "cognitoAuthDomain",
        "redirectPathSignIn",
        "redirectPathSignOut",
        "redirectPathAuthRefresh",
        "signOutUrl",
        "mode",
        "cookieCompatibility",
        "cookieSettings",
        "additionalCookies",
        "requiredGroup",
        "httpHeaders",
        "nonceSigningSecret",
        "secretAllowedCharacters",
        "pkceLength",
        "nonceLength",
        "nonceMaxAge",
        "logLevel",
        "issuer",
        "jwksUri",
        "insecureLoopbackHttp",
        "profile",
        "enhancements",
    ];

    /// Every key of `cookieSettings`.
    pub const COOKIE_SETTINGS_KEYS: [&'static str; 5] =
        ["idToken", "accessToken", "refreshToken", "nonce", "cognitoEnabled"];

    /// Every key below `enhancements`, at any depth, for notations with a spelling of their own.
    #[must_use]
    pub fn enhancement_keys() -> Vec<&'static str> {
        Enhanced::all_keys()
    }

    /// Checks a whole configuration.
    ///
    /// # Errors
    /// Every problem at once: missing keys, wrong types and values, and unknown keys with the nearest
    /// known one.
    pub fn from_json(json: &Json) -> Result<Self, ConfigError> {
        Self::read(Reader::new(json, Strictness::Whole))
    }

    /// Checks what the reference's function for one endpoint needs, and nothing more: a deployed
    /// function must start with every file that the reference starts with.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn for_endpoint(endpoint: Endpoint, json: &Json) -> Result<Self, ConfigError> {
        Self::read(Reader::new(json, Strictness::AsDeployed(Some(endpoint))))
    }

    /// Checks what the reference's functions for all endpoints need, and nothing more: what one
    /// distribution with all of them starts with.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn as_deployed(json: &Json) -> Result<Self, ConfigError> {
        Self::read(Reader::new(json, Strictness::AsDeployed(None)))
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, ConfigError> {
        let client_id = reader.text("clientId");
        let provider = Provider::read(&mut reader, &client_id);
        let (cookie_scheme, cookie_settings) = cookie_settings::read(&mut reader, &client_id, provider.speaker);
        let mut config = Self {
            enhanced: None,
            requirements: provider.requirements,
            jwks_uri: provider.jwks_uri,
            keys: reader.jwks(provider.speaker),
            client_secret: reader
                .optional_secret("clientSecret")
                .filter(|secret| !secret.expose().is_empty()),
            scope: reader.scopes().join(" "),
            endpoints: provider.endpoints,
            sign_in_path: reader.path("redirectPathSignIn"),
            signed_out_path: reader.path("redirectPathSignOut"),
            refresh_path: reader.path("redirectPathAuthRefresh"),
            sign_out_path: reader.path("signOutUrl"),
            endpoint_paths: EndpointPaths::default(),
            secrets: Secrets::read(&mut reader, &cookie_settings.nonce),
            cookie_scheme,
            cookie_settings,
            additional_cookies: reader.additional_cookies(),
            http_headers: reader.http_headers(),
            log_level: reader.log_level(),
            unread: provider.unread,
            client_id,
        };
        config.endpoint_paths = EndpointPaths::new(&config);
        reader.check_endpoints_differ(&[&config.sign_in_path, &config.refresh_path, &config.sign_out_path]);
        config.enhanced = enhancements::read(&mut reader, &config).map(Box::new);
        reader.finish(config)
    }

    /// Which endpoint a path belongs to. Percent-encoded spellings of an endpoint's path belong to it
    /// too; similar paths do not.
    #[must_use]
    pub fn endpoint_of(&self, path: &str) -> Endpoint {
        let path = decoded(path);
        match self.endpoint_paths.endpoint_at(&path) {
            Some(endpoint) => endpoint,
            None if self.enhanced.is_some() => own_endpoint_of(&path),
            None => Endpoint::Protected,
        }
    }

    /// The configured `httpHeaders`, for origin responses.
    #[must_use]
    pub fn http_headers(&self) -> &ConfiguredHeaders {
        &self.http_headers
    }

    /// The configured `logLevel`.
    #[must_use]
    pub fn log_level(&self) -> LogLevel {
        self.log_level
    }

    /// Which bearer tokens are accepted, if any are.
    pub(crate) fn bearer(&self) -> Option<&Bearer> {
        self.enhanced.as_ref()?.bearer.as_ref()
    }

    /// The group that every viewer has to be in, if there is one.
    #[must_use]
    pub fn required_group(&self) -> Option<&str> {
        self.requirements.group.as_deref()
    }

    /// Whether the viewer's Authorization header is for us alone and must not reach an origin.
    #[must_use]
    pub fn keeps_authorization(&self) -> bool {
        self.bearer().is_some_and(|bearer| !bearer.passes_on)
    }

    /// What is accepted for compatibility but weak, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.secrets.nonce_signing.expose().len() < 16 {
            warnings.push("nonceSigningSecret has fewer than 16 characters and can be guessed".to_owned());
        }
        if self.secrets.nonce_length < 16 {
            warnings.push("nonceLength is below 16, so nonces and their signatures can be guessed".to_owned());
        }
        if self.secrets.pkce_length < 43 {
            warnings.push("pkceLength is below 43, the least RFC 7636 allows".to_owned());
        }
        warnings.extend(self.unread.clone());
        if let Some(enhanced) = &self.enhanced {
            warnings.extend(enhanced.warnings(self));
        }
        warnings
    }
}

/// The configured headers alone: all that the functions for origin responses read.
///
/// # Errors
/// Every problem at once.
pub fn http_headers_from_json(json: &Json) -> Result<ConfiguredHeaders, ConfigError> {
    let mut reader = Reader::new(json, Strictness::AsDeployed(None));
    let headers = reader.http_headers();
    reader.finish(headers)
}

/// The same, held to what a header can have: for a site without sign-in, whose configuration nobody else reads.
///
/// # Errors
/// Every problem at once.
pub fn checked_http_headers_from_json(json: &Json) -> Result<ConfiguredHeaders, ConfigError> {
    let mut reader = Reader::new(json, Strictness::Whole);
    let headers = reader.http_headers();
    reader.finish(headers)
}

/// The configured endpoints' paths, decoded once: every request is held against them.
#[derive(Clone, Debug, Default)]
struct EndpointPaths(Vec<(String, Endpoint)>);

impl EndpointPaths {
    fn new(config: &Config) -> Self {
        // A configured path may carry a query; only what stands before it names the endpoint.
        let named = |path: &str| decoded(path.split('?').next().unwrap_or_default()).into_owned();
        Self(vec![
            (named(&config.sign_in_path), Endpoint::SignIn),
            (named(&config.refresh_path), Endpoint::Refresh),
            (named(&config.sign_out_path), Endpoint::SignOut),
        ])
    }

    /// The endpoint at a decoded path; of several the first.
    fn endpoint_at(&self, path: &str) -> Option<Endpoint> {
        let mut endpoints = self.0.iter();
        endpoints
            .find(|(known, _)| known == path)
            .map(|(_, endpoint)| *endpoint)
    }
}

/// The endpoints that have no counterpart in the reference.
fn own_endpoint_of(path: &str) -> Endpoint {
    match path {
        "/_portcullis/sign-in" => Endpoint::StartSignIn,
        "/_portcullis/session" => Endpoint::Session,
        "/_portcullis/refresh" => Endpoint::Renewal,
        "/_portcullis/signed-out" => Endpoint::SignedOut,
        "/_portcullis/in-use" => Endpoint::InUse,
        _ => Endpoint::Protected,
    }
}

pub(crate) fn decoded(path: &str) -> Cow<'_, str> {
    decode_strict(path).unwrap_or(Cow::Borrowed(path))
}

/// The known key that an unknown one was probably meant to be.
fn nearest<'k>(unknown: &str, known: &[&'k str]) -> Option<&'k str> {
    let likeness = |key: &str| jaro_winkler(&unknown.to_lowercase(), &key.to_lowercase());
    known
        .iter()
        .map(|&key| (likeness(key), key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests;
