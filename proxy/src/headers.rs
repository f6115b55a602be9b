//! The viewer's header fields as the core looks them up.

use auth_core::RequestHeaders;
use http::HeaderMap;
use pingora::http::RequestHeader;

use crate::{admission::raw_target, request_id};

/// The fields of a request.
pub(crate) struct Fields<'r> {
    pub(crate) of: &'r HeaderMap,
    /// What the request is known by here: the viewer's own id, or one that was made for it.
    pub(crate) id: Option<&'r str>,
    /// Whose target is told as it was sent: nobody's where no more is to be known of it than at the edge.
    pub(crate) target_of: Option<&'r RequestHeader>,
}

impl RequestHeaders for Fields<'_> {
    fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str> {
        match self.id {
            Some(id) if name == request_id::HEADER => vec![id],
            _ if name == ":path" => self.target_of.into_iter().map(raw_target).collect(),
            _ => {
                let values = self.of.get_all(name).iter();
                values.filter_map(|value| value.to_str().ok()).collect()
            }
        }
    }
}
