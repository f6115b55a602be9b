//! A private bucket behind the sign-in: the demo's store, and an endpoint that records what it is asked.

use std::net::SocketAddr;

use proxy::demo::store::{Running as Store, Store as Stores};
use serde_json::{Value, json};

use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
    runtime::wait,
    site::{Plan, Site},
};

const BUCKET: &str = "private-content-4821";

/// A store with one bucket and these objects.
fn store(objects: &[(&str, &str)]) -> Store {
    wait(async {
        let store = Stores::start(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        store.create_bucket(BUCKET).await.unwrap();
        for (key, content) in objects {
            store.put(BUCKET, key, (*content).to_owned()).await.unwrap();
        }
        store
    })
}

fn origin(store: &Store) -> Value {
    json!({
        "kind": "s3", "bucket": BUCKET, "region": "us-east-1", "endpoint": store.endpoint, "path_style": true,
        "access_key_id": store.access_key, "secret_access_key": store.secret_key.expose(),
    })
}

fn site(store: &Store) -> Site {
    Plan::bare().origin(origin(store)).start()
}

/// An endpoint that answers so, and a site in front of it.
pub(crate) fn fake(
    answer: impl Fn(&crate::support::origin::Asked) -> Answer + Send + Sync + 'static,
) -> (Origin, Site) {
    let endpoint = Origin::start(answer);
    let site = Plan::bare().origin(settings(&endpoint)).start();
    (endpoint, site)
}

/// A bucket at an endpoint of the test's own.
pub(crate) fn settings(endpoint: &Origin) -> Value {
    json!({
        "kind": "s3", "bucket": BUCKET, "region": "us-east-1", "endpoint": endpoint.url(), "path_style": true,
        "access_key_id": "AKIDEXAMPLE", "secret_access_key": "not-so-secret-in-a-test",
    })
}

#[test]
fn signed_in_viewers_see_the_bucket_and_others_the_sign_in() {
    let store = store(&[("index.html", "home"), ("docs/page.html", "page")]);
    let site = site(&store);
    let session = site.session();
    let home = site.get("/", &session);
    assert_eq!((home.status, home.text().as_str()), (200, "home"));
    assert_eq!(home.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(home.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(site.get("/docs/page.html", &session).text(), "page");
    assert!(site.is_sign_in(&site.get("/docs/page.html", "")));
}

#[test]
fn keys_are_found_under_every_spelling_of_their_characters() {
    let keys = [
        ("with space.txt", &["/with%20space.txt"][..]),
        (
            "plus+plus.txt",
            &["/plus+plus.txt", "/plus%2Bplus.txt", "/plus%2bplus.txt"],
        ),
        (
            "käse/日本.txt",
            &["/k%C3%A4se/%E6%97%A5%E6%9C%AC.txt", "/k%c3%a4se/%e6%97%a5%e6%9c%ac.txt"],
        ),
        ("hundred%20percent.txt", &["/hundred%2520percent.txt"]),
        (
            "a&b=c;d@e,f:g$h!i'(j)*.txt",
            &[
                "/a&b=c;d@e,f:g$h!i'(j)*.txt",
                "/a%26b%3Dc%3Bd%40e%2Cf%3Ag%24h%21i%27%28j%29%2A.txt",
            ],
        ),
        ("q?uery#frag.txt", &["/q%3Fuery%23frag.txt"]),
        ("~tilde-._.txt", &["/~tilde-._.txt", "/%7Etilde%2D%2E%5F.txt"]),
    ];
    let objects: Vec<(&str, &str)> = keys.iter().map(|(key, _)| (*key, *key)).collect();
    let store = store(&objects);
    let site = site(&store);
    let session = site.session();
    for (key, targets) in keys {
        for target in targets {
            let response = site.get(target, &session);
            assert_eq!((response.status, response.text()), (200, key.to_owned()), "{target}");
        }
    }
    for near in [
        "/with+space.txt",
        "/plus%20plus.txt",
        "/hundred%20percent.txt",
        "/k%C3%A4se%2520",
    ] {
        assert_eq!(site.get(near, &session).status, 404, "{near}");
    }
}

#[test]
fn a_range_gives_a_part() {
    let store = store(&[("a.txt", "0123456789")]);
    let site = site(&store);
    let ask = |range: &str| {
        site.ask(
            &Request::get("/a.txt")
                .header("Cookie", site.session())
                .header("Range", range),
        )
    };
    for (range, content, text) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
    ] {
        let part = ask(range);
        assert_eq!((part.status, part.text().as_str()), (206, text), "{range}");
        assert_eq!(part.header("content-range"), Some(content));
    }
    let beyond = ask("bytes=100-");
    assert_eq!(beyond.status, 416);
    assert!(!beyond.text().contains("<Error>"), "{}", beyond.text());
}

#[test]
fn an_unchanged_object_is_not_sent_again() {
    let store = store(&[("a.txt", "content")]);
    let site = site(&store);
    let session = site.session();
    let ask =
        |name: &str, value: &str| site.ask(&Request::get("/a.txt").header("Cookie", &*session).header(name, value));
    let first = site.get("/a.txt", &session);
    let etag = first.header("etag").unwrap().to_owned();
    let modified = first.header("last-modified").unwrap().to_owned();
    for (name, value) in [
        ("If-None-Match", etag.as_str()),
        ("If-None-Match", "*"),
        ("If-Modified-Since", modified.as_str()),
    ] {
        let unchanged = ask(name, value);
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{name}: {value}");
    }
    assert_eq!(ask("If-None-Match", "\"other\"").text(), "content");
    let failed = ask("If-Match", "\"other\"");
    assert_eq!(failed.status, 412);
    assert!(!failed.text().contains("<Error>"));
}

#[test]
fn head_tells_without_a_body() {
    let store = store(&[("a.txt", "content")]);
    let site = site(&store);
    let session = site.session();
    let mut wire = site.wire();
    let head = wire.send(
        &Request::new("HEAD", "/a.txt").header("Cookie", &*session),
        &site.authority(),
    );
    assert_eq!((head.status, head.header("content-length")), (200, Some("7")));
    let missing = wire.send(
        &Request::new("HEAD", "/b.txt").header("Cookie", &*session),
        &site.authority(),
    );
    assert_eq!(missing.status, 404);
    let get = wire.send(&Request::get("/a.txt").header("Cookie", &*session), &site.authority());
    assert_eq!(get.text(), "content", "the connection is as it should be");
}

/// T-LEAK-5
#[test]
fn a_missing_key_is_our_page_and_tells_nothing_of_the_store() {
    let store = store(&[("index.html", "home")]);
    let site = site(&store);
    for target in [
        "/missing.html",
        "/folder/",
        "/index.html/x",
        "//index.html",
        "/index.html/",
    ] {
        let response = site.get(target, &site.session());
        assert_eq!(response.status, 404, "{target}");
        let shown = format!("{:?} {}", response.headers, response.text());
        for secret in [
            BUCKET,
            "NoSuchKey",
            "<?xml",
            "<Error",
            "RequestId",
            "x-amz",
            "s3s",
            &*store.access_key,
        ] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(response.text().contains("data-status=\"404\""));
    }
}

/// T-LEAK-5
#[test]
fn pain_25_no_redirect_and_no_error_of_the_store_reaches_a_viewer() {
    let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><BucketName>private-content-4821</BucketName>\
               <RequestId>REQ1</RequestId></Error>";
    for (status, shown) in [
        ("400 Bad Request", 502),
        ("301 Moved Permanently", 502),
        ("401 Unauthorized", 502),
        ("403 Forbidden", 404),
        ("404 Not Found", 404),
        ("405 Method Not Allowed", 502),
        ("500 Internal Server Error", 502),
        ("503 Slow Down", 502),
    ] {
        let (_, site) = fake(move |asked| match asked.method() {
            "HEAD" => Answer::ok(""),
            _ => Answer::with(
                status,
                &[
                    ("Content-Type", "application/xml"),
                    ("x-amz-request-id", "REQ1"),
                    ("Location", "https://x.example"),
                ],
                xml,
            ),
        });
        let response = site.get("/a.txt", &site.session());
        assert_eq!(response.status, shown, "{status}");
        let text = format!("{:?} {}", response.headers, response.text());
        for secret in ["REQ1", BUCKET, "AccessDenied", "x.example", "<?xml"] {
            assert!(!text.contains(secret), "{status}: {text}");
        }
    }
}

/// The store gets our signature and nothing of the viewer's but range and preconditions.
#[test]
fn nothing_of_the_viewer_reaches_the_store() {
    let (endpoint, site) = fake(|_| {
        Answer::with(
            "200 OK",
            &[("x-amz-meta-owner", "someone"), ("Set-Cookie", "a=b")],
            CONTENT,
        )
    });
    let viewers = [
        ("Authorization", "Bearer viewers-own"),
        ("X-Amz-Security-Token", "viewers-own"),
        ("X-Amz-Content-Sha256", "viewers-own"),
        ("X-Amz-Meta-X", "viewers-own"),
        ("Referer", "http://viewers-own/"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Accept-Encoding", "gzip"),
        ("X-Custom", "viewers-own"),
    ];
    let request = Request::get(
        "/a b.txt?list-type=2&acl&X-Amz-Signature=viewers-own"
            .replace(' ', "%20")
            .as_str(),
    )
    .headers(&viewers)
    .header("Range", "bytes=0-1")
    .header("Cookie", format!("{}; other=viewers-own", site.session()));
    let response = site.ask(&request);
    assert!(response.text().contains(CONTENT));
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(response.header("x-amz-meta-owner"), None);
    let asked = endpoint.last();
    assert!(
        !asked.head.contains("viewers-own") && !asked.head.contains("eyJ"),
        "{}",
        asked.head
    );
    assert_eq!(asked.target(), format!("/{BUCKET}/a%20b.txt"));
    assert_eq!(asked.header("range"), Some("bytes=0-1"));
    assert_eq!(asked.header("host"), Some(endpoint.address.to_string().as_str()));
    assert!(
        asked
            .header("authorization")
            .unwrap()
            .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    );
    assert_eq!(asked.all("authorization").len(), 1);
    assert_eq!(asked.header("cookie"), None);
    assert_eq!(asked.header("x-forwarded-for"), None);
}

#[test]
fn a_bucket_is_only_read() {
    let (endpoint, site) = fake(|_| Answer::ok(CONTENT));
    let before = endpoint.asked().len();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "LIST"] {
        let request = Request::new(method, "/a.txt").header("Cookie", site.session());
        let response = site.ask(&request);
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), Some("GET, HEAD"), "{method}");
    }
    assert_eq!(endpoint.asked().len(), before, "the store was asked");
}

