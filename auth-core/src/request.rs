//! The viewer's request, reduced to what a decision depends on.

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

/// A borrowed view of the viewer's request. The adapter has already refused what cannot be represented.
#[derive(Clone, Copy, Debug)]
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
}

impl Request<'_> {
    /// `scheme://host`, the start of every redirect to ourselves.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.host)
    }

    /// Path and query as the viewer sent them: what a sign-in returns to.
    pub(crate) fn requested_uri(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}
