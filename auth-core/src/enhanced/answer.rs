//! What we answer ourselves: never stored by anyone, whatever headers are configured.

use crate::{Config, Decision, Reason, Response, ResponseHeaders, SecurityPolicy, Step};

/// An answer to be.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: ResponseHeaders,
    body: String,
    security_policy: SecurityPolicy,
    reason: Reason,
}

impl Answer {
    /// One without a body.
    pub(crate) fn new(status: u16, reason: Reason) -> Self {
        Self {
            status,
            headers: ResponseHeaders::default(),
            body: String::new(),
            security_policy: SecurityPolicy::Configured,
            reason,
        }
    }

    /// A page for a person, with the Content-Security-Policy that it was made for.
    pub(crate) fn html(status: u16, reason: Reason, body: String, policy: impl Into<String>) -> Self {
        let answer = Self::new(status, reason)
            .with("Content-Type", "text/html; charset=UTF-8")
            .with("Content-Security-Policy", policy);
        Self {
            body,
            security_policy: SecurityPolicy::Own,
            ..answer
        }
    }

    /// JSON for a program.
    pub(crate) fn json(status: u16, reason: Reason, body: String) -> Self {
        let answer = Self::new(status, reason).with("Content-Type", "application/json");
        Self { body, ..answer }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The same, setting these cookies.
    pub(crate) fn with_cookies(mut self, cookies: impl IntoIterator<Item = String>) -> Self {
        for cookie in cookies {
            self.headers.append("Set-Cookie", cookie);
        }
        self
    }

    /// The end of a flow. The configured headers are added where they do not stand in the way: neither a type, nor
    /// a cookie, nor a location of ours is ever replaced, and nothing makes the answer one that may be stored.
    pub(crate) fn decide(self, config: &Config) -> Step {
        let mut headers = self.headers;
        for (name, value) in config.http_headers().iter() {
            if headers.first(name).is_none() {
                headers.append(name, value);
            }
        }
        headers.replace("Cache-Control", "no-store");
        Step::Decided(Decision::Respond(Response {
            status: self.status,
            headers,
            body: self.body,
            security_policy: self.security_policy,
            reason: self.reason,
        }))
    }
}

/// An answer, whoever made it, that sets these cookies too.
pub(crate) fn setting(step: Step, cookies: Vec<String>) -> Step {
    match step {
        Step::Decided(Decision::Respond(mut response)) => {
            for cookie in cookies {
                response.headers.append("Set-Cookie", cookie);
            }
            response.headers.replace("Cache-Control", "no-store");
            Step::Decided(Decision::Respond(response))
        }
        other => other,
    }
}
