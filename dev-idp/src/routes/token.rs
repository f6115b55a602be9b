//! `POST /oauth2/token` (RFC 6749, 4.1.3 and 6; RFC 7636, 4.6).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::claims::SignIn;
use crate::idp::Idp;
use crate::routes::breakage::Tampering;
use crate::routes::client_auth::ClientRequest;
use crate::routes::oauth_error::OauthError;
use crate::routes::reply;
use crate::tamper::{Overrides, patch};

pub(crate) async fn token(
    State(idp): State<Arc<Idp>>,
    tampering: Option<Extension<Tampering>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let tampering = tampering.map(|Extension(tampering)| tampering).unwrap_or_default();
    let outcome = ClientRequest::parse(&idp.settings, &headers, &body)
        .and_then(|request| grant(&idp, &request, &tampering.id_token));
    match outcome {
        Ok(mut members) => {
            patch(&mut members, &tampering.reply);
            reply::json(StatusCode::OK, &Value::Object(members))
        }
        Err(error) => error.into_response(),
    }
}

fn grant(idp: &Idp, request: &ClientRequest<'_>, lie: &Overrides) -> Result<Map<String, Value>, OauthError> {
    match request.required("grant_type")? {
        "authorization_code" => redeem_code(idp, request, lie),
        "refresh_token" => refresh(idp, request, lie),
        "client_credentials" => credentials(idp, request),
        _ => Err(OauthError::UnsupportedGrantType),
    }
}

fn redeem_code(idp: &Idp, request: &ClientRequest<'_>, lie: &Overrides) -> Result<Map<String, Value>, OauthError> {
    let code = request.required("code")?;
    let redirect_uri = request.required("redirect_uri")?;
    let now = idp.clock.now();
    let grant = idp.grants.redeem_code(code, now).ok_or(OauthError::InvalidGrant)?;
    let verifier = request.params.value("code_verifier");
    if grant.sign_in.client_id != request.client.id
        || grant.redirect_uri != redirect_uri
        || grant.challenge != verifier.map(challenge_of)
    {
        return Err(OauthError::InvalidGrant);
    }
    let mut members = tokens(idp, &grant.sign_in, lie)?;
    let refresh_token = idp
        .grants
        .issue_refresh_token(grant.sign_in, idp.settings.lifetimes, now);
    members.insert("refresh_token".to_owned(), json!(refresh_token));
    Ok(members)
}

fn refresh(idp: &Idp, request: &ClientRequest<'_>, lie: &Overrides) -> Result<Map<String, Value>, OauthError> {
    let token = request.required("refresh_token")?;
    let now = idp.clock.now();
    let sign_in = idp
        .grants
        .refresh_token(token, now)
        .filter(|sign_in| sign_in.client_id == request.client.id)
        .ok_or(OauthError::InvalidGrant)?;
    let mut members = tokens(idp, &sign_in, lie)?;
    if let Some(next) = idp.grants.rotate_refresh_token(token, idp.settings.rotation, now) {
        members.insert("refresh_token".to_owned(), json!(next));
    }
    Ok(members)
}

/// RFC 6749, 4.4: only for clients that are registered for it; without a `scope`, all that the client is allowed.
fn credentials(idp: &Idp, request: &ClientRequest<'_>) -> Result<Map<String, Value>, OauthError> {
    let client = request.client;
    if !client.is_machine {
        return Err(OauthError::UnauthorizedClient);
    }
    let allowed = client.scopes.join(" ");
    let scope = request.params.value("scope").unwrap_or(&allowed);
    if !scope
        .split(' ')
        .all(|wanted| client.scopes.iter().any(|scope| scope == wanted))
    {
        return Err(OauthError::InvalidScope);
    }
    let mut members = Map::new();
    members.insert("access_token".to_owned(), json!(idp.mint_machine(&client.id, scope)));
    members.insert("expires_in".to_owned(), json!(idp.settings.lifetimes.access_seconds));
    members.insert("token_type".to_owned(), json!("Bearer"));
    Ok(members)
}

fn tokens(idp: &Idp, sign_in: &SignIn, lie: &Overrides) -> Result<Map<String, Value>, OauthError> {
    let user = idp.settings.user(&sign_in.username).ok_or(OauthError::InvalidGrant)?;
    let (id_token, access_token) = idp.mint(sign_in, user, lie);
    let mut members = Map::new();
    if sign_in.has_scope("openid") {
        members.insert("id_token".to_owned(), json!(id_token));
    }
    members.insert("access_token".to_owned(), json!(access_token));
    members.insert("expires_in".to_owned(), json!(idp.settings.lifetimes.access_seconds));
    members.insert("token_type".to_owned(), json!("Bearer"));
    Ok(members)
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}
