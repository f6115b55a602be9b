//! The store as the S3 origin finds it, over a socket: that our signatures are accepted, and what it answers.

use std::{collections::HashMap, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Handle,
};

use super::*;
use crate::{
    canonical_path::CanonicalPath,
    config::OriginSettings,
    origin::{Dispatch, Forwarded, Origin, OriginRequest},
};

const SITE: &str = "site";

async fn store() -> Running {
    let store = Store::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    store.put(SITE, "digits.txt", "0123456789").await.unwrap();
    store.put(SITE, "docs/é a+b.html", "<p>").await.unwrap();
    store
}

struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

async fn ask(settings: S3Settings, method: Method, path: &str, pairs: &[(&'static str, &str)]) -> Answer {
    let origin = Origin::connect(&OriginSettings::S3(settings), &Handle::current())
        .await
        .unwrap();
    let headers: HeaderMap = pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    let request = OriginRequest {
        method: &method,
        path: &CanonicalPath::parse(path).unwrap(),
        query: "list-type=2",
        headers: &headers,
        identity: &[],
        forwarded: Forwarded {
            client: [192, 0, 2, 7].into(),
            via: Some(("https", "app.example.com")),
        },
    };
    let Dispatch::Upstream { peer, header } = origin.dispatch(&request, SystemTime::now()).unwrap() else {
        panic!("a bucket has no files at hand");
    };
    let mut text = format!(
        "{} {} HTTP/1.1\r\n",
        header.method,
        String::from_utf8_lossy(header.raw_path())
    );
    for (name, value) in &header.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str("connection: close\r\n\r\n");
    exchange(&peer._address.to_string(), &text).await
}

async fn exchange(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.into()));
    Answer {
        status,
        headers: headers.collect(),
        body: answer[end + 4..].to_vec(),
    }
}

async fn get(store: &Running, path: &str, pairs: &[(&'static str, &str)]) -> Answer {
    ask(store.settings(SITE), Method::GET, path, pairs).await
}

#[tokio::test]
async fn a_signed_request_gets_the_object() {
    let store = store().await;
    let answer = get(&store, "/digits.txt", &[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"0123456789"[..]));
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["content-length"], "10");
    assert_eq!(answer.headers["accept-ranges"], "bytes");
}

#[tokio::test]
async fn an_object_keeps_its_cache_control() {
    let store = store().await;
    store.put_cached(SITE, "fresh", "x", "no-cache").await.unwrap();
    assert_eq!(get(&store, "/fresh", &[]).await.headers["cache-control"], "no-cache");
}

#[tokio::test]
async fn awkward_keys_and_prefixes_are_signed_right() {
    let store = store().await;
    assert_eq!(get(&store, "/docs/%C3%A9%20a+b.html", &[]).await.body, b"<p>");
    assert_eq!(get(&store, "/docs/%c3%a9%20a%2bb.html", &[]).await.body, b"<p>");
    for key in [
        "a%20b",
        "q?x=y&z",
        "100%",
        "~tilde'()*!",
        "semi;colon,comma",
        "日本/語",
        "plus+ +plus",
        "#hash",
    ] {
        store.put(SITE, key, key.to_owned()).await.unwrap();
        let path: String = key
            .bytes()
            .map(|b| if b == b'/' { "/".into() } else { format!("%{b:02X}") })
            .collect();
        let answer = get(&store, &format!("/{path}"), &[]).await;
        assert_eq!(
            (answer.status, String::from_utf8(answer.body).unwrap().as_str()),
            (200, key)
        );
    }
    let below = S3Settings {
        prefix: "docs/".into(),
        ..store.settings(SITE)
    };
    assert_eq!(ask(below, Method::GET, "/%C3%A9%20a+b.html", &[]).await.body, b"<p>");
}

#[tokio::test]
async fn without_the_right_key_there_is_nothing_to_see() {
    let store = store().await;
    let address = store.endpoint.strip_prefix("http://").unwrap();
    let unsigned = format!("GET /{SITE}/digits.txt HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    assert_eq!(exchange(address, &unsigned).await.status, 403);
    let mut settings = store.settings(SITE);
    settings.credentials.as_mut().unwrap().secret_access_key = Secret::new("wrong".into());
    assert_eq!(ask(settings, Method::GET, "/digits.txt", &[]).await.status, 403);
}

#[tokio::test]
async fn missing_keys_folders_and_buckets_are_not_found() {
    let store = store().await;
    for path in ["/none", "/docs", "/docs/", "/digits.txt/x", "//digits.txt"] {
        assert_eq!(get(&store, path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(
        ask(store.settings("none"), Method::GET, "/digits.txt", &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn head_has_the_header_only() {
    let store = store().await;
    let answer = ask(store.settings(SITE), Method::HEAD, "/digits.txt", &[]).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.headers["content-length"], "10");
}

#[tokio::test]
async fn ranges_are_served_and_what_is_no_range_is_ignored() {
    let store = store().await;
    for (range, status, body) in [
        ("bytes=2-4", 206, "234"),
        ("bytes=-3", 206, "789"),
        ("bytes=8-", 206, "89"),
        ("bytes=0-1,3-4", 200, "0123456789"),
        ("nonsense", 200, "0123456789"),
    ] {
        let answer = get(&store, "/digits.txt", &[("range", range)]).await;
        assert_eq!(
            (answer.status, String::from_utf8(answer.body).unwrap().as_str()),
            (status, body),
            "{range}"
        );
    }
    let answer = get(&store, "/digits.txt", &[("range", "bytes=10-")]).await;
    assert_eq!(answer.status, 416);
}

#[tokio::test]
async fn preconditions_count() {
    let store = store().await;
    let first = get(&store, "/digits.txt", &[]).await;
    let (etag, modified) = (first.headers["etag"].clone(), first.headers["last-modified"].clone());
    let list = format!("\"other\", {etag}");
    for (name, value) in [
        ("if-none-match", &etag),
        ("if-none-match", &list),
        ("if-modified-since", &modified),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(store.settings(SITE), method, "/digits.txt", &[(name, value)]).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{name}: {value}");
            assert_eq!(answer.headers["etag"], etag);
        }
    }
    for (name, value) in [
        ("if-none-match", "\"other\""),
        ("if-match", etag.as_str()),
        ("if-unmodified-since", &modified),
    ] {
        assert_eq!(
            get(&store, "/digits.txt", &[(name, value)]).await.status,
            200,
            "{name}: {value}"
        );
    }
    assert_eq!(
        get(&store, "/digits.txt", &[("if-match", "\"other\"")]).await.status,
        412
    );
    let changed = get(
        &store,
        "/digits.txt",
        &[("range", "bytes=2-4"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn a_store_leaves_nothing_behind() {
    let store = store().await;
    let (folder, endpoint) = (store.folder.path().to_owned(), store.endpoint.clone());
    assert!(folder.exists());
    store.shutdown().await;
    assert!(!folder.exists());
    assert!(
        TcpStream::connect(endpoint.strip_prefix("http://").unwrap())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let store = store().await;
    let address: SocketAddr = store.endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let taken = Store::start(address).await.unwrap_err();
    assert!(matches!(taken, StoreError::Listen { address: named, .. } if named == address));
}

#[tokio::test]
async fn the_secret_does_not_show_in_debug_output() {
    let store = store().await;
    assert!(!format!("{store:?}").contains(store.secret_key.expose()));
}
