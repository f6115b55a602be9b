//! The viewer's header fields as the core looks them up.

use auth_core::RequestHeaders;
use http::HeaderMap;

/// The fields of a request.
pub(crate) struct Fields<'r>(pub(crate) &'r HeaderMap);

impl RequestHeaders for Fields<'_> {
    fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str> {
        let values = self.0.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).collect()
    }
}
