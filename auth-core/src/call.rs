//! The one kind of IO the core asks for: an HTTP call, carried out by the driver.
//!
//! Token exchange, refresh and the JWK set differ only in what is done with the reply. The core says
//! what to send, how long to wait and when a failed attempt may be repeated; it never sends.

use std::{fmt, time::Duration};

use thiserror::Error;

use crate::{Entropy, Secret, entropy::Draw, token_endpoint};

/// What a call is for: the label of its metrics and log events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallPurpose {
    /// Redeems an authorization code (RFC 6749, section 4.1.3).
    TokenExchange,
    /// Redeems a refresh token (RFC 6749, section 6).
    TokenRefresh,
    /// Fetches the issuer's JWK set (RFC 7517).
    KeySet,
    /// Revokes a refresh token (RFC 7009).
    Revocation,
    /// Fetches what a provider says of itself (OpenID Connect Discovery 1.0). The core never asks for it.
    Discovery,
}

impl CallPurpose {
    /// The label, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExchange => "authorization_code",
            Self::TokenRefresh => "refresh_token",
            Self::KeySet => "jwks",
            Self::Revocation => "revocation",
            Self::Discovery => "discovery",
        }
    }
}

/// An HTTP request the driver is to carry out. Redirects are not followed, replies not decompressed.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// What the call is for.
    pub purpose: CallPurpose,
    /// The absolute URL.
    pub url: String,
    /// Value of the Authorization header, if one is to be sent.
    pub authorization: Option<Secret<String>>,
    /// Present: POST this body as `application/x-www-form-urlencoded`. Absent: GET.
    pub form: Option<Secret<String>>,
    /// Time for one attempt, connecting and the whole body included.
    pub attempt_timeout: Duration,
    /// A longer reply body is a failed attempt.
    pub max_reply_bytes: usize,
    /// When a failed attempt may be repeated.
    pub retry: RetryPolicy,
    /// With which other calls the reply is shared.
    pub sharing: Sharing,
}

/// Which calls share one reply: those under way at the same time, and those that come shortly after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// None: the reply is for one call alone.
    Alone,
    /// Those for the same URL.
    SameUrl,
    /// Those that renew the same session.
    SameSession {
        /// Equal for one client and one refresh token. A digest: it opens nothing.
        key: String,
        /// How long those are handed a success who come late, with the cookies of before.
        linger: Duration,
        /// How long a failure stands, so that an outage is not asked after by every request.
        pause: Duration,
    },
}

/// Longer than a decision takes from its look at the keys to its call, and far shorter than keys live.
const MOMENT: Duration = Duration::from_secs(1);
/// A refusal stands for a while too: whoever goes on asking with a dead session costs no further call.
const REFUSAL_STAYS: Duration = Duration::from_secs(10);

impl HttpCall {
    /// Calls with the same key, under way at the same time, share one reply. `None`: never shared.
    #[must_use]
    pub fn coalesce_key(&self) -> Option<&str> {
        match &self.sharing {
            Sharing::Alone => None,
            Sharing::SameUrl => Some(&self.url),
            Sharing::SameSession { key, .. } => Some(key),
        }
    }

    /// How long an outcome is given to others after it is known.
    #[must_use]
    pub fn stays(&self, outcome: &Result<HttpReply, CallError>) -> Duration {
        let Sharing::SameSession { linger, pause, .. } = self.sharing else {
            return MOMENT;
        };
        match token_endpoint::judge(outcome) {
            // Never so long that the tokens in it get old.
            Ok(reply) => token_endpoint::lifetime(&reply).map_or(linger, |lifetime| linger.min(lifetime / 2)),
            Err(error) if error.is_invalid_grant() => REFUSAL_STAYS,
            Err(_) => pause,
        }
    }
}

/// A complete reply.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The Content-Type header, if there was one.
    pub content_type: Option<String>,
    /// The body, undecoded.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpReply {
    /// Without the body, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpReply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why there is no complete reply.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// The attempt, or the time budget of the whole call, ran out.
    #[error("no reply within the time limit")]
    Timeout,
    /// The connection could not be made: name resolution, TCP, TLS or certificate.
    #[error("connection failed: {0}")]
    Connect(String),
    /// The connection broke, or what came was not HTTP.
    #[error("broken exchange: {0}")]
    Broken(String),
    /// The body was longer than [`HttpCall::max_reply_bytes`].
    #[error("reply body too large")]
    TooLarge,
    /// Not sent: too many others are under way.
    #[error("too many calls under way")]
    Busy,
}

/// When a failed attempt is repeated, and after which pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Token endpoint: up to five attempts, the second at once, then with growing pauses. A readable
    /// 4xx is final, so that a code is not redeemed twice.
    TokenEndpoint,
    /// Token endpoint, while a request of the viewer's waits for its session to be renewed: one repetition after a
    /// short pause, unless a reply came that another attempt would not change or all the time has gone already.
    Renewal,
    /// Token endpoint, for a session that is still good or one that ends: whatever comes of it stands.
    Once,
    /// JWK set: one repetition, at once, unless a reply came that another attempt would not change.
    KeySet,
}

/// What the driver does after an attempt.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    /// The attempt's outcome is the call's outcome.
    Settle,
    /// Try again after this pause, if the time budget allows; otherwise the outcome stands.
    RetryAfter(Duration),
}

impl RetryPolicy {
    /// Judges the outcome of attempt number `attempts` (the first is 1).
    pub fn after_attempt(
        self,
        attempts: u32,
        outcome: &Result<HttpReply, CallError>,
        rng: &mut dyn Entropy,
    ) -> AfterAttempt {
        let max_attempts = match self {
            Self::TokenEndpoint => 5,
            Self::Renewal | Self::KeySet => 2,
            Self::Once => 1,
        };
        let is_final = match self {
            Self::TokenEndpoint => token_endpoint::is_final(outcome),
            Self::Renewal => token_endpoint::is_final(outcome) || *outcome == Err(CallError::Timeout),
            Self::Once => true,
            Self::KeySet => outcome.is_ok(),
        };
        if is_final || attempts >= max_attempts {
            return AfterAttempt::Settle;
        }
        AfterAttempt::RetryAfter(match self {
            Self::Renewal => Duration::from_millis(u64::from(100 + Draw::new(rng).below(101))),
            _ if attempts < 2 => Duration::ZERO,
            _ => {
                let jitter = Draw::new(rng).below(25 * attempts + 1);
                Duration::from_millis(u64::from(25 * (1 << attempts) + jitter))
            }
        })
    }
}
