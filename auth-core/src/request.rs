//! The viewer's request, reduced to what a decision depends on.

use std::fmt;

/// How the viewer reached us; decides the scheme of redirects to ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain http: loopback, or behind a balancer that says so.
    Http,
    /// https, the only scheme at the edge.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The viewer's other header fields, looked up by name where a decision depends on them.
pub trait RequestHeaders {
    /// The values of a field in their order; `name` is in lower case. A value that is not text is left out.
    ///
    /// An adapter that knows the request's target as it was sent says so under `:path` (RFC 9113, section 8.3.1), in
    /// every version of HTTP. No field can have that name.
    fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str>;
}

/// A request without any.
#[derive(Clone, Copy, Debug)]
pub struct NoHeaders;

impl RequestHeaders for NoHeaders {
    fn get_all<'h>(&'h self, _: &str) -> Vec<&'h str> {
        Vec::new()
    }
}

/// A borrowed view of the viewer's request. The adapter has already refused what cannot be represented.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The request method, as sent.
    pub method: &'a str,
    /// The scheme of redirects that lead back to us.
    pub scheme: Scheme,
    /// The Host header (port and case included), unchanged; never empty.
    pub host: &'a str,
    /// The path as the viewer sent it, still percent-encoded.
    pub path: &'a str,
    /// The query string without its `?`; empty when there is none.
    pub query: &'a str,
    /// The values of the Cookie header fields, in order. HTTP/2 crumbs must have been joined with `; `.
    pub cookies: &'a [&'a str],
    /// The other header fields. The reference profile never looks at them.
    pub headers: &'a dyn RequestHeaders,
}

impl fmt::Debug for Request<'_> {
    /// Without query, cookies and headers, which hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Request<'_> {
    /// `scheme://host`, the start of every redirect to ourselves.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.host)
    }

    /// The only value of a header field; `None` if it is absent or stands several times.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self.headers.get_all(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Path and query as the viewer sent them: what a sign-in returns to.
    pub(crate) fn requested_uri(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The same byte for byte, where the adapter knows that: path and query do not tell of a `?` that nothing follows.
    pub(crate) fn target(&self) -> String {
        let sent = self.header(":path").filter(|_| self.query.is_empty());
        match sent.and_then(|target| target.strip_suffix('?')) {
            Some(path) if path == self.path => format!("{path}?"),
            _ => self.requested_uri(),
        }
    }
}
