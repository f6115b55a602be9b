//! Doors for the fuzz targets, to parsers of what viewers and providers send, and for the micro-benches, to parts of a
//! request's path. Nobody else outside has use for them.

mod signing;

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue, header::RANGE};
use pingora::http::RequestHeader;

pub use self::signing::Signer;
pub use crate::cache::KeptObject;
use crate::{
    admission::{AdmissionRules, Connection, Transport},
    config::{Limits, PlainHttp},
    discovery::Metadata,
    origin::range::{self, Requested},
};

/// What admission makes of a request from a trusted proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The host in lower case, without port.
    pub host: String,
    /// The viewer's address.
    pub client: IpAddr,
    /// The one reading of the path; `None` where there is none.
    pub path: Option<String>,
}

/// Admits a GET request with that target and those header fields. `None`: it is refused, or it is none.
#[must_use]
pub fn admit<'f>(target: &[u8], fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Option<Seen> {
    let mut request = RequestHeader::build("GET", target, None).ok()?;
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name).ok()?;
        request.append_header(name, HeaderValue::from_bytes(value).ok()?).ok()?;
    }
    let rules = AdmissionRules {
        limits: Limits::default(),
        websocket_origins: Vec::new(),
        trusted_proxies: vec![ipnet::IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST))],
        plain_http: PlainHttp::BehindTls,
    };
    let connection = Connection {
        peer: Ipv4Addr::LOCALHOST.into(),
        transport: Transport::Plain,
    };
    let admitted = rules.admit(&request, connection).ok()?;
    Some(Seen {
        host: admitted.host_name,
        client: admitted.client,
        path: admitted.path.ok().map(|path| path.as_str().to_owned()),
    })
}

/// Whether a provider's discovery document can be used, for that issuer.
#[must_use]
pub fn discovery_document(document: &[u8], issuer: &str) -> bool {
    Metadata::parse(document, issuer).is_ok_and(|metadata| metadata.authentication().starts_with("client_secret_"))
}

/// The first and the last byte that a Range header asks for of so many. `None`: no part.
#[must_use]
pub fn byte_range(value: &[u8], length: u64) -> Option<(u64, u64)> {
    let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_bytes(value).ok()?)]);
    match range::requested(&headers, length) {
        Requested::Part { first, last } => Some((first, last)),
        Requested::Whole | Requested::Unsatisfiable => None,
    }
}
