//! The TLS listener: both protocol versions, certificates by name, and a port that is no plain one.

use std::{net::SocketAddr, sync::Arc};

use h2::client::SendRequest;
use rustls::{ServerConfig, pki_types::ServerName};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    certificates::{Certificate, client, connect},
    http::{Request, Wire},
    origin::{CONTENT, Origin},
    process::Process,
    runtime::{spawn, wait},
    site::{HOST, Plan, Site},
    url::Url,
};

/// A server that says the same to everyone, for origins over TLS.
pub(crate) fn serve(certificate: &Certificate, content: &'static str) -> SocketAddr {
    let key = std::fs::read(&certificate.key).unwrap();
    let key = rustls::pki_types::pem::PemObject::from_pem_slice(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = wait(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = [0; 8192];
            if stream.read(&mut head).await.is_ok_and(|count| count > 0) {
                let length = content.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{content}");
                // Whether the proxy takes it is for the test to see.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    address
}

fn site(origin: &Origin) -> (Certificate, Certificate, Site) {
    let plan = Plan::custom(origin);
    let first = Certificate::write(plan.folder(), HOST);
    let second = Certificate::write(plan.folder(), "www.example.com");
    let files = |certificate: &Certificate| json!({ "cert": certificate.cert, "key": certificate.key });
    let site = plan
        .site("hosts", json!([HOST, "www.example.com"]))
        .top(
            "listen",
            json!({
                "http": ["127.0.0.1:0"],
                "https": ["127.0.0.1:0"],
                "tls": [files(&first), files(&second)],
            }),
        )
        .start();
    (first, second, site)
}

#[test]
fn https_over_http_1_1_signs_in_and_serves() {
    let origin = Origin::content();
    let (certificate, _, site) = site(&origin);
    let address = site.https.unwrap();
    let config = client(&[&certificate], &[b"http/1.1"]);
    let mut wire = connect(address, HOST, &config);
    let host = format!("{HOST}:{}", address.port());
    let response = wire.send(&Request::get("/page?x"), &host);
    assert!(site.is_sign_in(&response), "{response:?}");
    let callback = Url::parse(response.location()).param("redirect_uri").unwrap();
    assert_eq!(callback, format!("https://{host}/parseauth"));
    let response = wire.send(&Request::get("/page").header("Cookie", site.session()), &host);
    assert_eq!(response.text(), CONTENT);
    assert_eq!(origin.last().header("x-forwarded-proto"), Some("https"));
}

#[test]
fn the_certificate_is_chosen_by_the_name_asked_for() {
    let origin = Origin::content();
    let (first, second, site) = site(&origin);
    let address = site.https.unwrap();
    for (certificate, name) in [(&first, HOST), (&second, "www.example.com")] {
        let mut wire = connect(address, name, &client(&[certificate], &[]));
        assert!(site.is_sign_in(&wire.send(&Request::get("/"), name)), "{name}");
    }
    // A name that nobody has gets the first one: the handshake succeeds for who trusts it for another name, or fails there.
    let config = client(&[&first], &[]);
    let refused = wait(async {
        let name = ServerName::try_from("unknown.example").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        tokio_rustls::TlsConnector::from(config).connect(name, stream).await
    });
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("not valid for name") || error.contains("NotValidForName"),
        "{error}"
    );
}

/// T-FWD-1: TLS that ends here is not argued away by a header, and a plain request does not become https by one.
#[test]
fn the_scheme_is_the_connections_own() {
    let origin = Origin::content();
    let (certificate, _, site) = site(&origin);
    let mut wire = connect(site.https.unwrap(), HOST, &client(&[&certificate], &[]));
    let response = wire.send(&Request::get("/").header("X-Forwarded-Proto", "http"), HOST);
    let callback = Url::parse(response.location()).param("redirect_uri").unwrap();
    assert_eq!(callback, format!("https://{HOST}/parseauth"));
}

#[test]
fn plain_http_on_the_tls_port_gets_nothing() {
    let origin = Origin::content();
    let (_, _, site) = site(&origin);
    let mut wire = Wire::connect(site.https.unwrap());
    wire.write(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    let mut alert = Vec::new();
    loop {
        let part = wire.some(1000);
        if part.is_empty() {
            break;
        }
        alert.extend(part);
    }
    assert!(!String::from_utf8_lossy(&alert).contains("HTTP/"), "{alert:?}");
}

pub(crate) async fn http2(address: SocketAddr, certificate: &Certificate) -> SendRequest<bytes::Bytes> {
    let name = ServerName::try_from(HOST).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(client(&[certificate], &[b"h2"]));
    let stream = connector.connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

/// Status, `Location` and body.
pub(crate) async fn ask(sender: &SendRequest<bytes::Bytes>, request: http::Request<()>) -> (u16, String, String) {
    let mut sender = sender.clone().ready().await.unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    let location = response
        .headers()
        .get("location")
        .map_or("", |value| value.to_str().unwrap());
    let (status, location) = (response.status().as_u16(), location.to_owned());
    let mut stream = response.into_body();
    let mut body = Vec::new();
    while let Some(part) = stream.data().await {
        let part = part.unwrap();
        stream.flow_control().release_capacity(part.len()).unwrap();
        body.extend(part);
    }
    (status, location, String::from_utf8(body).unwrap())
}

fn get(target: &str) -> http::request::Builder {
    http::Request::get(format!("https://{HOST}{target}"))
}

#[test]
fn http_2_takes_a_session_in_one_cookie_field_or_in_crumbs() {
    let origin = Origin::content();
    let (certificate, _, site) = site(&origin);
    let session = site.session();
    wait(async {
        let sender = http2(site.https.unwrap(), &certificate).await;
        let (status, location, _) = ask(&sender, get("/a?b").body(()).unwrap()).await;
        assert_eq!(status, 307);
        assert!(location.contains("/oauth2/authorize?"));
        let whole = get("/a?b").header("cookie", &session).body(()).unwrap();
        assert_eq!(ask(&sender, whole).await, (200, String::new(), CONTENT.to_owned()));
        let mut crumbs = get("/a?b").header("cookie", "theme=dark");
        for crumb in session.split("; ") {
            crumbs = crumbs.header("cookie", crumb);
        }
        assert_eq!(ask(&sender, crumbs.body(()).unwrap()).await.0, 200);
    });
    let asked = origin.last();
    assert_eq!(asked.all("cookie"), ["theme=dark"]);
    assert_eq!(asked.target(), "/a?b");
    assert_eq!(asked.header("x-forwarded-proto"), Some("https"));
}

/// T-HDR-3, T-SMUG: what HTTP/1.1 refuses is no better in HTTP/2.
#[test]
fn http_2_is_admitted_by_the_same_rules() {
    let origin = Origin::content();
    let (certificate, _, site) = site(&origin);
    let session = site.session();
    wait(async {
        let sender = http2(site.https.unwrap(), &certificate).await;
        for target in ["/a%2fb", "/../a", "/%00", "/a%5cb"] {
            let request = get(target).header("cookie", &session).body(()).unwrap();
            assert_eq!(ask(&sender, request).await.0, 400, "{target}");
        }
        let unknown = http::Request::get("https://evil.example/").body(()).unwrap();
        let (status, location, _) = ask(&sender, unknown).await;
        assert_eq!((status, location.as_str()), (421, ""));
        let two_hosts = get("/").header("host", "evil.example").body(()).unwrap();
        assert_eq!(ask(&sender, two_hosts).await.0, 400);
        let large = get("/").header("x-large", "x".repeat(40_000)).body(()).unwrap();
        assert_eq!(ask(&sender, large).await.0, 431);
        let voices = get("/")
            .header("cookie", &session)
            .header("x-portcullis-user", "forged");
        let voices = voices.header("x_forwarded_user", "forged").body(()).unwrap();
        assert_eq!(ask(&sender, voices).await.0, 200);
    });
    assert_eq!(origin.asked().len(), 1);
    assert!(!origin.last().head.contains("forged"), "{}", origin.last().head);
}

#[test]
fn many_streams_of_one_connection_are_served_together() {
    let origin = Origin::content();
    let (certificate, _, site) = site(&origin);
    let session = site.session();
    wait(async {
        let sender = http2(site.https.unwrap(), &certificate).await;
        let mut asked = Vec::new();
        for number in 0..80 {
            let request = get(&format!("/{number}")).header("cookie", &session).body(()).unwrap();
            let sender = sender.clone();
            asked.push(tokio::spawn(async move { ask(&sender, request).await.0 }));
        }
        for answer in asked {
            assert_eq!(answer.await.unwrap(), 200);
        }
    });
}

/// A configuration with this TLS section; exit code and what is said.
fn start_with(tls: &Value, folder: &std::path::Path) -> (Option<i32>, String) {
    let config = json!({
        "listen": { "https": ["127.0.0.1:0"], "tls": tls },
        "admin": { "listen": "off" },
        "sites": [{
            "hosts": [HOST],
            "auth": { "insecure_auth_off": true },
            "origin": { "kind": "directory", "root": folder },
        }],
    });
    let file = folder.join("config.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut process = Process::run(&file, &[]);
    (process.end().code(), process.err())
}

#[test]
fn a_certificate_that_cannot_be_used_is_a_bad_configuration() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path();
    let good = Certificate::write(path, HOST);
    let other = Certificate::write(path, "other.test");
    std::fs::write(path.join("empty"), "").unwrap();
    std::fs::write(
        path.join("garbage"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for (what, cert, key) in [
        ("missing", path.join("missing.crt"), good.key.clone()),
        ("empty", path.join("empty"), good.key.clone()),
        ("garbage", path.join("garbage"), good.key.clone()),
        ("no key", good.cert.clone(), good.cert.clone()),
        ("another key", good.cert.clone(), other.key.clone()),
    ] {
        let (code, said) = start_with(&json!([{ "cert": cert, "key": key }]), path);
        assert_eq!(code, Some(78), "{what}: {said}");
        assert!(said.contains("tls"), "{what}: {said}");
        assert!(!said.contains("PRIVATE"), "{what}: {said}");
    }
}
