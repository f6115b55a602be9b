//! What is kept of an origin's answers, for whom, and for how long. No test waits for time to pass: answers
//! come with an age, or are stale from the beginning.

mod filling;
#[cfg(target_os = "linux")]
mod large;
mod purge;
mod requests;
mod staleness;
mod variants;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dev_idp::Overrides;
use serde_json::{Value, json};

use crate::support::{
    http::{Request, Response},
    origin::{Answer, CONTENT, Origin},
    site::{ALICE, Plan, Site},
};

fn plan(origin: &Origin) -> Plan {
    with(origin, json!({}))
}

fn with(origin: &Origin, more: Value) -> Plan {
    let mut cache = json!({ "enabled": true, "default_ttl": "0s" });
    for (key, value) in more.as_object().unwrap() {
        cache[key] = value.clone();
    }
    Plan::custom(origin).site("cache", cache)
}

/// An origin that says so about every answer, and numbers them: `1 origin-content…`.
fn numbered(fields: &'static [(&'static str, &'static str)]) -> Origin {
    let count = AtomicUsize::new(0);
    Origin::start(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        Answer::with("200 OK", fields, &format!("{number} {CONTENT}"))
    })
}

fn fresh() -> Origin {
    numbered(&[
        ("Cache-Control", "max-age=600"),
        ("ETag", "\"tag\""),
        ("Content-Type", "text/plain"),
    ])
}

/// What the cache did, and the answer's number.
fn seen(response: &Response) -> (String, String) {
    let text = response.text();
    let number = text.split(' ').next().unwrap_or_default().to_owned();
    (response.header("x-cache").unwrap_or("-").to_owned(), number)
}

/// A request is counted when it has ended, which is after its answer has been read.
#[track_caller]
fn comes_to(site: &Site, metric: &str, value: f64) {
    let reached = (0..1000).any(|_| site.metric(metric) == value);
    assert!(reached, "{metric} is {}", site.metric(metric));
}

#[track_caller]
fn shows_outcome(response: &Response, outcome: &str) {
    assert_eq!(response.header("x-cache"), Some(outcome), "{:?}", response.headers);
}

#[track_caller]
fn shows(response: &Response, outcome: &str, number: &str) {
    assert_eq!(seen(response), (outcome.to_owned(), number.to_owned()), "{response:?}");
}

#[test]
fn a_fresh_answer_is_given_again_without_the_origin() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let first = site.get("/a", &session);
    shows(&first, "miss", "1");
    for _ in 0..3 {
        let again = site.get("/a", &session);
        shows(&again, "hit", "1");
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("content-type"), Some("text/plain"));
        assert!(again.header("age").unwrap().parse::<u64>().unwrap() < 100);
        assert_eq!(again.header("strict-transport-security"), Some("max-age=31536000"));
        assert!(again.header("x-request-id").is_some());
    }
    assert_eq!(origin.asked().len(), 1);
    comes_to(&site, "portcullis_cache_total{result=\"hit\",site=\"app\"}", 3.0);
    comes_to(&site, "portcullis_cache_total{result=\"miss\",site=\"app\"}", 1.0);
    comes_to(&site, "portcullis_cache_entries", 1.0);
    assert!(site.metric("portcullis_cache_bytes") > 100.0);
}

#[test]
fn without_a_cache_nothing_is_kept_or_said_of_it() {
    let origin = fresh();
    let site = Plan::custom(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "-", "1");
    shows(&site.get("/a", &session), "-", "2");
    assert!(!site.admin("/metrics").text().contains("portcullis_cache_"));
}

/// T-CACHE-1
#[test]
fn other_hosts_paths_and_queries_are_other_answers() {
    let origin = fresh();
    let site = plan(&origin)
        .site("hosts", json!(["app.localhost", "other.localhost"]))
        .start();
    let session = site.session();
    let port = site.address().port();
    let mut number = 0;
    for target in ["/a", "/A", "/a/", "/a?", "/a?x=1", "/a?x=2", "/a?x=1&y=2", "/a%3Fx=1"] {
        let response = site.get(target, &session);
        if target == "/a?" {
            // An empty query is none.
            shows(&response, "hit", "1");
            continue;
        }
        number += 1;
        shows(&response, "miss", &number.to_string());
    }
    let other = |host: &str| {
        let request = Request::get("/a").header("Cookie", &*session);
        let mut wire = site.wire();
        wire.send(&request, host)
    };
    assert_eq!(seen(&other(&format!("other.localhost:{port}"))).0, "miss");
    assert_eq!(seen(&other("app.localhost")).0, "miss");
    assert_eq!(seen(&other(&format!("APP.localhost:{port}"))).0, "hit");
}

