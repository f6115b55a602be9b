//! Client authentication at the token and revocation endpoints (RFC 6749, 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use crate::params::Params;
use crate::routes::oauth_error::OauthError;
use crate::settings::{Client, Settings};

/// The form of an authenticated client's request.
pub(crate) struct ClientRequest<'a> {
    pub(crate) client: &'a Client,
    pub(crate) params: Params,
}

impl<'a> ClientRequest<'a> {
    /// Refuses what is not a form, and clients that do not prove who they are in the way they are registered.
    pub(crate) fn parse(settings: &'a Settings, headers: &HeaderMap, body: &[u8]) -> Result<Self, OauthError> {
        if !is_form(headers) {
            return Err(OauthError::InvalidRequest);
        }
        let params = Params::parse(body);
        if params.repeats() {
            return Err(OauthError::InvalidRequest);
        }
        let client = authenticate(settings, headers, &params)?;
        Ok(Self { client, params })
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, OauthError> {
        self.params.value(name).ok_or(OauthError::InvalidRequest)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn authenticate<'a>(settings: &'a Settings, headers: &HeaderMap, params: &Params) -> Result<&'a Client, OauthError> {
    let basic = headers
        .get(header::AUTHORIZATION)
        .map(|value| basic_credentials(value.as_bytes()));
    let (id, secret) = match basic {
        Some(credentials) => credentials
            .map(|(id, secret)| (id, Some(secret)))
            .ok_or(OauthError::InvalidClient)?,
        None => {
            let id = params.value("client_id").ok_or(OauthError::InvalidRequest)?;
            (id.to_owned(), params.value("client_secret").map(str::to_owned))
        }
    };
    let client = settings.client(&id).ok_or(OauthError::InvalidClient)?;
    let same_in_body = params.value("client_id").is_none_or(|in_body| in_body == id);
    if client.secret != secret || !same_in_body {
        return Err(OauthError::InvalidClient);
    }
    Ok(client)
}

fn basic_credentials(value: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
