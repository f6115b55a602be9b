//! Whom an origin over TLS is taken for, on real handshakes.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use http::HeaderMap;
use pingora::connectors::TransportConnector;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    canonical_path::CanonicalPath,
    config::{CertificateFiles, OriginTimeouts},
};

const NAME: &str = "origin.example.com";

/// An authority and what it has vouched for, on disk.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn vouch_for(&self, name: &str) -> CertificateFiles {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let files = CertificateFiles {
            cert: self.folder.path().join(format!("{name}.crt")),
            key: self.folder.path().join(format!("{name}.key")),
        };
        fs::write(&files.cert, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

fn chain(file: &PathBuf) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    rustls::pki_types::CertificateDer::pem_file_iter(file)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// A server that shakes hands and hangs up; with `clients`, only with whom that authority vouches for.
async fn server(files: &CertificateFiles, clients: Option<&Authority>) -> SocketAddr {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&ring))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(chain(&authority.bundle()).remove(0)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), ring)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
    let config = builder.with_single_cert(chain(&files.cert), key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt as _;
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    address
}

fn settings(address: SocketAddr, authority: &Authority) -> CustomSettings {
    CustomSettings {
        urls: vec![format!("https://{address}").parse().unwrap()],
        health_check: None,
        host: None,
        sni: Some(NAME.into()),
        ca_file: Some(authority.bundle()),
        client_certificate: None,
        headers: Vec::new(),
        timeouts: OriginTimeouts::default(),
    }
}

/// Whether the handshake succeeds, on both sides.
async fn is_trusted(settings: &CustomSettings) -> bool {
    use tokio::io::AsyncReadExt as _;
    let origin = CustomOrigin::connect(settings, &Handle::current()).await.unwrap();
    let request = OriginRequest {
        method: &Method::GET,
        path: &CanonicalPath::parse("/").unwrap(),
        query: "",
        headers: &HeaderMap::new(),
        identity: &[],
        forwarded: Forwarded {
            client: [192, 0, 2, 7].into(),
            via: Some(("https", "app.example.com")),
        },
    };
    let Dispatch::Upstream { peer, .. } = origin.dispatch(&request).unwrap() else {
        panic!("a server has no files at hand");
    };
    match TransportConnector::new(None).new_stream(&*peer).await {
        Ok(mut stream) => {
            // With TLS 1.3 a refused client learns of it only when it reads.
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.is_ok()
        }
        Err(_) => false,
    }
}

#[tokio::test]
async fn an_origin_is_trusted_by_its_own_authority_and_name_only() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let address = server(&authority.vouch_for(NAME), None).await;
    assert!(is_trusted(&settings(address, &authority)).await);
    assert!(!is_trusted(&settings(address, &stranger)).await, "another authority");
    let other_name = CustomSettings {
        sni: Some("other.example.com".into()),
        ..settings(address, &authority)
    };
    assert!(!is_trusted(&other_name).await, "another name");
    let system = CustomSettings {
        ca_file: None,
        ..settings(address, &authority)
    };
    assert!(!is_trusted(&system).await, "the system's authorities");
}

#[tokio::test]
async fn an_origin_that_asks_for_a_certificate_gets_ours() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let address = server(&authority.vouch_for(NAME), Some(&authority)).await;
    let with = |files| CustomSettings {
        client_certificate: Some(files),
        ..settings(address, &authority)
    };
    assert!(is_trusted(&with(authority.vouch_for("proxy"))).await);
    assert!(
        !is_trusted(&with(stranger.vouch_for("proxy"))).await,
        "vouched for by a stranger"
    );
    assert!(!is_trusted(&settings(address, &authority)).await, "no certificate");
}