/// T-CACHE-1: over TLS an answer can be another one.
#[test]
fn the_scheme_is_part_of_the_key() {
    let origin = fresh();
    let site = plan(&origin).top("trusted_proxies", json!(["127.0.0.1/32"])).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("X-Forwarded-Proto", "https");
    shows(&site.ask(&request), "miss", "2");
    shows(&site.get("/a", &session), "hit", "1");
}

#[test]
fn a_query_that_means_nothing_reaches_neither_the_key_nor_the_origin() {
    let origin = fresh();
    let site = with(&origin, json!({ "query": "none" })).start();
    let session = site.session();
    shows(&site.get("/a?utm=1", &session), "miss", "1");
    shows(&site.get("/a?utm=2", &session), "hit", "1");
    assert_eq!(origin.last().target(), "/a");
}

/// T-CACHE-2: what is one viewer's is not in the request, and an answer with a cookie is not kept.
#[test]
fn the_origin_is_asked_without_what_is_one_viewers() {
    let origin = fresh();
    let site = plan(&origin).start();
    let request = Request::get("/a")
        .header("Cookie", format!("theme=dark; {}", site.session()))
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Poison", "1")
        .header("Accept-Language", "de")
        .header("User-Agent", "test");
    shows(&site.ask(&request), "miss", "1");
    let asked = origin.last();
    for name in [
        "cookie",
        "x-poison",
        "x-portcullis-user",
        "x-portcullis-email",
        "x-portcullis-groups",
    ] {
        assert_eq!(asked.header(name), None, "{}", asked.head);
    }
    assert_eq!(asked.header("accept-language"), Some("de"));
    assert_eq!(asked.header("user-agent"), Some("test"));
    assert_eq!(asked.header("x-forwarded-host"), Some(site.authority().as_str()));
}

/// T-CACHE-2
#[test]
fn answers_for_one_viewer_are_not_kept() {
    for fields in [
        &[("Set-Cookie", "a=b"), ("Cache-Control", "public, max-age=600")][..],
        &[("Cache-Control", "private, max-age=600")],
        &[("Cache-Control", "no-store")],
        &[("Cache-Control", "max-age=600"), ("Vary", "*")],
        &[("Cache-Control", "max-age=600"), ("Vary", "Cookie")],
    ] {
        let origin = numbered(fields);
        let site = with(&origin, json!({ "min_ttl": "1h", "default_ttl": "1h" })).start();
        let session = site.session();
        for number in ["1", "2", "3"] {
            shows(&site.get("/a", &session), "bypass", number);
        }
        assert_eq!(site.metric("portcullis_cache_entries"), 0.0, "{fields:?}");
    }
}

/// T-CACHE-2
#[test]
fn what_was_asked_for_with_authorization_is_kept_only_with_leave() {
    for (control, second) in [("max-age=600", "bypass"), ("max-age=600, public", "hit")] {
        let origin = Origin::start(move |_| Answer::with("200 OK", &[("Cache-Control", control)], CONTENT));
        let site = plan(&origin).start();
        let request = Request::get("/a")
            .header("Cookie", site.session())
            .header("Authorization", "Basic YTpi");
        site.ask(&request);
        assert_eq!(origin.last().header("authorization"), Some("Basic YTpi"));
        assert_eq!(seen(&site.ask(&request)).0, second, "{control}");
    }
}

/// T-CACHE-2: cookies of a viewer whose session is being refreshed are in no answer for others.
#[test]
fn cookies_of_a_session_are_not_in_what_is_kept() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let expired = site.session_with(ALICE.0, &Overrides::expired());
    for target in ["/a", "/b"] {
        let refreshed = site.get(target, &expired);
        assert!(!refreshed.names_of_set_cookies().is_empty(), "{refreshed:?}");
        for _ in 0..2 {
            assert!(site.get(target, &session).all("set-cookie").is_empty());
        }
        assert_eq!(seen(&site.get(target, &session)).0, "hit");
    }
}

