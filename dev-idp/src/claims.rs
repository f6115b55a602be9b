//! The claims of id and access tokens, as Cognito fills them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::clock::{UnixSeconds, after};
use crate::random;
use crate::settings::{Settings, User};

/// What a sign-in established; every token that descends from it carries it on.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) username: String,
    pub(crate) client_id: String,
    /// Separated by spaces.
    pub(crate) scope: String,
    /// From the authorization request.
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: UnixSeconds,
    /// Names the refresh token's family.
    pub(crate) origin_jti: String,
    pub(crate) event_id: String,
}

impl SignIn {
    pub(crate) fn new(username: &str, client_id: &str, scope: &str, auth_time: UnixSeconds) -> Self {
        Self {
            username: username.to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            nonce: None,
            auth_time,
            origin_jti: random::uuid(),
            event_id: random::uuid(),
        }
    }

    pub(crate) fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == name)
    }

    /// OpenID Connect Core, 2, and Cognito's own.
    pub(crate) fn id_claims(
        &self,
        settings: &Settings,
        user: &User,
        access_token: &str,
        now: UnixSeconds,
    ) -> Map<String, Value> {
        let mut claims = self.shared_claims(settings, user, now, settings.lifetimes.id_seconds);
        claims.extend(object(json!({
            "at_hash": URL_SAFE_NO_PAD.encode(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16]),
            "aud": self.client_id,
            "cognito:username": user.username,
            "email": user.email,
            "email_verified": true,
            "token_use": "id",
        })));
        if let Some(nonce) = &self.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        claims
    }

    pub(crate) fn access_claims(&self, settings: &Settings, user: &User, now: UnixSeconds) -> Map<String, Value> {
        let mut claims = self.shared_claims(settings, user, now, settings.lifetimes.access_seconds);
        claims.extend(object(json!({
            "client_id": self.client_id,
            "scope": self.scope,
            "token_use": "access",
            "username": user.username,
            "version": 2,
        })));
        claims
    }

    fn shared_claims(
        &self,
        settings: &Settings,
        user: &User,
        now: UnixSeconds,
        lifetime_seconds: u64,
    ) -> Map<String, Value> {
        let mut claims = object(json!({
            "sub": user.sub,
            "iss": settings.issuer(),
            "origin_jti": self.origin_jti,
            "event_id": self.event_id,
            "auth_time": self.auth_time,
            "iat": now,
            "exp": after(now, lifetime_seconds),
            "jti": random::uuid(),
        }));
        if !user.groups.is_empty() {
            claims.insert("cognito:groups".to_owned(), json!(user.groups));
        }
        claims
    }
}

/// Those of an access token that a client has for itself.
pub(crate) fn of_machine(settings: &Settings, client_id: &str, scope: &str, now: UnixSeconds) -> Map<String, Value> {
    object(json!({
        "sub": client_id,
        "token_use": "access",
        "scope": scope,
        "auth_time": now,
        "iss": settings.issuer(),
        "exp": after(now, settings.lifetimes.access_seconds),
        "iat": now,
        "version": 2,
        "jti": random::uuid(),
        "client_id": client_id,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
