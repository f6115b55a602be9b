//! `GET /oauth2/authorize`: straight back with a code when the browser is signed in, else to the sign-in page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Uri};

use crate::claims::SignIn;
use crate::grants::{CodeGrant, Session};
use crate::idp::Idp;
use crate::routes::authorization_request::{AuthorizationRequest, Prompt};
use crate::routes::{cookies, reply};

pub(crate) async fn authorize(State(idp): State<Arc<Idp>>, headers: HeaderMap, uri: Uri) -> Response {
    let request = match AuthorizationRequest::parse(&idp.settings, uri.query()) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let session = cookies::value(&headers, cookies::SESSION).and_then(|id| idp.grants.session(&id, idp.clock.now()));
    match (session, request.prompt) {
        (Some(session), None | Some(Prompt::None)) => grant(&idp, &request, &session),
        (None, Some(Prompt::None)) => request.failure("login_required", "no session").into_response(),
        _ => reply::redirect(&format!("/login?{}", uri.query().unwrap_or_default())),
    }
}

/// Sends the browser back with a code for its session.
pub(crate) fn grant(idp: &Idp, request: &AuthorizationRequest<'_>, session: &Session) -> Response {
    let mut sign_in = SignIn::new(&session.username, &request.client.id, &request.scope, session.auth_time);
    sign_in.nonce.clone_from(&request.nonce);
    let grant = CodeGrant {
        sign_in,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
    };
    let code = idp.grants.issue_code(grant, idp.clock.now());
    reply::redirect(&request.success(&code))
}
