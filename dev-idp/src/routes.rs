//! The endpoints of the hosted UI and the user pool.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::control;
use crate::idp::Idp;
use crate::settings::Control;

mod authorization_request;
mod authorize;
mod breakage;
mod client_auth;
mod cookies;
mod login;
mod logout;
mod metadata;
mod oauth_error;
mod reply;
mod revoke;
mod token;
mod user_info;

pub(crate) fn router(idp: Arc<Idp>) -> Router {
    let hosted_ui = Router::new()
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/login", get(login::form).post(login::submit))
        .route("/logout", get(logout::logout))
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/oauth2/userInfo", get(user_info::user_info))
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/{pool}/.well-known/jwks.json", get(metadata::pool_jwks))
        .route("/{pool}/.well-known/openid-configuration", get(metadata::configuration))
        .layer(from_fn_with_state(idp.clone(), breakage::apply))
        .route("/healthz", get(metadata::health));
    let app = match idp.settings.control {
        Control::Closed => hosted_ui,
        Control::Open => hosted_ui.merge(control::router()),
    };
    app.with_state(idp)
}
