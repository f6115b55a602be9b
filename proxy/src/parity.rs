//! What CloudFront and the edge functions do to messages, where the proxy stands in their place
//! (`edge_parity`). What is equal, what differs and why stands in docs/parity.md.
//!
//! Nothing here decides about sessions: the core does, with the edge's capabilities.

mod forbidden;
mod generated;
mod origin_request;

use std::time::Duration;

pub(crate) use forbidden::{Place, is_forbidden};
pub(crate) use generated::{TooLarge, fit};
pub(crate) use origin_request::viewer_headers;

/// Time for everything that a decision asks of the identity provider, as long as at the edge: CloudFront
/// ends viewer functions after 5 s.
pub(crate) const PROVIDER_BUDGET: Duration = Duration::from_millis(4600);
