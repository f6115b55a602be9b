//! The enhanced profile: what users of the reference have asked for, each improvement with a switch of its own.
//!
//! Nothing in here runs in the reference profile. An improvement that is switched off, or that the adapter's
//! [`Capabilities`](crate::Capabilities) cannot carry out, falls back to what the reference does.

mod answer;
mod audience;
mod check;
mod rules;
mod seal;
mod session;
mod viewer;

use self::rules::Rules;
use crate::{
    Config, Endpoint, Entropy, Request, Step, UnixTime,
    authenticator::Authenticator,
    config::Reader,
    endpoints::{refresh, sign_in, sign_out},
};

/// What is switched on, and what the improvements are set to.
#[derive(Clone, Debug)]
pub(crate) struct Enhanced {
    pub(crate) rules: Rules,
}

impl Enhanced {
    /// Every key of `enhancements`.
    pub(crate) const KEYS: [&'static str; 0] = [];

    /// A shorter secret can be guessed by trying (T-CRYPTO-5). The reference's deployment makes 16 characters.
    pub(crate) const LEAST_SECRET_LENGTH: usize = 16;

    /// Reads `enhancements`; `config` is everything else.
    pub(crate) fn read(_reader: &mut Reader<'_>, _config: &Config) -> Self {
        Self { rules: Rules::read() }
    }
}

/// Decides a request in the enhanced profile.
pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    endpoint: Endpoint,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    // At the edge one function may stand before all paths but the reference's own; ours are told apart here.
    let endpoint = match endpoint {
        Endpoint::Protected => auth.config().endpoint_of(request.path),
        known => known,
    };
    match endpoint {
        Endpoint::Protected | Endpoint::StartSignIn | Endpoint::Session | Endpoint::Renewal | Endpoint::SignedOut => {
            check::begin(auth, enhanced, request, now, rng)
        }
        Endpoint::SignIn => sign_in::begin(auth, request, now),
        Endpoint::Refresh => refresh::begin(auth, request, now),
        Endpoint::SignOut => sign_out::begin(auth, request),
    }
}