#[test]
fn a_site_may_lie_below_a_prefix_and_say_403_for_what_is_missing() {
    let store = store(&[
        ("site/a.txt", "inside"),
        ("b.txt", "outside"),
        ("site/docs/index.html", "docs"),
    ]);
    let mut settings = origin(&store);
    settings["prefix"] = json!("site/");
    settings["missing_status"] = json!(403);
    let site = Plan::bare()
        .origin(settings)
        .site("rewrite_trailing_slash_to_index", true)
        .start();
    let session = site.session();
    assert_eq!(site.get("/a.txt", &session).text(), "inside");
    assert_eq!(site.get("/docs/", &session).text(), "docs");
    assert_eq!(site.get("/b.txt", &session).status, 403);
    assert_eq!(site.get("/..%2Fb.txt", &session).status, 400);
}

#[test]
fn wrong_credentials_are_found_at_start_or_hidden_behind_our_page() {
    let store = store(&[("a.txt", "content")]);
    let mut settings = origin(&store);
    settings["secret_access_key"] = json!("a-wrong-one");
    let site = Plan::bare().origin(settings).start();
    let response = site.get("/a.txt", &site.session());
    assert!(matches!(response.status, 404 | 502), "{response:?}");
    assert!(!response.text().contains("Signature"), "{}", response.text());
}

/// S3 takes 8 KB of header fields and keys of 1,024 bytes; what is more than that, it would refuse in words of its own.
#[test]
fn what_the_store_would_refuse_for_its_length_is_not_asked() {
    let (endpoint, site) = fake(|_| Answer::ok(CONTENT));
    let session = site.session();
    let ask = |length: usize| {
        let request = Request::get("/a").header("Cookie", &*session);
        site.ask(&request.header("If-None-Match", format!("\"{}\"", "e".repeat(length))))
    };
    assert_eq!(ask(7000).status, 200);
    let sent = endpoint.last().head.len();
    assert!(sent < 8 * 1024, "{sent}");
    let asked = endpoint.asked().len();
    assert_eq!(ask(8100).status, 431);
    assert_eq!(site.get(&format!("/{}", "k".repeat(1025)), &session).status, 404);
    assert_eq!(endpoint.asked().len(), asked);
    assert_eq!(site.get(&format!("/{}", "k".repeat(1024)), &session).status, 200);
    let cookies = format!("{session}; other={}", "c".repeat(12_000));
    assert_eq!(
        site.get("/a", &cookies).status,
        200,
        "what never gets there does not count"
    );
}
