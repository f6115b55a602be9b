//! The proxies that are compared: what each is, which program and which configuration it needs.

use clap::ValueEnum;
use serde::Serialize;

use super::case::{Case, Source, Transport};

/// One proxy in one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// ours, sessions verified
    Portcullis,
    /// ours, sign-in off, with the response headers that it has with sign-in on
    PortcullisOpenHeaders,
    /// ours, sign-in off, adding no response headers
    PortcullisOpen,
    /// Pingora with nothing but an origin
    Pingora,
    /// the same with a signature's verification for each token that is new
    PingoraRs256,
    /// nginx, no sign-in
    Nginx,
    /// HAProxy, no sign-in
    Haproxy,
    /// HAProxy with jwt_verify and claims
    HaproxyJwt,
    /// Apache with mod_auth_openidc
    ApacheOidc,
    /// ours, sessions verified, answers kept
    PortcullisCache,
    /// ours, sign-in off, answers kept
    PortcullisOpenCache,
    /// nginx with proxy_cache, no sign-in
    NginxCache,
    /// the same without sendfile
    NginxCacheNoSendfile,
    /// Varnish, no sign-in
    Varnish,
}

/// What a peer does with a request whose session does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// It is refused.
    Required,
    /// Nobody asks for a session.
    Off,
}

/// The program that a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `portcullis`, or this program in its place.
    Portcullis,
    /// This program, under a name of its own.
    Pingora,
    /// One that the machine has or has not.
    Installed(Installed),
}

/// A program that comes from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its file name.
    pub name: &'static str,
    /// The environment variable that may name another file.
    pub variable: &'static str,
    /// Other files that must be there as well.
    pub modules: &'static [&'static str],
    /// What makes it tell its version.
    pub version: &'static str,
    /// Debian's packages that have it.
    pub packages: &'static str,
}

const NGINX: Installed = Installed {
    name: "nginx",
    variable: "NGINX",
    modules: &[],
    version: "-v",
    packages: "nginx-light",
};
const HAPROXY: Installed = Installed {
    name: "haproxy",
    variable: "HAPROXY",
    modules: &[],
    version: "-v",
    packages: "haproxy",
};
const APACHE: Installed = Installed {
    name: "apache2",
    variable: "APACHE",
    modules: &["/usr/lib/apache2/modules/mod_auth_openidc.so"],
    version: "-v",
    packages: "apache2 libapache2-mod-auth-openidc",
};
const VARNISH: Installed = Installed {
    name: "varnishd",
    variable: "VARNISHD",
    modules: &[],
    version: "-V",
    packages: "varnish",
};

