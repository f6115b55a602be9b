//! Upstream headers as an application gets them.

use auth_core::Secret;

use super::*;
use crate::{canonical_path::CanonicalPath, config::OriginTimeouts};

fn settings(url: &str) -> CustomSettings {
    CustomSettings {
        urls: vec![url.parse().unwrap()],
        health_check: None,
        host: None,
        sni: None,
        ca_file: None,
        client_certificate: None,
        headers: vec![(
            HeaderName::from_static("x-origin-secret"),
            Secret::new(HeaderValue::from_static("open sesame")),
        )],
        timeouts: OriginTimeouts::default(),
    }
}

async fn origin(settings: CustomSettings) -> CustomOrigin {
    CustomOrigin::connect(&settings, &Handle::current()).await.unwrap()
}

fn sent(origin: &CustomOrigin, method: Method, target: &str, pairs: &[(&'static str, &'static str)]) -> RequestHeader {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let request = OriginRequest {
        method: &method,
        path: &CanonicalPath::parse(path).unwrap(),
        query,
        headers: &headers,
        identity: &[],
        forwarded: Forwarded {
            client: [192, 0, 2, 7].into(),
            via: Some(("https", "app.example.com")),
        },
    };
    match origin.dispatch(&request).unwrap() {
        Dispatch::Upstream { header, .. } => *header,
        Dispatch::File(_) => panic!("a server has no files at hand"),
    }
}

#[tokio::test]
async fn the_origin_gets_its_own_host_and_learns_of_the_viewer() {
    let origin = origin(settings("http://192.0.2.1:8080")).await;
    let header = sent(
        &origin,
        Method::GET,
        "/a",
        &[("host", "app.example.com"), ("accept", "text/html")],
    );
    assert_eq!(header.headers["host"], "192.0.2.1:8080");
    assert_eq!(header.headers["accept"], "text/html");
    assert_eq!(header.headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(header.headers["x-forwarded-proto"], "https");
    assert_eq!(header.headers["x-forwarded-host"], "app.example.com");
    assert_eq!(header.headers["x-origin-secret"], "open sesame");
}

#[tokio::test]
async fn path_and_query_go_on_as_they_came() {
    let origin = origin(settings("http://192.0.2.1")).await;
    let target = |given| String::from_utf8(sent(&origin, Method::GET, given, &[]).raw_path().to_vec()).unwrap();
    for same in ["/", "/a;v=1/b+c?x=%2F&y=+&", "/a%2520b?q=a%20b", "//double?/../"] {
        assert_eq!(target(same), same);
    }
}

#[tokio::test]
async fn a_viewer_cannot_speak_for_the_proxy() {
    let origin = origin(settings("http://192.0.2.1")).await;
    let forged: Vec<(&'static str, &'static str)> = TRUSTED_ONLY
        .iter()
        .map(|name| (*name, "forged"))
        .chain([("forwarded", "for=forged"), ("x-origin-secret", "forged")])
        .collect();
    let header = sent(&origin, Method::GET, "/", &forged);
    assert!(
        header
            .headers
            .values()
            .all(|value| value != "forged" && value != "for=forged"),
        "{:?}",
        header.headers
    );
    assert_eq!(header.headers.get_all("x-origin-secret").iter().count(), 1);
}

#[tokio::test]
async fn headers_of_the_viewers_connection_stay_behind_and_take_none_of_ours_with_them() {
    let origin = origin(settings("http://192.0.2.1")).await;
    let header = sent(
        &origin,
        Method::POST,
        "/",
        &[
            (
                "connection",
                "keep-alive, x-hop, x-forwarded-for, x-origin-secret, host",
            ),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("proxy-authorization", "Basic x"),
            ("upgrade", "h2c"),
            ("content-length", "3"),
        ],
    );
    for gone in [
        "connection",
        "x-hop",
        "keep-alive",
        "te",
        "transfer-encoding",
        "proxy-authorization",
        "upgrade",
    ] {
        assert!(!header.headers.contains_key(gone), "{gone}");
    }
    for there in ["host", "x-forwarded-for", "x-origin-secret", "content-length"] {
        assert!(header.headers.contains_key(there), "{there}");
    }
}

#[tokio::test]
async fn a_websocket_handshake_survives() {
    let origin = origin(settings("http://192.0.2.1")).await;
    let handshake = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-key", "k"),
    ];
    let header = sent(&origin, Method::GET, "/ws", &handshake);
    assert_eq!(header.headers["connection"], "Upgrade");
    assert_eq!(header.headers["upgrade"], "websocket");
    assert_eq!(header.headers["sec-websocket-key"], "k");
    let header = sent(&origin, Method::POST, "/ws", &handshake);
    assert!(!header.headers.contains_key("upgrade"), "a handshake is a GET");
}

#[tokio::test]
async fn host_and_tls_name_can_differ_from_the_address() {
    let custom = CustomSettings {
        host: Some(HeaderValue::from_static("app.internal")),
        sni: Some("tls.internal".into()),
        ..settings("https://192.0.2.1")
    };
    let origin = origin(custom).await;
    assert_eq!(sent(&origin, Method::GET, "/", &[]).headers["host"], "app.internal");
    assert_eq!(origin.servers.next().unwrap().1.sni, "tls.internal");
}

#[tokio::test]
async fn tls_without_a_name_to_verify_is_refused() {
    let custom = CustomSettings {
        sni: Some(String::new()),
        ..settings("https://192.0.2.1")
    };
    let refused = CustomOrigin::connect(&custom, &Handle::current()).await.unwrap_err();
    assert_eq!(refused, OriginSetupError::ServerName { found: String::new() });
}

#[tokio::test]
async fn the_secret_header_does_not_show_in_debug_output() {
    let shown = format!("{:?}", origin(settings("http://192.0.2.1")).await);
    assert!(!shown.contains("sesame"), "{shown}");
}
