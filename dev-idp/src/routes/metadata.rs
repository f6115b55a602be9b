//! Key set, OpenID Connect discovery, health.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use crate::idp::Idp;
use crate::routes::reply;

pub(crate) async fn jwks(State(idp): State<Arc<Idp>>) -> Response {
    reply::json(StatusCode::OK, &idp.keys.jwks())
}

pub(crate) async fn pool_jwks(State(idp): State<Arc<Idp>>, Path(pool): Path<String>) -> Response {
    if pool != idp.settings.pool_id {
        return StatusCode::NOT_FOUND.into_response();
    }
    reply::json(StatusCode::OK, &idp.keys.jwks())
}

pub(crate) async fn configuration(State(idp): State<Arc<Idp>>, Path(pool): Path<String>) -> Response {
    if pool != idp.settings.pool_id {
        return StatusCode::NOT_FOUND.into_response();
    }
    let url = format!("http://{}", idp.addr);
    let configuration = json!({
        "issuer": idp.settings.issuer(),
        "authorization_endpoint": format!("{url}/oauth2/authorize"),
        "token_endpoint": format!("{url}/oauth2/token"),
        "revocation_endpoint": format!("{url}/oauth2/revoke"),
        "userinfo_endpoint": format!("{url}/oauth2/userInfo"),
        "end_session_endpoint": format!("{url}/logout"),
        "jwks_uri": format!("{url}/{pool}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    });
    reply::json(StatusCode::OK, &configuration)
}

pub(crate) async fn health() -> &'static str {
    "ok\n"
}
