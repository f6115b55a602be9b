//! The endpoints, as faults and records name them.

use serde::{Deserialize, Serialize};

/// One endpoint of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `GET /oauth2/authorize`
    Authorize,
    /// `GET` and `POST /login`
    Login,
    /// `POST /oauth2/token`
    Token,
    /// `POST /oauth2/revoke`
    Revoke,
    /// `GET /logout`
    Logout,
    /// `GET /oauth2/userInfo`
    UserInfo,
    /// `GET /.well-known/jwks.json` and `GET /{pool id}/.well-known/jwks.json`
    Jwks,
    /// `GET /{pool id}/.well-known/openid-configuration`
    Discovery,
}

impl Endpoint {
    /// Which endpoint a path belongs to; `None` for health, control and unknown paths.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        match path {
            "/oauth2/authorize" => Some(Self::Authorize),
            "/login" => Some(Self::Login),
            "/oauth2/token" => Some(Self::Token),
            "/oauth2/revoke" => Some(Self::Revoke),
            "/logout" => Some(Self::Logout),
            "/oauth2/userInfo" => Some(Self::UserInfo),
            path if path.ends_with("/.well-known/jwks.json") => Some(Self::Jwks),
            path if path.ends_with("/.well-known/openid-configuration") => Some(Self::Discovery),
            _ => None,
        }
    }
}
