//! `GET /oauth2/userInfo` (OpenID Connect Core, 5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::idp::Idp;
use crate::jws;
use crate::routes::reply;

pub(crate) async fn user_info(State(idp): State<Arc<Idp>>, headers: HeaderMap) -> Response {
    match bearer(&headers).and_then(|token| describe(&idp, token)) {
        Some(user) => reply::json(StatusCode::OK, &user),
        None => refuse(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn describe(idp: &Idp, token: &str) -> Option<Value> {
    let claims = jws::verify(&idp.keys, token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let current = claims.get("exp")?.as_i64()? > idp.clock.now() && !idp.grants.is_revoked(text("origin_jti")?);
    let open_id = text("scope")?.split(' ').any(|scope| scope == "openid");
    if text("token_use")? != "access" || !current || !open_id {
        return None;
    }
    let user = idp.settings.user(text("username")?)?;
    Some(json!({
        "sub": user.sub,
        "email_verified": "true",
        "email": user.email,
        "username": user.username,
    }))
}

fn refuse() -> Response {
    let mut response = reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }));
    let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
