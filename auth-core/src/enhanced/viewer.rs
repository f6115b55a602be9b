//! What is kept of a request that cannot simply pass, while calls are under way.

use super::audience::Audience;
use crate::{Request, cookie_names::REFRESH_MARKER, cookies::Cookies, endpoints::check as reference};

/// The request's own copy of what an answer depends on. No Debug form: it holds cookies.
#[derive(Clone)]
pub(crate) struct Viewer {
    /// `scheme://host`.
    pub(crate) origin: String,
    /// Path and query as they were sent.
    pub(crate) requested_uri: String,
    pub(crate) audience: Audience,
    fields: Vec<String>,
}

impl Viewer {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        Self {
            origin: request.origin(),
            requested_uri: request.requested_uri(),
            audience: Audience::of(request),
            fields: request.cookies.iter().map(|&field| field.to_owned()).collect(),
        }
    }

    /// As the reference's answers take it.
    pub(crate) fn as_reference(&self) -> reference::Viewer {
        reference::Viewer {
            origin: self.origin.clone(),
            requested_uri: self.requested_uri.clone(),
            refresh_failed: self.with_cookies(|cookies| cookies.get_non_empty(REFRESH_MARKER).is_some()),
        }
    }

    /// Reads the cookies, which borrow from each other's container.
    pub(crate) fn with_cookies<T>(&self, read: impl FnOnce(Cookies<'_>) -> T) -> T {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        read(Cookies::new(&fields))
    }
}
