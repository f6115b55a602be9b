//! The authorization request (RFC 6749, 4.1.1; RFC 7636, 4.3; OpenID Connect Core, 3.1.2.1).

use axum::response::{IntoResponse, Response};

use crate::params::{Params, append};
use crate::routes::reply;
use crate::settings::{Client, Settings};

/// A request that may be answered at its redirect URI.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest<'a> {
    pub(crate) client: &'a Client,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scope: String,
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) login_hint: Option<String>,
}

/// Whether the viewer may or must see the sign-in page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    None,
    Login,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Where the answer may go is not established: a page says so (RFC 6749, 4.1.2.1).
    Page(&'static str),
    /// The client is told at its redirect URI.
    Redirect(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Page(message) => reply::bad_request(message),
            Self::Redirect(location) => reply::redirect(&location),
        }
    }
}

impl<'a> AuthorizationRequest<'a> {
    pub(crate) fn parse(settings: &'a Settings, query: Option<&str>) -> Result<Self, Refusal> {
        let params = Params::parse(query.unwrap_or_default().as_bytes());
        if params.repeats() {
            return Err(Refusal::Page("A parameter is there twice."));
        }
        let client_id = params
            .value("client_id")
            .ok_or(Refusal::Page("client_id is missing."))?;
        let client = settings
            .client(client_id)
            .ok_or(Refusal::Page("There is no client of this client_id."))?;
        let redirect_uri = params
            .value("redirect_uri")
            .ok_or(Refusal::Page("redirect_uri is missing."))?;
        if !may_redirect(client, redirect_uri) {
            return Err(Refusal::Page(
                "redirect_mismatch: this redirect_uri is not registered with the client.",
            ));
        }
        let owned = |name: &str| params.value(name).map(str::to_owned);
        let refuse = |error: &str, description: &str| refusal(redirect_uri, params.value("state"), error, description);
        if params.value("response_type") != Some("code") {
            return Err(refuse("unsupported_response_type", "response_type must be code"));
        }
        Ok(Self {
            client,
            redirect_uri: redirect_uri.to_owned(),
            state: owned("state"),
            scope: scope(client, &params).ok_or_else(|| refuse("invalid_scope", "scope is not allowed"))?,
            challenge: challenge(&params).map_err(|description| refuse("invalid_request", description))?,
            nonce: owned("nonce"),
            prompt: prompt(&params).map_err(|description| refuse("invalid_request", description))?,
            login_hint: owned("login_hint"),
        })
    }

    /// The redirect that carries a code back.
    pub(crate) fn success(&self, code: &str) -> String {
        let mut params = vec![("code", code)];
        params.extend(self.state.as_deref().map(|state| ("state", state)));
        append(&self.redirect_uri, &params)
    }

    /// The redirect that carries an error back.
    pub(crate) fn failure(&self, error: &str, description: &str) -> Refusal {
        refusal(&self.redirect_uri, self.state.as_deref(), error, description)
    }
}

fn refusal(redirect_uri: &str, state: Option<&str>, error: &str, description: &str) -> Refusal {
    let mut params = vec![("error_description", description)];
    params.extend(state.map(|state| ("state", state)));
    params.push(("error", error));
    Refusal::Redirect(append(redirect_uri, &params))
}

/// Registered, absolute, and without a fragment (RFC 6749, 3.1.2).
fn may_redirect(client: &Client, redirect_uri: &str) -> bool {
    let registered = client.callbacks.iter().any(|allowed| allowed.matches(redirect_uri));
    registered && !redirect_uri.contains('#') && url::Url::parse(redirect_uri).is_ok()
}

/// The scopes asked for, or all of the client's; `None` if one is not the client's.
fn scope(client: &Client, params: &Params) -> Option<String> {
    let Some(scope) = params.value("scope") else {
        return Some(client.scopes.join(" "));
    };
    let allowed = scope.split(' ').all(|name| client.scopes.iter().any(|own| own == name));
    allowed.then(|| scope.to_owned())
}

fn challenge(params: &Params) -> Result<Option<String>, &'static str> {
    match (params.value("code_challenge"), params.value("code_challenge_method")) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) => Ok(Some(challenge.to_owned())),
        (None, Some(_)) => Err("code_challenge is missing"),
        (Some(_), _) => Err("code_challenge_method must be S256"),
    }
}

fn prompt(params: &Params) -> Result<Option<Prompt>, &'static str> {
    match params.value("prompt") {
        None => Ok(None),
        Some("none") => Ok(Some(Prompt::None)),
        Some("login" | "select_account" | "consent") => Ok(Some(Prompt::Login)),
        Some(_) => Err("prompt is not known"),
    }
}
