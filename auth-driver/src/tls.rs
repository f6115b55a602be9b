//! The TLS configuration both clients share: rustls with ring, chain and name always verified.

mod provider;

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use thiserror::Error;

/// Why no client could be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The system has no root certificates, or the file that `SSL_CERT_FILE` names holds none.
    #[error("no usable root certificate found: {0}")]
    NoRoots(String),
    /// The configuration was refused by the TLS library.
    #[error("tls configuration refused: {0}")]
    Refused(String),
    /// The HTTP client could not be built.
    #[error("http client not built: {0}")]
    Client(String),
}

/// Trusts `roots`, or the system's where there are none given.
pub(crate) fn client_config(roots: Option<Vec<CertificateDer<'static>>>) -> Result<ClientConfig, TlsError> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider::provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Refused(error.to_string()))?
        .with_root_certificates(match roots {
            Some(roots) => store(roots, String::new())?,
            None => system_roots()?,
        })
        .with_no_client_auth();
    Ok(config)
}

/// Honours `SSL_CERT_FILE` and `SSL_CERT_DIR`, as OpenSSL does.
fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let problems: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    store(found.certs, problems.join("; "))
}

/// Roots that cannot be used are left out, as every system store has some; none left is an error.
fn store(roots: Vec<CertificateDer<'static>>, problems: String) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    if store.is_empty() {
        return Err(TlsError::NoRoots(problems));
    }
    Ok(store)
}
