//! Response shapes that several endpoints share.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::page::Page;

/// 302, which is what Cognito uses throughout.
pub(crate) fn redirect(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (
            StatusCode::FOUND,
            [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)],
        )
            .into_response(),
        Err(_) => bad_request("A redirect address holds characters that no address may hold."),
    }
}

/// JSON with the content type spelt as Cognito spells it.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    let content_type = HeaderValue::from_static("application/json;charset=UTF-8");
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, NO_STORE)];
    (status, headers, value.to_string()).into_response()
}

/// A page, with the headers that keep it from running or loading anything.
pub(crate) fn page(status: StatusCode, page: &Page) -> Response {
    let text = |value: &'static str| HeaderValue::from_static(value);
    let policy = HeaderValue::try_from(page.content_security_policy()).unwrap_or(text("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 6] = [
        (header::CONTENT_TYPE, text("text/html;charset=UTF-8")),
        (header::CACHE_CONTROL, NO_STORE),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, text("nosniff")),
        (header::X_FRAME_OPTIONS, text("DENY")),
        (header::REFERRER_POLICY, text("same-origin")),
    ];
    (status, headers, page.html().to_owned()).into_response()
}

/// What is wrong with a request, for the person who built it.
pub(crate) fn bad_request(message: &str) -> Response {
    page(StatusCode::BAD_REQUEST, &Page::error(message))
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
