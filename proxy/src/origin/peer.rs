//! One upstream server as Pingora connects to it: address, TLS name, time-outs, certificates.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use pingora::{protocols::l4::socket::SocketAddr as PeerAddress, upstreams::peer::HttpPeer};
use tokio::runtime::Handle;

use super::{OriginError, OriginSetupError, addresses::Addresses};
use crate::config::OriginTimeouts;

/// Whether and how an upstream connection is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Plain TCP.
    Plain,
    /// TLS, with the name that the certificate has to bear.
    Tls(String),
}

/// Makes the peer of each request.
#[derive(Debug)]
pub(crate) struct Upstream {
    template: HttpPeer,
    addresses: Addresses,
}

impl Upstream {
    /// Resolves the server's name and prepares its peer.
    ///
    /// # Errors
    /// A TLS name that is neither a DNS name nor an address: with an empty one, Pingora would not verify the certificate at all.
    pub(crate) async fn connect(
        (host, port): (&str, u16),
        encryption: Encryption,
        timeouts: OriginTimeouts,
        runtime: &Handle,
    ) -> Result<Self, OriginSetupError> {
        let (tls, server_name) = match encryption {
            Encryption::Plain => (false, String::new()),
            Encryption::Tls(name) => (true, verifiable(name)?),
        };
        let mut template = HttpPeer::new(SocketAddr::from(([0, 0, 0, 0], 0)), tls, server_name);
        template.group_key = own_pool();
        let options = &mut template.options;
        options.connection_timeout = Some(timeouts.connect);
        options.total_connection_timeout = Some(timeouts.connect);
        options.read_timeout = Some(timeouts.read);
        options.write_timeout = Some(timeouts.write);
        options.idle_timeout = Some(timeouts.idle);
        Ok(Self {
            template,
            addresses: Addresses::resolve(host, port, runtime).await,
        })
    }

    /// For certificates of our own.
    pub(crate) const fn template_mut(&mut self) -> &mut HttpPeer {
        &mut self.template
    }

    /// The number of its pool, which no other server has.
    pub(crate) const fn pool(&self) -> u64 {
        self.template.group_key
    }

    /// A peer for one request, at the next address in turn.
    pub(crate) fn peer(&self) -> Result<Box<HttpPeer>, OriginError> {
        let address = self.addresses.next().ok_or(OriginError::Unresolved)?;
        let mut peer = Box::new(self.template.clone());
        peer._address = PeerAddress::Inet(address);
        Ok(peer)
    }
}

fn verifiable(name: String) -> Result<String, OriginSetupError> {
    match rustls::pki_types::ServerName::try_from(name.as_str()) {
        Ok(_) => Ok(name),
        Err(_) => Err(OriginSetupError::ServerName { found: name }),
    }
}

/// Connections are pooled by address and name, not by the authority that vouched for them: a number for each
/// origin keeps one from using a connection that another, trusting others, has opened.
fn own_pool() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

#[cfg(test)]
mod tests {
    use pingora::upstreams::peer::Peer;

    use super::*;

    async fn upstream(encryption: Encryption) -> Result<Upstream, OriginSetupError> {
        Upstream::connect(
            ("192.0.2.1", 443),
            encryption,
            OriginTimeouts::default(),
            &Handle::current(),
        )
        .await
    }

    #[tokio::test]
    async fn every_wait_has_a_limit() {
        let peer = upstream(Encryption::Plain).await.unwrap().peer().unwrap();
        let options = &peer.options;
        assert!(options.connection_timeout.is_some() && options.total_connection_timeout.is_some());
        assert!(options.read_timeout.is_some() && options.write_timeout.is_some() && options.idle_timeout.is_some());
    }

    #[tokio::test]
    async fn tls_without_a_name_to_verify_is_refused() {
        for name in ["", "a b", "-"] {
            let refused = upstream(Encryption::Tls(name.into())).await.unwrap_err();
            assert_eq!(refused, OriginSetupError::ServerName { found: name.into() });
        }
        let peer = upstream(Encryption::Tls("files.example.com".into()))
            .await
            .unwrap()
            .peer()
            .unwrap();
        assert!(peer.tls() && peer.verify_cert() && peer.verify_hostname());
    }

    #[tokio::test]
    async fn two_origins_at_one_address_share_no_connections() {
        let first = upstream(Encryption::Plain).await.unwrap();
        let second = upstream(Encryption::Plain).await.unwrap();
        assert_ne!(first.peer().unwrap().reuse_hash(), second.peer().unwrap().reuse_hash());
        assert_eq!(first.peer().unwrap().reuse_hash(), first.peer().unwrap().reuse_hash());
    }
}
