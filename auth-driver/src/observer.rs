//! What the driver tells about its calls, for metrics and logs. Nothing in it is secret.

use std::time::Duration;

use auth_core::{CallError, CallPurpose, HttpReply};

/// Is told how calls went. Called on the request's path: count and return.
pub trait Observer: Send + Sync + 'static {
    /// A call has been carried out, all its attempts included.
    fn call_settled(&self, _call: SettledCall) {}

    /// A request waited for a call that another one had under way, instead of making its own.
    fn call_shared(&self, _purpose: CallPurpose) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledCall {
    /// What it was for.
    pub purpose: CallPurpose,
    /// How often it was sent.
    pub attempts: u32,
    /// From the first attempt's start to the last one's end, pauses included.
    pub duration: Duration,
    /// What came out.
    pub outcome: OutcomeClass,
}

/// What came out of a call, coarse enough for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeClass {
    /// A reply with a status below 400.
    Replied,
    /// A reply with a status from 400 to 499.
    Refused,
    /// A reply with a status of 500 or above.
    ServerError,
    /// No reply in time.
    Timeout,
    /// No connection.
    Connect,
    /// A connection that broke, or something that was not HTTP.
    Broken,
    /// A reply that was too long.
    TooLarge,
    /// Not sent: too many others were under way.
    Busy,
}

impl OutcomeClass {
    pub(crate) const fn of(outcome: &Result<HttpReply, CallError>) -> Self {
        match outcome {
            Ok(reply) => match reply.status {
                0..400 => Self::Replied,
                400..500 => Self::Refused,
                500.. => Self::ServerError,
            },
            Err(CallError::Timeout) => Self::Timeout,
            Err(CallError::Connect(_)) => Self::Connect,
            Err(CallError::Broken(_)) => Self::Broken,
            Err(CallError::TooLarge) => Self::TooLarge,
            Err(CallError::Busy) => Self::Busy,
        }
    }

    /// The label, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replied => "replied",
            Self::Refused => "refused",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Broken => "broken",
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_classed_by_whose_fault_they_report() {
        for (status, class) in [
            (200, OutcomeClass::Replied),
            (399, OutcomeClass::Replied),
            (400, OutcomeClass::Refused),
            (499, OutcomeClass::Refused),
            (500, OutcomeClass::ServerError),
        ] {
            let reply = HttpReply {
                status,
                content_type: None,
                body: Vec::new(),
            };
            assert_eq!(OutcomeClass::of(&Ok(reply)), class, "{status}");
        }
    }
}
