//! What the driver needs of an HTTP client: one attempt, sent and read.

#[cfg(feature = "hyper-client")]
pub(crate) mod hyper;
#[cfg(feature = "tls")]
mod loopback;
#[cfg(feature = "reqwest-client")]
pub(crate) mod reqwest;

use std::future::Future;

use auth_core::{CallError, HttpCall, HttpReply};

/// Sends one attempt of a call and reads the whole reply.
///
/// The driver bounds the time by dropping the future, so an implementation needs no time-out of its
/// own. It must not follow redirects, must not decode the body, and must refuse a body longer than
/// [`HttpCall::max_reply_bytes`] while it is being read.
pub trait HttpClient: Send + Sync + 'static {
    /// One attempt. Whatever is not a complete HTTP reply is a [`CallError`], whose text holds no secret.
    fn send(&self, call: &HttpCall) -> impl Future<Output = Result<HttpReply, CallError>> + Send;
}

/// Media type of every body we send (RFC 6749, appendix B).
#[cfg(feature = "tls")]
const FORM: &str = "application/x-www-form-urlencoded";

/// An error and its causes in one line: clients hide what matters in the innermost one.
#[cfg(feature = "tls")]
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// The first Content-Type of a reply, read leniently: judging it is the core's task.
#[cfg(feature = "tls")]
fn content_type(value: Option<&[u8]>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
