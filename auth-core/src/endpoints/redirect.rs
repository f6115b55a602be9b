//! Redirect responses, all alike: 307, the location, cookies, and the configured headers last.

use crate::{Config, Decision, Reason, Response, ResponseHeaders, SecurityPolicy, Step};

/// The end of a flow in a 307 to `location`.
pub(crate) fn redirect(config: &Config, location: String, cookies: Vec<String>, reason: Reason) -> Step {
    let mut headers = ResponseHeaders::default();
    headers.append("location", location);
    for cookie in cookies {
        headers.append("set-cookie", cookie);
    }
    config.http_headers().merge_into(&mut headers);
    Step::Decided(Decision::Respond(Response {
        status: 307,
        headers,
        body: String::new(),
        security_policy: SecurityPolicy::Configured,
        reason,
    }))
}