impl Peer {
    /// All of them, ours first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name on the command line and in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Portcullis => "portcullis",
            Self::PortcullisOpenHeaders => "portcullis-open-headers",
            Self::PortcullisOpen => "portcullis-open",
            Self::Pingora => "pingora",
            Self::PingoraRs256 => "pingora-rs256",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::HaproxyJwt => "haproxy-jwt",
            Self::ApacheOidc => "apache-oidc",
            Self::PortcullisCache => "portcullis-cache",
            Self::PortcullisOpenCache => "portcullis-open-cache",
            Self::NginxCache => "nginx-cache",
            Self::NginxCacheNoSendfile => "nginx-cache-no-sendfile",
            Self::Varnish => "varnish",
        }
    }

    /// Its name in the report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Portcullis | Self::PortcullisCache => "Portcullis",
            Self::PortcullisOpenHeaders => "Portcullis, sign-in off, same headers",
            Self::PortcullisOpen | Self::PortcullisOpenCache => "Portcullis, sign-in off, no headers",
            Self::Pingora => "Pingora, bare",
            Self::PingoraRs256 => "Pingora, bare, new tokens verified by ring",
            Self::Nginx => "nginx, no sign-in",
            Self::Haproxy => "HAProxy, no sign-in",
            Self::HaproxyJwt => "HAProxy, jwt_verify and claims",
            Self::ApacheOidc => "Apache, mod_auth_openidc",
            Self::NginxCache => "nginx, proxy_cache, sendfile",
            Self::NginxCacheNoSendfile => "nginx, proxy_cache, no sendfile",
            Self::Varnish => "Varnish",
        }
    }

    /// The program that it is.
    #[must_use]
    pub const fn program(self) -> Program {
        match self {
            Self::Portcullis
            | Self::PortcullisOpenHeaders
            | Self::PortcullisOpen
            | Self::PortcullisCache
            | Self::PortcullisOpenCache => Program::Portcullis,
            Self::Pingora | Self::PingoraRs256 => Program::Pingora,
            Self::Nginx | Self::NginxCache | Self::NginxCacheNoSendfile => Program::Installed(NGINX),
            Self::Haproxy | Self::HaproxyJwt => Program::Installed(HAPROXY),
            Self::ApacheOidc => Program::Installed(APACHE),
            Self::Varnish => Program::Installed(VARNISH),
        }
    }

    /// The template of its configuration; bare Pingora has none.
    #[must_use]
    pub const fn template(self) -> Option<&'static str> {
        Some(match self {
            Self::Portcullis | Self::PortcullisCache => include_str!("../../peers/portcullis.conf"),
            Self::PortcullisOpenHeaders | Self::PortcullisOpen | Self::PortcullisOpenCache => {
                include_str!("../../peers/portcullis-open.conf")
            }
            Self::Pingora | Self::PingoraRs256 => return None,
            Self::Nginx => include_str!("../../peers/nginx.conf"),
            Self::Haproxy => include_str!("../../peers/haproxy.conf"),
            Self::HaproxyJwt => include_str!("../../peers/haproxy-jwt.conf"),
            Self::ApacheOidc => include_str!("../../peers/apache-oidc.conf"),
            Self::NginxCache | Self::NginxCacheNoSendfile => include_str!("../../peers/nginx-cache.conf"),
            Self::Varnish => include_str!("../../peers/varnish.conf"),
        })
    }

    /// Whether it wants a session.
    #[must_use]
    pub const fn sign_in(self) -> SignIn {
        match self {
            Self::Portcullis | Self::PortcullisCache | Self::HaproxyJwt | Self::ApacheOidc => SignIn::Required,
            _ => SignIn::Off,
        }
    }

    /// Where its answers come from.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::PortcullisCache
            | Self::PortcullisOpenCache
            | Self::NginxCache
            | Self::NginxCacheNoSendfile
            | Self::Varnish => Source::Cache,
            _ => Source::Origin,
        }
    }

    /// Whether it can be asked in this way.
    #[must_use]
    pub const fn speaks(self, transport: Transport) -> bool {
        match transport {
            Transport::Http1 => true,
            // Those that keep answers are compared in plain HTTP.
            Transport::TlsHttp1 | Transport::TlsHttp2 => matches!(self.source(), Source::Origin),
        }
    }

    /// Whether it takes part in this case.
    #[must_use]
    pub fn takes_part(self, case: Case) -> bool {
        match case {
            Case::FirstSeen => matches!(self, Self::Portcullis | Self::PingoraRs256),
            Case::Latency => matches!(self, Self::Portcullis | Self::Nginx),
            // It is there for one thing.
            _ if self == Self::PingoraRs256 => false,
            _ => self.source() == case.source() && self.speaks(case.transport()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_peer_goes_by_its_id_on_the_command_line() {
        for &peer in Peer::all() {
            assert_eq!(Peer::from_str(peer.id(), false), Ok(peer));
            assert_eq!(serde_json::to_value(peer).unwrap(), peer.id());
        }
    }

    #[test]
    fn no_two_peers_of_a_case_have_one_name() {
        for &case in Case::all() {
            let peers: Vec<_> = Peer::all().iter().filter(|peer| peer.takes_part(case)).collect();
            let titles: HashSet<_> = peers.iter().map(|peer| peer.title()).collect();
            assert_eq!(titles.len(), peers.len(), "{}", case.id());
            assert!(!peers.is_empty(), "{}", case.id());
        }
    }

    #[test]
    fn caches_are_compared_with_caches() {
        assert!(Peer::Varnish.takes_part(Case::CacheSmall) && !Peer::Varnish.takes_part(Case::Http1Small));
        assert!(!Peer::Nginx.takes_part(Case::CacheLarge) && Peer::Nginx.takes_part(Case::Http2Large));
    }

    #[test]
    fn only_bare_pingora_goes_without_a_configuration() {
        for &peer in Peer::all() {
            let is_bare = peer.program() == Program::Pingora;
            assert_eq!(peer.template().is_none(), is_bare, "{}", peer.id());
        }
    }
}
