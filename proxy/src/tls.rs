//! The viewers' side of TLS: certificates loaded and checked before anything starts, chosen by server name.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use webpki::EndEntityCert;
use x509_parser::parse_x509_certificate;

use crate::config::{CertificateFiles, ConfigError, HostPattern, Problem};

/// Certificates that have been loaded and checked.
#[derive(Debug, Default)]
pub struct Certificates(Vec<Certificate>);

impl Certificates {
    /// Loads every certificate with its key.
    ///
    /// # Errors
    /// Every file that cannot be read, is not what it should be, or does not fit its partner.
    pub fn load(files: &[CertificateFiles]) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut certificates = Vec::with_capacity(files.len());
        for (index, files) in files.iter().enumerate() {
            match Certificate::load(files) {
                Ok(certificate) => certificates.push(certificate),
                Err(wrong) => problems.push(Problem {
                    path: format!("listen.tls[{index}].{}", wrong.key),
                    found: wrong.found,
                    expected: wrong.expected.to_owned(),
                }),
            }
        }
        if problems.is_empty() {
            Ok(Self(certificates))
        } else {
            Err(ConfigError { problems })
        }
    }

    /// When each certificate ends, in seconds since 1970, with the name it goes by.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (String, i64)> + '_ {
        self.0.iter().map(|certificate| {
            let name = certificate.names.first().map(ToString::to_string);
            (name.unwrap_or_default(), certificate.not_after)
        })
    }

    fn choose(&self, name: &str) -> Option<&Certificate> {
        let fitting = self.0.iter().flat_map(|certificate| {
            let names = certificate.names.iter().filter(|pattern| pattern.covers(name));
            names.map(move |pattern| (pattern.weight(), certificate))
        });
        fitting
            .max_by_key(|(weight, _)| *weight)
            .map(|(_, certificate)| certificate)
    }
}

/// TLS for all https listeners. Its certificates can be replaced while it is in use; sessions that have
/// been resumed with a ticket go on to be.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    resolver: Arc<Resolver>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// With these certificates to begin with.
    ///
    /// # Errors
    /// Protocol versions that the cryptography does not have, or no randomness: neither happens.
    pub(crate) fn new(certificates: Certificates) -> Result<Self, ConfigError> {
        let resolver = Arc::new(Resolver(ArcSwap::from_pointee(certificates)));
        let config = server_config(Arc::clone(&resolver)).map_err(|error| {
            ConfigError::from(Problem {
                path: "listen.tls".into(),
                found: format!("certificates that cannot be served ({error})"),
                expected: "certificates for TLS 1.2 and 1.3".into(),
            })
        })?;
        Ok(Self { resolver, config })
    }

    /// What a connection is to be accepted with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// From now on, handshakes that begin use those.
    pub(crate) fn replace(&self, certificates: Certificates) {
        self.resolver.0.store(Arc::new(certificates));
    }
}

fn server_config(resolver: Arc<Resolver>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

struct Wrong {
    key: &'static str,
    found: String,
    expected: &'static str,
}

#[derive(Debug)]
struct Certificate {
    names: Vec<HostPattern>,
    /// Seconds since 1970.
    not_after: i64,
    key: Arc<CertifiedKey>,
}

impl Certificate {
    fn load(files: &CertificateFiles) -> Result<Self, Wrong> {
        let chain = chain(&files.cert)?;
        let names = names(&chain).map_err(|error| Wrong {
            key: "cert",
            found: format!(
                "{}, whose first certificate is malformed ({error})",
                files.cert.display()
            ),
            expected: "an X.509 certificate with DNS names",
        })?;
        let not_after = not_after(&chain);
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| Wrong {
            key: "key",
            found: format!("{} ({error})", files.key.display()),
            expected: "a PEM file with a private key",
        })?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| Wrong {
            key: "key",
            found: format!(
                "{}, which does not fit {} ({error})",
                files.key.display(),
                files.cert.display()
            ),
            expected: "the RSA, ECDSA or Ed25519 key of the first certificate",
        })?;
        Ok(Self {
            names,
            not_after,
            key: Arc::new(key),
        })
    }
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let wrong = |found: String| Wrong {
        key: "cert",
        found,
        expected: "a PEM file with a certificate chain",
    };
    let chain = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(format!("{} ({error})", file.display())))?;
    if chain.is_empty() {
        return Err(wrong(format!("{}, which has no certificate", file.display())));
    }
    Ok(chain)
}

fn names(chain: &[CertificateDer<'static>]) -> Result<Vec<HostPattern>, webpki::Error> {
    let leaf = chain.first().ok_or(webpki::Error::BadDer)?;
    let leaf = EndEntityCert::try_from(leaf)?;
    Ok(leaf.valid_dns_names().filter_map(|name| name.parse().ok()).collect())
}

/// The end of the first certificate's validity; what webpki has taken for a certificate has one.
fn not_after(chain: &[CertificateDer<'static>]) -> i64 {
    let leaf = chain.first().and_then(|leaf| parse_x509_certificate(leaf).ok());
    leaf.map_or(0, |(_, leaf)| leaf.validity().not_after.timestamp())
}

/// Chooses by server name (RFC 6066, section 3): exact names before wildcards, else the first certificate,
/// so that a viewer without a fitting name sees a certificate and an honest warning.
#[derive(Debug)]
struct Resolver(ArcSwap<Certificates>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificates = self.0.load();
        let chosen = hello
            .server_name()
            .and_then(|name| certificates.choose(&name.to_ascii_lowercase()));
        chosen
            .or(certificates.0.first())
            .map(|certificate| Arc::clone(&certificate.key))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey as Generated, generate_simple_self_signed};

    use super::*;

    fn write(folder: &Path, name: &str, hosts: &[&str]) -> CertificateFiles {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let Generated { cert, signing_key } = generate_simple_self_signed(hosts).unwrap();
        let files = CertificateFiles {
            cert: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(&files.cert, cert.pem()).unwrap();
        fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn the_server_name_chooses_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let certificates: Vec<Certificate> = [
            write(folder.path(), "first", &["first.example.com"]),
            write(folder.path(), "wild", &["*.example.com"]),
            write(folder.path(), "exact", &["a.example.com"]),
        ]
        .iter()
        .map(|files| Certificate::load(files).unwrap_or_else(|wrong| panic!("{}", wrong.found)))
        .collect();
        let certificates = Certificates(certificates);
        let chosen = |name: &str| {
            certificates
                .choose(name)
                .map(|certificate| certificate.names[0].to_string())
        };
        assert_eq!(chosen("a.example.com").as_deref(), Some("a.example.com"));
        assert_eq!(chosen("b.example.com").as_deref(), Some("*.example.com"));
        assert_eq!(chosen("b.c.example.com"), None);
        assert_eq!(chosen("example.com"), None);
    }

    #[test]
    fn every_unusable_certificate_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let one = write(folder.path(), "one", &["one.example.com"]);
        let two = write(folder.path(), "two", &["two.example.com"]);
        let mixed = CertificateFiles {
            cert: one.cert.clone(),
            key: two.key,
        };
        let missing = CertificateFiles {
            cert: folder.path().join("none.pem"),
            key: one.key,
        };
        let error = Certificates::load(&[mixed, missing]).unwrap_err();
        let paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["listen.tls[0].key", "listen.tls[1].cert"]);
        assert!(error.problems[0].found.contains("does not fit"), "{error}");
    }
}
