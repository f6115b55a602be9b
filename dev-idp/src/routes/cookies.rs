//! The hosted UI's own cookies.
//!
//! Not `Secure`, because the provider speaks plain http; their names are its own, because on loopback the sites of
//! all ports share one cookie jar.

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// Names the hosted-UI session.
pub(crate) const SESSION: &str = "dev-idp-session";
/// Must equal the form's hidden field.
pub(crate) const CSRF: &str = "dev-idp-csrf";

/// A cookie's value, from however many `Cookie` fields there are.
pub(crate) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// A `Set-Cookie` value for this browser session.
pub(crate) fn set(name: &'static str, value: &str) -> Option<HeaderValue> {
    let cookie = Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax);
    HeaderValue::try_from(cookie.build().to_string()).ok()
}

/// A `Set-Cookie` value that removes a cookie.
pub(crate) fn expire(name: &'static str) -> Option<HeaderValue> {
    let cookie = Cookie::build((name, ""))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax);
    HeaderValue::try_from(cookie.removal().build().to_string()).ok()
}
