//! What `portcullis demo` can be told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;

use super::DemoError;

/// Addresses and the form of the announcement.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Where the site is served; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where metrics and health are served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    pub admin: SocketAddr,
    /// Where the demo's identity provider is served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub idp: SocketAddr,
    /// Print one line of JSON for scripts instead of text for people, once everything answers.
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// Browsers keep `Secure` cookies without TLS only on loopback, so a demo elsewhere could not sign anyone
    /// in. All addresses at once is fine: a container's ports are mapped to the loopback of its host.
    pub(super) fn expect_local(&self) -> Result<(), DemoError> {
        let all = [("--listen", self.listen), ("--admin", self.admin), ("--idp", self.idp)];
        match all
            .into_iter()
            .find(|(_, address)| !address.ip().is_loopback() && !address.ip().is_unspecified())
        {
            Some((flag, address)) => Err(DemoError::NotLocal { flag, address }),
            None => Ok(()),
        }
    }

    /// The flag that an address came from.
    pub(super) fn flag_of(&self, address: SocketAddr) -> &'static str {
        if address == self.listen {
            "--listen"
        } else if address == self.admin {
            "--admin"
        } else {
            "--idp"
        }
    }
}

/// The address that reaches a listener from this machine.
pub(super) fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}
