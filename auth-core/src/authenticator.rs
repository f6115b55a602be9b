//! The entry point: requests in, decisions out.

use crate::{
    Access, CallError, Config, Decision, Endpoint, Entropy, Forward, HttpCall, HttpReply, Reason, Request, UnixTime,
};

/// What an adapter can carry out, so that the core does not decide what cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether cookies can be set on the response to a forwarded request.
    pub forward_cookies: ForwardCookies,
}

/// Whether Set-Cookie can ride on the response to a forwarded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardCookies {
    /// A self-hosted proxy can.
    Possible,
    /// A viewer-request function at the edge cannot, and neither does the proxy in edge parity mode.
    Impossible,
}

impl Capabilities {
    /// What a Lambda@Edge viewer-request function can do.
    pub const EDGE: Self = Self {
        forward_cookies: ForwardCookies::Impossible,
    };
    /// What the proxy can do outside its edge parity mode.
    pub const PROXY: Self = Self {
        forward_cookies: ForwardCookies::Possible,
    };
}

/// Decides requests under one configuration. Cheap to clone; clones share keys and token cache.
#[derive(Clone, Debug)]
pub struct Authenticator {
    config: std::sync::Arc<Config>,
}

/// What the adapter does next.
#[must_use]
#[derive(Debug)]
pub enum Step {
    /// Carry out a call and resume with its outcome.
    Call(PendingCall),
    /// The flow has ended.
    Decided(Decision),
}

/// A flow that waits for a call. Consumed by [`resume`](Self::resume), so a reply is used once.
#[must_use]
#[derive(Debug)]
pub struct PendingCall {
    call: HttpCall,
}

impl Authenticator {
    /// An authenticator with an empty token cache. `rng` seeds the cache's hash function.
    pub fn new(config: Config, _capabilities: Capabilities, _rng: &mut dyn Entropy) -> Self {
        Self {
            config: std::sync::Arc::new(config),
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Decides a request, the endpoint taken from its path.
    pub fn begin(&self, request: &Request<'_>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
        self.begin_at(self.config.endpoint_of(request.path), request, now, rng)
    }

    /// Decides a request that the adapter knows to be for `endpoint` (one function an endpoint at the edge).
    pub fn begin_at(
        &self,
        _endpoint: Endpoint,
        _request: &Request<'_>,
        _now: UnixTime,
        _rng: &mut dyn Entropy,
    ) -> Step {
        Step::Decided(Decision::Forward(Forward {
            access: Access::Public,
            response_cookies: Vec::new(),
            reason: Reason::SessionAbsent,
        }))
    }
}

impl PendingCall {
    /// The call to carry out.
    #[must_use]
    pub fn call(&self) -> &HttpCall {
        &self.call
    }

    /// Goes on with the call's outcome. `now` is the time after the call.
    pub fn resume(self, _outcome: Result<HttpReply, CallError>, _now: UnixTime, _rng: &mut dyn Entropy) -> Step {
        Step::Decided(Decision::Forward(Forward {
            access: Access::Public,
            response_cookies: Vec::new(),
            reason: Reason::SessionAbsent,
        }))
    }
}
