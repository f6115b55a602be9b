//! The token endpoint (RFC 6749, section 3.2).

use crate::{CallError, HttpReply};

/// Whether another attempt could not change the outcome.
pub(crate) fn is_final(outcome: &Result<HttpReply, CallError>) -> bool {
    outcome.is_ok()
}
