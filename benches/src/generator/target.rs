//! Where requests go, and over what.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _},
    path::Path,
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use thiserror::Error;
use url::Url;

/// Connections of one source address; Linux gives about 28,000 ports to each.
const PORTS: usize = 20_000;

/// The HTTP version spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, kept alive.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, with prior knowledge without.
    Http2,
}

/// What protects the connection.
#[derive(Clone)]
pub enum Security {
    /// Nothing.
    Plain,
    /// TLS.
    Tls {
        /// Who is trusted.
        config: Arc<ClientConfig>,
        /// The name of the server.
        name: ServerName<'static>,
    },
}

impl std::fmt::Debug for Security {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Plain => "Plain",
            Self::Tls { .. } => "Tls",
        })
    }
}

/// A server under load.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The Host header.
    pub authority: String,
    /// HTTP/1.1 or HTTP/2.
    pub protocol: Protocol,
    /// With or without TLS.
    pub security: Security,
    /// More headers of every request, the names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Why there is no such target.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    /// Neither http nor https, or without a host.
    #[error("{0:?} is no http:// or https:// address of a host")]
    Url(String),
    /// The name is not known.
    #[error("{0:?} has no address")]
    Unknown(String),
    /// No certificate in the file.
    #[error("{0} holds no certificate in PEM")]
    Authority(String),
    /// The TLS library refuses.
    #[error("set up TLS: {0}")]
    Tls(String),
}

impl Target {
    /// Plain HTTP/1.1.
    #[must_use]
    pub fn plain(address: SocketAddr, authority: &str) -> Self {
        Self {
            address,
            authority: authority.to_owned(),
            protocol: Protocol::Http1,
            security: Security::Plain,
            headers: Vec::new(),
        }
    }

    /// The server of a URL, whose path is of no interest here. Certificates are verified only with a file of
    /// authorities: what load is generated against often has one that it made itself.
    ///
    /// # Errors
    /// If it is not http or https, or cannot be found.
    pub fn from_url(url: &Url, protocol: Protocol, authorities: Option<&Path>) -> Result<Self, TargetError> {
        let bad = || TargetError::Url(url.to_string());
        let host = url.host_str().ok_or_else(bad)?;
        let port = url.port_or_known_default().ok_or_else(bad)?;
        let address = resolve(host, port).ok_or_else(|| TargetError::Unknown(host.to_owned()))?;
        let authority = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let plain = Self {
            protocol,
            ..Self::plain(address, &authority)
        };
        match url.scheme() {
            "http" => Ok(plain),
            "https" => plain.with_tls(host.trim_matches(['[', ']']), authorities),
            _ => Err(bad()),
        }
    }

    /// The same over TLS, to the server of that name; see [`Self::from_url`] for who is trusted.
    ///
    /// # Errors
    /// If the name or the file is bad.
    pub fn with_tls(mut self, name: &str, authorities: Option<&Path>) -> Result<Self, TargetError> {
        let name = ServerName::try_from(name.to_owned()).map_err(|error| TargetError::Tls(error.to_string()))?;
        let mut config = client_config(authorities)?;
        config.alpn_protocols = vec![match self.protocol {
            Protocol::Http1 => b"http/1.1".to_vec(),
            Protocol::Http2 => b"h2".to_vec(),
        }];
        self.security = Security::Tls {
            config: Arc::new(config),
            name,
        };
        Ok(self)
    }

    /// Where a connection comes from; `None`: wherever the system likes. Within one machine further addresses
    /// of the loopback network give further ports.
    pub(super) fn source(&self, index: usize) -> Option<SocketAddr> {
        let further = u8::try_from(index / PORTS).ok().filter(|&number| number > 0)?;
        let local = matches!(self.address.ip(), IpAddr::V4(address) if address.is_loopback());
        local.then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + further), 0)))
    }
}

/// Browsers and `curl` take these names for this machine, whatever the resolver says.
fn resolve(host: &str, port: u16) -> Option<SocketAddr> {
    if host == "localhost" || host.ends_with(".localhost") {
        return Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    (host.trim_matches(['[', ']']), port).to_socket_addrs().ok()?.next()
}

fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, TargetError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TargetError::Tls(error.to_string()))?;
    let Some(file) = authorities else {
        let verifier = Arc::new(AnyCertificate(provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth());
    };
    let none = || TargetError::Authority(file.display().to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_| none())? {
        roots.add(certificate.map_err(|_| none())?).map_err(|_| none())?;
    }
    if roots.is_empty() {
        return Err(none());
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Takes the server for who it says it is; the handshake costs the same.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, TargetError> {
        Target::from_url(&Url::parse(url).unwrap(), Protocol::Http1, None)
    }

    #[test]
    fn a_url_gives_address_host_and_security() {
        let found = target("http://app.localhost:8080/ignored").unwrap();
        assert_eq!(found.address, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(found.authority, "app.localhost:8080");
        assert!(matches!(found.security, Security::Plain));
        let found = target("https://127.0.0.1").unwrap();
        assert_eq!(found.address.port(), 443);
        assert_eq!(found.authority, "127.0.0.1");
        assert!(matches!(found.security, Security::Tls { .. }));
        assert_eq!(target("http://[::1]:81").unwrap().address, "[::1]:81".parse().unwrap());
    }

    #[test]
    fn what_is_not_http_is_refused() {
        assert_eq!(
            target("ftp://127.0.0.1/").unwrap_err(),
            TargetError::Url("ftp://127.0.0.1/".into())
        );
        assert!(matches!(target("data:x").unwrap_err(), TargetError::Url(_)));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = Url::parse("https://127.0.0.1").unwrap();
        let refused = Target::from_url(&url, Protocol::Http1, Some(file.path()));
        assert!(matches!(refused, Err(TargetError::Authority(_))));
    }

    #[test]
    fn many_connections_within_the_machine_come_from_several_addresses() {
        let local = Target::plain("127.0.0.1:80".parse().unwrap(), "a");
        assert_eq!(local.source(19_999), None);
        assert_eq!(local.source(20_000), Some("127.0.0.2:0".parse().unwrap()));
        let other = Target::plain("192.0.2.1:80".parse().unwrap(), "a");
        assert_eq!(other.source(20_000), None);
    }
}
