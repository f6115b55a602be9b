//! `/login`: the sign-in page and its form.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};

use crate::grants::Session;
use crate::idp::Idp;
use crate::page::{LoginForm, Page};
use crate::params::Params;
use crate::random;
use crate::routes::authorization_request::AuthorizationRequest;
use crate::routes::{authorize, cookies, reply};

const WRONG_PASSWORD: &str = "Incorrect username or password.";
const STALE_FORM: &str = "The form had expired. Please try again.";

pub(crate) async fn form(State(idp): State<Arc<Idp>>, headers: HeaderMap, uri: Uri) -> Response {
    match AuthorizationRequest::parse(&idp.settings, uri.query()) {
        Ok(request) => {
            let username = request.login_hint.clone().unwrap_or_default();
            show(&request, &headers, &uri, &username, None)
        }
        Err(refusal) => refusal.into_response(),
    }
}

pub(crate) async fn submit(State(idp): State<Arc<Idp>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let request = match AuthorizationRequest::parse(&idp.settings, uri.query()) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let params = Params::parse(&body);
    let username = params.value("username").unwrap_or_default();
    let csrf = cookies::value(&headers, cookies::CSRF);
    if csrf.is_none() || csrf.as_deref() != params.value("_csrf") {
        return show(&request, &headers, &uri, username, Some(STALE_FORM));
    }
    // One message for both: whether a user exists is not told.
    let password = params.value("password").unwrap_or_default();
    if idp.settings.user(username).is_none_or(|user| user.password != password) {
        return show(&request, &headers, &uri, username, Some(WRONG_PASSWORD));
    }
    sign_in(&idp, &request, username)
}

fn sign_in(idp: &Idp, request: &AuthorizationRequest<'_>, username: &str) -> Response {
    let now = idp.clock.now();
    let id = idp.grants.open_session(username, now);
    let session = Session {
        username: username.to_owned(),
        auth_time: now,
    };
    let mut response = authorize::grant(idp, request, &session);
    response
        .headers_mut()
        .extend(cookies::set(cookies::SESSION, &id).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Status 200 also for a wrong password, as the hosted UI answers.
fn show(
    request: &AuthorizationRequest<'_>,
    headers: &HeaderMap,
    uri: &Uri,
    username: &str,
    error: Option<&str>,
) -> Response {
    let csrf = cookies::value(headers, cookies::CSRF)
        .filter(|value| !value.is_empty())
        .unwrap_or_else(random::secret);
    let page = Page::login(&LoginForm {
        client: request.client,
        query: uri.query().unwrap_or_default(),
        csrf: &csrf,
        username,
        error,
    });
    let mut response = reply::page(StatusCode::OK, &page);
    response
        .headers_mut()
        .extend(cookies::set(cookies::CSRF, &csrf).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}
