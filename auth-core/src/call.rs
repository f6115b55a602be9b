//! The one kind of IO the core asks for: an HTTP call, carried out by the driver.
//!
//! Token exchange, refresh and the JWK set differ only in what is done with the reply. The core says
//! what to send, how long to wait and when a failed attempt may be repeated; it never sends.

use std::time::Duration;

use thiserror::Error;

use crate::{Entropy, Secret, entropy::Draw};

/// What a call is for: the label of its metrics and log events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallPurpose {
    /// Redeems an authorization code (RFC 6749, section 4.1.3).
    TokenExchange,
    /// Redeems a refresh token (RFC 6749, section 6).
    TokenRefresh,
    /// Fetches the issuer's JWK set (RFC 7517).
    KeySet,
}

impl CallPurpose {
    /// The label, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExchange => "authorization_code",
            Self::TokenRefresh => "refresh_token",
            Self::KeySet => "jwks",
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
}

impl HttpCall {
    /// Calls with the same key, under way at the same time, may share one reply. `None`: never shared.
    #[must_use]
    pub fn coalesce_key(&self) -> Option<&str> {
        match self.purpose {
            CallPurpose::KeySet => Some(&self.url),
            CallPurpose::TokenExchange | CallPurpose::TokenRefresh => None,
        }
    }
}

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The Content-Type header, if there was one.
    pub content_type: Option<String>,
    /// The body, undecoded.
    pub body: Vec<u8>,
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
}

/// When a failed attempt is repeated, and after which pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Token endpoint: up to five attempts, the second at once, then with growing pauses. A readable
    /// 4xx is final, so that a code is not redeemed twice.
    TokenEndpoint,
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
            Self::KeySet => 2,
        };
        let is_final = match self {
            Self::TokenEndpoint => crate::token_endpoint::is_final(outcome),
            Self::KeySet => outcome.is_ok(),
        };
        if is_final || attempts >= max_attempts {
            return AfterAttempt::Settle;
        }
        AfterAttempt::RetryAfter(if attempts < 2 {
            Duration::ZERO
        } else {
            let jitter = Draw::new(rng).below(25 * attempts + 1);
            Duration::from_millis(u64::from(25 * (1 << attempts) + jitter))
        })
    }
}
