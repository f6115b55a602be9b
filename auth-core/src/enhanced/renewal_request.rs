//! `POST /_portcullis/refresh`: a script has its session renewed; 204 with the new cookies, which it cannot read.
//!
//! Only pages of our own and of listed origins may ask: a renewal uses the refresh token up where those rotate.

use super::{Enhanced, api, goal::Goal, renewing::renew, same_site, session::kept, viewer::Viewer};
use crate::{Reason, Request, Step, authenticator::Authenticator};

pub(crate) fn begin(auth: &Authenticator, enhanced: &Enhanced, request: &Request<'_>) -> Step {
    let config = auth.config();
    let viewer = Viewer::for_program(auth, request);
    if let Some(leave) = viewer.cors.preflight() {
        return leave.decide(config);
    }
    if request.method != "POST" {
        return api::failure(405, "method_not_allowed", &viewer, Reason::MethodNotAllowed)
            .with("Allow", "POST")
            .decide(config);
    }
    if !same_site::is_own(request, &enhanced.cors) {
        return api::refused(403, &viewer, Reason::CrossSite).decide(config);
    }
    match kept(auth, enhanced, &viewer) {
        Some(kept) => renew(auth, Goal::Renew, kept, viewer),
        None => api::unauthorized(config, &viewer, Reason::RefreshTokenMissing).decide(config),
    }
}