/// T-CACHE-3, T-LEAK-1
#[test]
fn nobody_gets_a_fresh_or_stale_answer_without_a_session() {
    for control in [
        "max-age=600",
        "max-age=10, stale-while-revalidate=600, stale-if-error=600",
    ] {
        let origin = Origin::start(move |_| {
            let fields = [("Cache-Control", control), ("Age", "20"), ("ETag", "\"tag\"")];
            Answer::with("200 OK", &fields, CONTENT)
        });
        let site = plan(&origin).start();
        site.get("/a", &site.session());
        let forged = site
            .session_with(ALICE.0, &Overrides::none())
            .replace("idToken=ey", "idToken=ex");
        for session in ["", "a=b", forged.as_str()] {
            for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                for field in [
                    ("Accept", "text/html"),
                    ("Range", "bytes=0-3"),
                    ("If-None-Match", "\"tag\""),
                    ("If-None-Match", "*"),
                ] {
                    let request = Request::new(method, "/a").header("Cookie", session).headers(&[field]);
                    let response = site.ask(&request);
                    assert!(!response.text().contains(CONTENT), "{method} {field:?}");
                    assert!(
                        !matches!(response.status, 200 | 206 | 304),
                        "{method} {field:?}: {response:?}"
                    );
                    assert_eq!(response.header("x-cache"), None);
                    assert_eq!(response.header("etag"), None);
                }
            }
        }
        assert_eq!(origin.asked().len(), 1, "nor is anything fetched");
    }
}

#[test]
fn what_is_missing_is_remembered_for_the_error_ttl_if_there_is_one() {
    for (ttl, second) in [("0s", "bypass"), ("1h", "hit")] {
        let origin = Origin::start(|_| Answer::with("404 Not Found", &[], "no such page"));
        let site = with(&origin, json!({ "error_ttl": ttl })).start();
        let session = site.session();
        for expected in [if second == "hit" { "miss" } else { "bypass" }, second] {
            let response = site.get("/a", &session);
            assert_eq!(
                (response.status, response.header("x-cache")),
                (404, Some(expected)),
                "{ttl}"
            );
            assert_eq!(response.text(), "no such page");
        }
    }
}

#[test]
fn behaviours_have_caches_of_their_own() {
    let origin = fresh();
    let site = Plan::custom(&origin)
        .site(
            "behaviours",
            json!([{ "path": "/assets/*", "cache": { "enabled": true } }]),
        )
        .start();
    let session = site.session();
    shows(&site.get("/assets/a", &session), "miss", "1");
    shows(&site.get("/assets/a", &session), "hit", "1");
    shows(&site.get("/page", &session), "-", "2");
}

#[test]
fn a_bucket_is_kept_for_the_default_ttl() {
    let count = Arc::new(AtomicUsize::new(0));
    let (origin, site) = {
        let count = Arc::clone(&count);
        let endpoint = Origin::start(move |asked| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            if asked.target().ends_with("/missing") {
                return Answer::with("404 Not Found", &[], "<Error><Code>NoSuchKey</Code></Error>");
            }
            Answer::with(
                "200 OK",
                &[("ETag", "\"e\""), ("x-amz-request-id", "r")],
                &format!("{number} {CONTENT}"),
            )
        });
        let settings = json!({
            "kind": "s3", "bucket": "b", "region": "us-east-1", "endpoint": endpoint.url(), "path_style": true,
            "access_key_id": "AKIDEXAMPLE", "secret_access_key": "not-so-secret-in-a-test",
        });
        let plan = Plan::bare().origin(settings);
        let cache = json!({ "enabled": true, "default_ttl": "1h", "error_ttl": "1m" });
        (endpoint, plan.site("cache", cache).start())
    };
    let session = site.session();
    let before = origin.asked().len();
    assert_eq!(seen(&site.get("/x", &session)).0, "miss");
    let hit = site.get("/x", &session);
    assert_eq!(hit.header("x-cache"), Some("hit"));
    assert_eq!(hit.header("x-amz-request-id"), None);
    for expected in ["miss", "hit"] {
        let missing = site.get("/missing", &session);
        assert_eq!((missing.status, missing.header("x-cache")), (404, Some(expected)));
        assert!(!missing.text().contains("NoSuchKey"));
        assert_eq!(
            missing.header("cache-control"),
            Some("no-store"),
            "our page is for nobody to keep"
        );
    }
    assert_eq!(origin.asked().len() - before, 2);
}
