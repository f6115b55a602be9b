//! Certificates of one origin: the authorities it is trusted by, and what we show to it.
//!
//! A bundle of its own costs each new connection to that origin a TLS configuration and its session
//! resumption (some hundred microseconds); connections are pooled, and the other origins pay nothing. What can
//! be wrong is found here, at start: Pingora would find it on the first connection, by a panic.

use std::{path::Path, sync::Arc};

use pingora::{
    protocols::tls::CaType,
    utils::tls::{CertKey, WrappedX509},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{config::CertificateFiles, origin::OriginSetupError};

/// The authorities of a PEM bundle.
///
/// # Errors
/// A file without certificates, or with one that cannot vouch for others.
pub(crate) fn authorities(file: &Path) -> Result<Arc<CaType>, OriginSetupError> {
    let mut bundle = Vec::new();
    for certificate in certificates(file)? {
        let wrapped = WrappedX509::try_new(certificate.to_vec(), |der| {
            X509Certificate::from_der(der).map(|(_, certificate)| certificate)
        });
        let vouches = RootCertStore::empty().add(certificate).is_ok();
        match wrapped {
            Ok(wrapped) if vouches => bundle.push(wrapped),
            _ => return Err(no_usable("certificate authority", file)),
        }
    }
    Ok(bundle.into())
}

/// A certificate chain and its key, tried out on a TLS configuration.
///
/// # Errors
/// Files without certificate or key, or that do not belong together.
pub(crate) fn client_certificate(files: &CertificateFiles) -> Result<Arc<CertKey>, OriginSetupError> {
    let chain = certificates(&files.cert)?;
    if chain
        .iter()
        .any(|certificate| X509Certificate::from_der(certificate).is_err())
    {
        return Err(no_usable("certificate", &files.cert));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| pem_error(error, "private key", &files.key))?;
    // Pingora keeps the key's bytes alone and guesses its kind from them.
    let key = key.secret_der().to_vec();
    let mismatch = || OriginSetupError::KeyPair {
        path: files.cert.clone(),
    };
    let guessed = PrivateKeyDer::try_from(key.clone()).map_err(|_| mismatch())?;
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| mismatch())?
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(chain.clone(), guessed)
        .map_err(|_| mismatch())?;
    Ok(Arc::new(CertKey::new(
        chain.iter().map(|certificate| certificate.to_vec()).collect(),
        key,
    )))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, OriginSetupError> {
    let failed = |error| pem_error(error, "certificate", file);
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if found.is_empty() {
        Err(no_usable("certificate", file))
    } else {
        Ok(found)
    }
}

fn pem_error(error: pem::Error, expected: &'static str, file: &Path) -> OriginSetupError {
    match error {
        pem::Error::Io(error) => OriginSetupError::Unreadable {
            path: file.to_owned(),
            kind: error.kind(),
        },
        _ => no_usable(expected, file),
    }
}

fn no_usable(expected: &'static str, file: &Path) -> OriginSetupError {
    OriginSetupError::Pem {
        path: file.to_owned(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::ErrorKind, path::PathBuf};

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    struct Files {
        folder: TempDir,
    }

    impl Files {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
            }
        }

        fn put(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn pair(&self, name: &str) -> CertificateFiles {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed([format!("{name}.example.com")]).unwrap();
            CertificateFiles {
                cert: self.put(&format!("{name}.crt"), &cert.pem()),
                key: self.put(&format!("{name}.key"), &signing_key.serialize_pem()),
            }
        }
    }

    #[test]
    fn every_authority_of_a_bundle_is_taken() {
        let files = Files::new();
        let both = ["a", "b"]
            .map(|name| fs::read_to_string(files.pair(name).cert).unwrap())
            .concat();
        assert_eq!(authorities(&files.put("both.pem", &both)).unwrap().len(), 2);
    }

    #[test]
    fn a_pair_that_belongs_together_is_taken() {
        assert!(client_certificate(&Files::new().pair("a")).is_ok());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let files = Files::new();
        let mixed = CertificateFiles {
            key: files.pair("b").key,
            ..files.pair("a")
        };
        assert_eq!(
            client_certificate(&mixed).unwrap_err(),
            OriginSetupError::KeyPair { path: mixed.cert }
        );
    }

    #[test]
    fn files_that_are_missing_empty_or_garbage_are_refused_without_a_panic() {
        let files = Files::new();
        let pair = files.pair("a");
        let missing = files.folder.path().join("missing.pem");
        let unreadable = OriginSetupError::Unreadable {
            path: missing.clone(),
            kind: ErrorKind::NotFound,
        };
        assert_eq!(authorities(&missing).unwrap_err(), unreadable);
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "no pem", garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
            let file = files.put("bad.pem", text);
            assert!(
                matches!(authorities(&file), Err(OriginSetupError::Pem { .. })),
                "{text}"
            );
            let bad_chain = CertificateFiles {
                cert: file.clone(),
                key: pair.key.clone(),
            };
            assert!(
                matches!(client_certificate(&bad_chain), Err(OriginSetupError::Pem { .. })),
                "{text}"
            );
            let bad_key = CertificateFiles {
                cert: pair.cert.clone(),
                key: file,
            };
            assert!(
                matches!(client_certificate(&bad_key), Err(OriginSetupError::Pem { .. })),
                "{text}"
            );
        }
    }
}
