//! The entry point: requests in, decisions out.

use std::{fmt, sync::Arc};

use crate::{
    CallError, Config, Decision, Endpoint, Entropy, HttpCall, HttpReply, Reason, Request, RuleTrace, UnixTime,
    endpoints::{check, refresh, sign_in, sign_out},
    enhanced,
    json::Json,
    jwt::{KeyStore, TokenCache},
    verification::{self, Kind},
};

/// What an adapter can carry out, so that the core does not decide what cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether cookies can be set on the response to a forwarded request.
    pub forward_cookies: ForwardCookies,
    /// How many verified tokens may be remembered, down to a multiple of sixteen; each takes 1.5 KiB, 2 more where
    /// somebody asks for its claims, and a long one its own length and that of its claims besides.
    pub remembered_tokens: usize,
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
    /// What a Lambda@Edge viewer-request function can do in its 128 MB.
    pub const EDGE: Self = Self {
        forward_cookies: ForwardCookies::Impossible,
        remembered_tokens: 1_000,
    };
    /// What the proxy can do outside its edge parity mode.
    pub const PROXY: Self = Self {
        forward_cookies: ForwardCookies::Possible,
        remembered_tokens: 32_768,
    };
}

/// Decides requests under one configuration. Cheap to clone; clones share keys and token cache.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    config: Config,
    capabilities: Capabilities,
    keys: KeyStore,
    tokens: TokenCache,
    /// Verified tokens of Authorization headers, apart from sessions.
    bearer_tokens: TokenCache,
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

/// A flow that waits for a call. Consumed by [`resume`](Self::resume), so a reply is used once and
/// only for the call that asked.
#[must_use]
pub struct PendingCall {
    auth: Authenticator,
    call: HttpCall,
    resume: Box<Resume>,
}

/// What is done with the outcome of a call.
type Resume = dyn FnOnce(&Authenticator, Result<HttpReply, CallError>, UnixTime, &mut dyn Entropy) -> Step + Send;

impl Authenticator {
    /// An authenticator with an empty token cache.
    #[must_use]
    pub fn new(config: Config, capabilities: Capabilities) -> Self {
        Self(Arc::new(Inner {
            keys: KeyStore::new(config.keys.clone()),
            tokens: TokenCache::new(capabilities.remembered_tokens),
            bearer_tokens: TokenCache::new(match config.bearer() {
                Some(_) => capabilities.remembered_tokens / 4,
                None => 1,
            }),
            config,
            capabilities,
        }))
    }

    /// What would become of this request, were its session one with these claims, rightly signed:
    /// [`Reason::SessionVerified`] or [`Reason::Public`] if it would pass. Nothing is allowed on this word.
    #[must_use]
    pub fn judge_claims(&self, request: &Request<'_>, claims: &Json, now: UnixTime) -> Reason {
        let token = verification::judge_claims(self, claims, now);
        match &self.config().enhanced {
            Some(enhanced) => enhanced::judge(&enhanced.rules, request, token),
            None => token.map_or_else(|reason| reason, |_| Reason::SessionVerified),
        }
    }

    /// Which rule holds for a request, and why the others do not. `None`: there are no rules.
    #[must_use]
    pub fn trace_rules(&self, request: &Request<'_>) -> Option<RuleTrace> {
        enhanced::trace_rules(&self.config().enhanced.as_ref()?.rules, request)
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What the adapter said it can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    /// How many verified tokens are remembered at the moment.
    #[must_use]
    pub fn remembered_tokens(&self) -> usize {
        self.0.tokens.len() + self.0.bearer_tokens.len()
    }

    /// Decides a request, the endpoint taken from its path.
    pub fn begin(&self, request: &Request<'_>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
        self.begin_at(self.config().endpoint_of(request.path), request, now, rng)
    }

    /// Decides a request that the adapter knows to be for `endpoint`, as where each has a function of its own.
    pub fn begin_at(&self, endpoint: Endpoint, request: &Request<'_>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
        if let Some(enhanced) = &self.config().enhanced {
            return enhanced::begin(self, enhanced, endpoint, request, now, rng);
        }
        match endpoint {
            Endpoint::Protected => check::begin(self, request, now, rng),
            Endpoint::SignIn => sign_in::begin(self, request, now),
            Endpoint::Refresh => refresh::begin(self, request, now),
            Endpoint::SignOut => sign_out::begin(self, request),
            // Paths that the reference does not know are its content.
            Endpoint::StartSignIn | Endpoint::Session | Endpoint::Renewal | Endpoint::InUse | Endpoint::SignedOut => {
                check::begin(self, request, now, rng)
            }
        }
    }

    pub(crate) fn keys(&self) -> &KeyStore {
        &self.0.keys
    }

    pub(crate) fn tokens(&self) -> &TokenCache {
        &self.0.tokens
    }

    /// The memory of one kind of token.
    pub(crate) fn tokens_of(&self, kind: Kind) -> &TokenCache {
        match kind {
            Kind::Session => &self.0.tokens,
            Kind::Bearer => &self.0.bearer_tokens,
        }
    }

    /// Forgets what was verified by keys that have changed.
    pub(crate) fn forget_tokens(&self) {
        self.0.tokens.clear();
        self.0.bearer_tokens.clear();
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("config", self.config())
            .finish_non_exhaustive()
    }
}

impl PendingCall {
    pub(crate) fn new(
        auth: &Authenticator,
        call: HttpCall,
        resume: impl FnOnce(&Authenticator, Result<HttpReply, CallError>, UnixTime, &mut dyn Entropy) -> Step
        + Send
        + 'static,
    ) -> Self {
        Self {
            auth: auth.clone(),
            call,
            resume: Box::new(resume),
        }
    }

    /// The call to carry out.
    #[must_use]
    pub fn call(&self) -> &HttpCall {
        &self.call
    }

    /// Goes on with the call's outcome. `now` is the time after the call.
    pub fn resume(self, outcome: Result<HttpReply, CallError>, now: UnixTime, rng: &mut dyn Entropy) -> Step {
        (self.resume)(&self.auth, outcome, now, rng)
    }
}

impl fmt::Debug for PendingCall {
    /// Only the call, whose secrets are redacted: what waits holds tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCall")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
