//! What a request must be before anything is decided about it.
//!
//! Everything that two parties could read differently is refused here: message framing, host, path,
//! header names. What passes is [`Admitted`], the only view of the request that decisions use
//! (RFC 9112 sections 3.2 and 6, RFC 9110 section 7.2).

mod forwarded;
mod framing;
mod headers;
mod size;
mod target;
mod websocket;

use std::net::IpAddr;

use auth_core::Scheme;
use http::StatusCode;
use ipnet::IpNet;
use pingora::http::RequestHeader;
use thiserror::Error;

use crate::{
    canonical_path::{CanonicalPath, PathError},
    config::{Limits, PlainHttp, is_loopback},
};

pub(crate) use forwarded::Source;
pub(crate) use headers::scrub;
pub(crate) use target::{host, query, raw_path, raw_target};

/// What admission goes by.
#[derive(Clone, Debug)]
pub(crate) struct AdmissionRules {
    /// How large it may be.
    pub(crate) limits: Limits,
    /// The origins, besides its own, whose pages may upgrade a connection.
    pub(crate) websocket_origins: Vec<String>,
    /// The peers whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The scheme of plain listeners for hosts that are not loopback.
    pub(crate) plain_http: PlainHttp,
}

/// What the connection says of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// The peer's address.
    pub(crate) peer: IpAddr,
    /// Whether TLS ended here.
    pub(crate) transport: Transport,
}

/// How the peer connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Without TLS.
    Plain,
    /// With TLS that ends here.
    Tls,
}

/// A request that everyone reads alike.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// The host as the viewer wrote it, port included.
    pub(crate) host: String,
    /// The host in lower case, without port.
    pub(crate) host_name: String,
    /// The host's port, where one was named.
    pub(crate) port: Option<u16>,
    /// How the viewer reached us.
    pub(crate) scheme: Scheme,
    /// What the viewer spoke as far as it is known; `scheme` may be assumed.
    pub(crate) spoken: Scheme,
    /// Who connected.
    pub(crate) source: Source,
    /// The viewer's address.
    pub(crate) client: IpAddr,
    /// The one reading of the path, if it has one.
    pub(crate) path: Result<CanonicalPath, PathError>,
}

/// Why a request is refused before any decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// Request line and header fields are too long in all.
    #[error("header block too large")]
    HeaderTooLarge,
    /// Path and query are too long.
    #[error("url too long")]
    UrlTooLong,
    /// Too many cookies, or too much in them.
    #[error("cookies too large")]
    CookiesTooLarge,
    /// The body is announced to be larger than it may be.
    #[error("body too large")]
    BodyTooLarge,
    /// A page of another origin asks for an upgrade.
    #[error("upgrade for another origin")]
    ForeignOrigin,
    /// No Host, several, or two that differ.
    #[error("no single host")]
    Host,
    /// A host that is neither a name nor an address.
    #[error("malformed host")]
    HostMalformed,
    /// No site answers to the host.
    #[error("unknown host")]
    HostUnknown,
    /// The connection was made for another site.
    #[error("host of another site than the connection's")]
    HostElsewhere,
    /// The message's end can be read in two ways.
    #[error("ambiguous message framing")]
    Framing,
    /// The request target is malformed.
    #[error("malformed request target")]
    Target,
    /// The path is malformed or ambiguous.
    #[error("{0}")]
    Path(#[from] PathError),
    /// The method is not allowed, and that comes before any decision, as at CloudFront.
    #[error("method not allowed")]
    Method,
}

impl Refusal {
    /// What the viewer is told.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::HeaderTooLarge | Self::CookiesTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::HostUnknown | Self::HostElsewhere => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::FORBIDDEN,
            Self::Host | Self::HostMalformed | Self::Framing | Self::Target | Self::Path(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The label of metrics and log events.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::HeaderTooLarge => "header-too-large",
            Self::UrlTooLong => "url-too-long",
            Self::CookiesTooLarge => "cookies-too-large",
            Self::BodyTooLarge => "body-too-large",
            Self::ForeignOrigin => "websocket-origin",
            Self::Host => "host-missing",
            Self::HostMalformed => "host-malformed",
            Self::HostUnknown => "host-unknown",
            Self::HostElsewhere => "host-elsewhere",
            Self::Framing => "framing",
            Self::Target => "target",
            Self::Path(_) => "path",
            Self::Method => "method",
        }
    }
}

impl AdmissionRules {
    /// Reads a request, or refuses it. Whether a site answers to the host is the caller's question.
    pub(crate) fn admit(&self, request: &RequestHeader, connection: Connection) -> Result<Admitted, Refusal> {
        size::check(request, &self.limits)?;
        framing::check(request)?;
        let own_host = target::host(request)?;
        let forwarded = forwarded::Forwarded::read(&request.headers, connection.peer, &self.trusted_proxies);
        let host = forwarded.host.unwrap_or(own_host);
        let (host_name, port) = target::split_host(host)?;
        let target = target::origin_form(request, own_host)?;
        let path = CanonicalPath::parse(target.path);
        if let Err(error) = &path
            && !target::is_text(target.path)
        {
            return Err(Refusal::Path(*error));
        }
        let scheme = forwarded
            .scheme
            .unwrap_or_else(|| self.scheme(connection.transport, &host_name));
        websocket::check(request, scheme, host, &self.websocket_origins)?;
        let spoken = match (forwarded.scheme, forwarded.source, connection.transport) {
            (Some(scheme), _, _) => scheme,
            (None, Source::Viewer, Transport::Plain) => Scheme::Http,
            (None, Source::Viewer, Transport::Tls) => Scheme::Https,
            // A proxy that does not say is taken to have ended TLS.
            (None, Source::TrustedProxy, _) => Scheme::Https,
        };
        Ok(Admitted {
            host: host.to_owned(),
            host_name,
            port,
            scheme,
            spoken,
            source: forwarded.source,
            client: forwarded.client,
            path,
        })
    }

    /// Whether what this peer says of its viewer is believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        forwarded::is_trusted(peer.to_canonical(), &self.trusted_proxies)
    }

    fn scheme(&self, transport: Transport, host_name: &str) -> Scheme {
        match (transport, self.plain_http) {
            (Transport::Tls, _) => Scheme::Https,
            (Transport::Plain, _) if is_loopback(host_name) => Scheme::Http,
            (Transport::Plain, PlainHttp::Insecure) => Scheme::Http,
            (Transport::Plain, PlainHttp::BehindTls) => Scheme::Https,
        }
    }
}

#[cfg(test)]
mod tests;
