//! `GET /logout`: ends the hosted-UI session, then on to the sign-out URL or back to the sign-in page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Uri, header};

use crate::idp::Idp;
use crate::params::Params;
use crate::routes::authorization_request::{AuthorizationRequest, Refusal};
use crate::routes::{cookies, reply};
use crate::settings::Settings;

pub(crate) async fn logout(State(idp): State<Arc<Idp>>, headers: HeaderMap, uri: Uri) -> Response {
    let location = match destination(&idp.settings, uri.query().unwrap_or_default()) {
        Ok(location) => location,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(id) = cookies::value(&headers, cookies::SESSION) {
        idp.grants.close_session(&id);
    }
    let mut response = reply::redirect(&location);
    response
        .headers_mut()
        .extend(cookies::expire(cookies::SESSION).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn destination(settings: &Settings, query: &str) -> Result<String, Refusal> {
    let params = Params::parse(query.as_bytes());
    if params.repeats() {
        return Err(Refusal::Page("A parameter is there twice."));
    }
    let client_id = params
        .value("client_id")
        .ok_or(Refusal::Page("client_id is missing."))?;
    let client = settings
        .client(client_id)
        .ok_or(Refusal::Page("There is no client of this client_id."))?;
    let Some(logout_uri) = params.value("logout_uri") else {
        return AuthorizationRequest::parse(settings, Some(query)).map(|_| format!("/login?{query}"));
    };
    if !client.sign_outs.iter().any(|allowed| allowed.matches(logout_uri)) {
        return Err(Refusal::Page("This logout_uri is not registered with the client."));
    }
    Ok(logout_uri.to_owned())
}
