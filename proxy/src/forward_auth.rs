//! Decisions for servers that hold the content themselves and ask whether a request may have it: nginx's
//! `auth_request`, Traefik's `forwardAuth`, Caddy's `forward_auth`, Envoy's `ext_authz` over HTTP.
//!
//! Such a server describes the viewer's request in headers, each kind of server in its own. The path that it
//! asks names the kind, so that a header which this kind does not set, and therefore passes on from the viewer,
//! is never read. Only trusted proxies may ask (T-FWD-1). What they describe is then a request like any
//! other: admitted, canonicalised and decided upon by the same code. A description that is missing, doubled
//! or malformed is refused, and to every one of these servers a refusal means no.

mod description;

use std::{fmt, str::FromStr};

use pingora::http::RequestHeader;
use thiserror::Error;

/// A kind of server that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fronting {
    /// `auth_request`, also that of the ingress controller: `X-Original-Method` and `X-Original-URL`.
    /// It understands 2xx, 401 and 403 alone.
    Nginx,
    /// `forwardAuth`: `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri`.
    Traefik,
    /// `forward_auth`: as Traefik.
    Caddy,
    /// `ext_authz`: method, path behind ours and Host are the viewer's; `X-Forwarded-Proto`.
    Envoy,
}

/// How a no is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusing {
    /// By a status without a body; the way to sign in is in headers, for the server to make something of.
    ByStatus,
    /// By the very response that the viewer is to get.
    ByResponse,
}

impl Fronting {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Traefik, Self::Caddy, Self::Envoy];

    /// Its name in the configuration and in the path that it asks.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
        }
    }

    pub(crate) const fn refusing(self) -> Refusing {
        match self {
            Self::Nginx => Refusing::ByStatus,
            Self::Traefik | Self::Caddy | Self::Envoy => Refusing::ByResponse,
        }
    }
}

impl fmt::Display for Fronting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("neither nginx, traefik, caddy nor envoy")]
pub struct UnknownServer;

impl FromStr for Fronting {
    type Err = UnknownServer;

    fn from_str(text: &str) -> Result<Self, UnknownServer> {
        let mut all = Self::ALL.into_iter();
        all.find(|server| server.as_str() == text).ok_or(UnknownServer)
    }
}

/// Where questions are answered, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuth {
    /// The path that the names of servers follow.
    pub path: String,
    /// The kinds of servers that may ask; none: nobody.
    pub servers: Vec<Fronting>,
}

impl Default for ForwardAuth {
    fn default() -> Self {
        Self {
            path: "/_portcullis/forward-auth".to_owned(),
            servers: Vec::new(),
        }
    }
}

/// Whether the viewer's request may pass.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asks.
    pub(crate) server: Fronting,
    /// The viewer's request.
    pub(crate) described: RequestHeader,
}

/// Why a question is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum QuestionError {
    /// The peer is none of the trusted proxies.
    #[error("asked by a peer that is not trusted")]
    Untrusted,
    /// The path names no kind of server that may ask.
    #[error("asked in a way that is not configured")]
    Unknown,
    /// The viewer's request is not described as this kind of server does.
    #[error("the original request is not described")]
    Description,
}

impl ForwardAuth {
    /// Reads a question. `None`: it is none, but a request for content.
    pub(crate) fn question(
        &self,
        request: &RequestHeader,
        is_trusted: impl FnOnce() -> bool,
    ) -> Option<Result<Question, QuestionError>> {
        if self.servers.is_empty() {
            return None;
        }
        let rest = request.raw_path().strip_prefix(self.path.as_bytes())?;
        // Another path that begins alike.
        if !matches!(rest.first(), None | Some(b'/' | b'?')) {
            return None;
        }
        Some(if is_trusted() {
            self.read(request, rest)
        } else {
            Err(QuestionError::Untrusted)
        })
    }

    fn read(&self, request: &RequestHeader, rest: &[u8]) -> Result<Question, QuestionError> {
        let named = |server: &Fronting| {
            let rest = rest.strip_prefix(b"/")?.strip_prefix(server.as_str().as_bytes())?;
            matches!(rest.first(), None | Some(b'/' | b'?')).then_some((*server, rest))
        };
        let (server, rest) = self.servers.iter().find_map(named).ok_or(QuestionError::Unknown)?;
        if server != Fronting::Envoy && rest.first() == Some(&b'/') {
            return Err(QuestionError::Unknown);
        }
        let described = description::read(server, request, rest).ok_or(QuestionError::Description)?;
        Ok(Question { server, described })
    }
}

#[cfg(test)]
mod tests;
