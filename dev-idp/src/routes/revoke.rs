//! `POST /oauth2/revoke` (RFC 7009): a refresh token and every token that descends from its sign-in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::idp::Idp;
use crate::jws;
use crate::routes::client_auth::ClientRequest;
use crate::routes::oauth_error::OauthError;

pub(crate) async fn revoke(State(idp): State<Arc<Idp>>, headers: HeaderMap, body: Bytes) -> Response {
    match settle(&idp, &headers, &body) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

/// An unknown token is no error (RFC 7009, 2.2); another client's is.
fn settle(idp: &Idp, headers: &HeaderMap, body: &[u8]) -> Result<(), OauthError> {
    let request = ClientRequest::parse(&idp.settings, headers, body)?;
    let token = request.required("token")?;
    if jws::verify(&idp.keys, token).is_some() {
        return Err(OauthError::UnsupportedTokenType);
    }
    let Some(sign_in) = idp.grants.refresh_token(token, idp.clock.now()) else {
        return Ok(());
    };
    if sign_in.client_id != request.client.id {
        return Err(OauthError::InvalidClient);
    }
    idp.grants.revoke_family(sign_in.origin_jti);
    Ok(())
}
