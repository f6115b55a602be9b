//! `GET /_portcullis/session`: tells a script whose session this is and how long it goes on.
//!
//! The claims that are listed, and never a token, whatever is listed (T-LEAK-2).

use super::{
    Enhanced, api,
    check::seek,
    goal::Goal,
    session::{Session, find},
    viewer::Viewer,
};
use crate::{
    Entropy, Reason, Request, Step, UnixTime,
    authenticator::Authenticator,
    json::stringify_text,
    jwt::{Claim, Dialect, Speaker},
};

/// What a page shows of its viewer.
pub(crate) fn default_claims(dialect: &Dialect) -> Vec<String> {
    let username = match dialect.speaker {
        Speaker::Cognito => "cognito:username",
        Speaker::Generic => "preferred_username",
    };
    let claims = ["sub", username, "email", "email_verified", "name", &dialect.groups];
    claims.map(str::to_owned).to_vec()
}

pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    if !matches!(request.method, "GET" | "HEAD") {
        let viewer = Viewer::for_program(auth, request);
        let answer = match viewer.cors.preflight() {
            Some(leave) => leave,
            None => {
                api::failure(405, "method_not_allowed", &viewer, Reason::MethodNotAllowed).with("Allow", "GET, HEAD")
            }
        };
        return answer.decide(auth.config());
    }
    let found = find(auth, enhanced, request, now);
    let viewer = Viewer::for_program(auth, request);
    seek(auth, Goal::Read, found, viewer, now, rng)
}

/// The answer to someone with a good session.
pub(crate) fn describe(auth: &Authenticator, session: &Session, viewer: &Viewer) -> Step {
    let enhanced = auth.config().enhanced.as_deref();
    let listed = enhanced
        .map(|enhanced| enhanced.api.session_claims.as_slice())
        .unwrap_or_default();
    let token = &session.token;
    let claims: Vec<String> = listed
        .iter()
        .filter_map(|name| {
            let value = token.claims().get(name)?.stringify();
            Some(format!("{}:{value}", stringify_text(name)))
        })
        .collect();
    let expires = token
        .claims()
        .get("exp")
        .map_or_else(|| "null".to_owned(), Claim::stringify);
    let body = format!("{{\"expires_at\":{expires},\"claims\":{{{}}}}}", claims.join(","));
    api::json(200, session.reason, viewer, body).decide(auth.config())
}
