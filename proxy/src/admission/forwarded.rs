//! What proxies in front of us say of the viewer, believed only of those that are trusted (T-FWD-1).

use std::net::{IpAddr, SocketAddr};

use auth_core::Scheme;
use http::HeaderMap;
use ipnet::IpNet;

/// The viewer's side as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    /// The address that is nearest to the viewer and vouched for.
    pub(super) client: IpAddr,
    /// Who connected.
    pub(super) source: Source,
    /// What a trusted peer says the viewer spoke.
    pub(super) scheme: Option<Scheme>,
    /// The host that a trusted peer says the viewer asked for.
    pub(super) host: Option<&'a str>,
}

/// Who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The viewer, or somebody who is not believed to be anything else.
    Viewer,
    /// A proxy that speaks for viewers.
    TrustedProxy,
}

impl<'a> Forwarded<'a> {
    pub(super) fn read(headers: &'a HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: IpAddr| is_trusted(address, trusted);
        let peer = peer.to_canonical();
        if !is_trusted(peer) {
            return Self {
                client: peer,
                source: Source::Viewer,
                scheme: None,
                host: None,
            };
        }
        Self {
            client: client(headers, peer, is_trusted),
            source: Source::TrustedProxy,
            scheme: last(headers, "x-forwarded-proto").and_then(scheme),
            host: last(headers, "x-forwarded-host"),
        }
    }
}

/// Whether an address is one of the trusted ones.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// From the right, the first address that is not a trusted proxy's. What stands further left is hearsay.
fn client(headers: &HeaderMap, peer: IpAddr, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut client = peer;
    for field in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(field) = field.to_str() else { return client };
        for entry in field.rsplit(',') {
            let Some(address) = address(entry.trim()) else {
                return client;
            };
            client = address;
            if !is_trusted(address) {
                return client;
            }
        }
    }
    client
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The value that the nearest proxy added.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let field = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let value = field.rsplit(',').next().unwrap_or_default().trim();
    (!value.is_empty()).then_some(value)
}

fn scheme(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::Https)
    } else if text.eq_ignore_ascii_case("http") {
        Some(Scheme::Http)
    } else {
        None
    }
}
