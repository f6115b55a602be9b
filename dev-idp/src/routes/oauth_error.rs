//! Errors of the token and revocation endpoints (RFC 6749, 5.2; RFC 7009, 2.2.1).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::routes::reply;

/// An error code; always status 400, as Cognito answers, even for `invalid_client`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OauthError {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedTokenType,
    /// A code set by a fault.
    Other(String),
}

impl OauthError {
    fn code(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::Other(code) => code,
        }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        reply::json(StatusCode::BAD_REQUEST, &json!({ "error": self.code() }))
    }
}
