//! What is kept of an origin's answers, for whom, and for how long. No test waits for time to pass: answers
//! come with an age, or are stale from the beginning.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dev_idp::Overrides;
use serde_json::{Value, json};

use crate::support::{
    http::{Request, Response},
    origin::{Answer, Asked, CONTENT, Origin},
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
fn parts_heads_and_conditions_are_answered_from_what_is_kept() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let whole = site.get("/a", &session);
    let ask = |method: &str, fields: &[(&str, &str)]| {
        site.ask(&Request::new(method, "/a").header("Cookie", &*session).headers(fields))
    };
    let part = ask("GET", &[("Range", "bytes=2-7")]);
    assert_eq!((part.status, part.text().as_str()), (206, "origin"));
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 2-7/{}", whole.body.len()).as_str())
    );
    assert_eq!(
        ask("GET", &[("Range", "bytes=-4")]).body,
        whole.body[whole.body.len() - 4..]
    );
    assert_eq!(ask("GET", &[("Range", "bytes=999-")]).status, 416);
    assert_eq!(
        ask("GET", &[("Range", "bytes=0-1"), ("If-Range", "\"old\"")]).status,
        200
    );
    assert_eq!(
        ask("GET", &[("Range", "bytes=0-1"), ("If-Range", "\"tag\"")]).status,
        206
    );
    let head = ask("HEAD", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(whole.body.len().to_string().as_str())
    );
    let unchanged = ask("GET", &[("If-None-Match", "W/\"tag\"")]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some("\"tag\""));
    assert_eq!(ask("GET", &[("If-None-Match", "\"other\"")]).status, 200);
    assert_eq!(ask("GET", &[("If-Match", "\"other\"")]).status, 412);
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn a_part_or_a_head_of_what_is_not_kept_is_the_origins_and_is_not_kept() {
    let origin = Origin::start(|asked| match (asked.method(), asked.header("range")) {
        (_, Some(_)) => Answer::with(
            "206 Partial Content",
            &[("Content-Range", "bytes 0-1/9"), ("Cache-Control", "max-age=600")],
            "pa",
        ),
        ("HEAD", _) => {
            Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nCache-Control: max-age=600\r\n\r\n".to_vec())
        }
        _ => Answer::with("200 OK", &[("Cache-Control", "max-age=600")], "part two."),
    });
    let site = plan(&origin).start();
    let session = site.session();
    let request = |method: &str| Request::new(method, "/a").header("Cookie", &*session);
    let part = site.ask(&request("GET").header("Range", "bytes=0-1"));
    assert_eq!((part.status, part.text().as_str()), (206, "pa"));
    assert_eq!(part.header("x-cache"), Some("bypass"));
    assert_eq!(site.ask(&request("HEAD")).header("x-cache"), Some("bypass"));
    let whole = site.get("/a", &session);
    assert_eq!((whole.status, whole.text().as_str()), (200, "part two."));
    assert_eq!(whole.header("x-cache"), Some("miss"));
}

#[test]
fn a_condition_on_what_is_not_kept_is_answered_while_all_of_it_is_fetched() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("If-None-Match", "\"tag\"");
    assert_eq!(site.ask(&request).status, 304);
    assert_eq!(origin.last().header("if-none-match"), None);
    shows(&site.get("/a", &session), "hit", "1");
}

#[test]
fn what_is_stale_is_revalidated_and_kept_if_nothing_has_changed() {
    let origin = Origin::start(|asked| match asked.header("if-none-match") {
        Some("\"tag\"") => {
            Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\nCache-Control: max-age=600\r\n\r\n".to_vec())
        }
        _ => Answer::with(
            "200 OK",
            &[
                ("Cache-Control", "no-cache"),
                ("ETag", "\"tag\""),
                ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ("Date", "Sun, 06 Nov 1994 09:00:00 GMT"),
            ],
            "1 body",
        ),
    });
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    shows(&site.get("/a", &session), "revalidated", "1");
    assert_eq!(
        origin.last().header("if-modified-since"),
        Some("Sun, 06 Nov 1994 08:49:37 GMT")
    );
    shows(&site.get("/a", &session), "hit", "1");
    assert_eq!(origin.asked().len(), 2);
}

#[test]
fn what_has_changed_takes_the_place_of_what_was_kept() {
    let origin = numbered(&[("Cache-Control", "max-age=10"), ("Age", "20"), ("ETag", "\"tag\"")]);
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    shows(&site.get("/a", &session), "expired", "2");
    assert_eq!(origin.last().header("if-none-match"), Some("\"tag\""));
}

#[test]
fn an_age_from_before_counts() {
    let origin = numbered(&[("Cache-Control", "max-age=600"), ("Age", "500")]);
    let site = plan(&origin).start();
    let session = site.session();
    site.get("/a", &session);
    let age: u64 = site.get("/a", &session).header("age").unwrap().parse().unwrap();
    assert!((500..600).contains(&age), "{age}");
}

#[test]
fn a_stale_answer_is_given_while_a_new_one_is_fetched_behind_it() {
    let count = AtomicUsize::new(0);
    let origin = Origin::start(move |asked| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let control = ("Cache-Control", "max-age=10, stale-while-revalidate=600");
        if first {
            Answer::with("200 OK", &[control, ("Age", "20"), ("ETag", "\"1\"")], "1 old")
        } else {
            assert_eq!(asked.header("cookie"), None);
            Answer::with("200 OK", &[control, ("ETag", "\"2\"")], "2 new")
        }
    });
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    let stale = site.get("/a", &session);
    shows(&stale, "stale", "1");
    assert!(stale.header("age").unwrap().parse::<u64>().unwrap() >= 20);
    origin.wait_for(2);
    let asked = origin.last();
    assert_eq!((asked.method(), asked.header("if-none-match")), ("GET", Some("\"1\"")));
    // It is kept a moment after it was asked for.
    let mut latest = site.get("/a", &session);
    for _ in 0..500 {
        if latest.header("x-cache") == Some("hit") {
            break;
        }
        latest = site.get("/a", &session);
    }
    shows(&latest, "hit", "2");
    assert_eq!(origin.asked().len(), 2, "one at a time");
}

#[test]
fn a_part_of_a_stale_answer_has_all_of_it_revalidated() {
    let origin = numbered(&[
        ("Cache-Control", "max-age=10, stale-while-revalidate=600"),
        ("Age", "20"),
        ("ETag", "\"tag\""),
    ]);
    let site = plan(&origin).start();
    let session = site.session();
    site.get("/a", &session);
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("Range", "bytes=2-7");
    let part = site.ask(&request);
    assert_eq!(
        (part.status, part.text().as_str(), part.header("x-cache")),
        (206, "origin", Some("stale"))
    );
    origin.wait_for(2);
    assert_eq!(origin.last().header("range"), None);
}

#[test]
fn a_stale_answer_stands_in_for_an_origin_that_fails() {
    for failure in [
        Answer::with("503 Service Unavailable", &[], "overloaded"),
        Answer::Last(Vec::new()),
    ] {
        let failing = failure.clone();
        let count = AtomicUsize::new(0);
        let origin = Origin::start(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) > 0 {
                return failing.clone();
            }
            let fields = [("Cache-Control", "max-age=10"), ("Age", "20"), ("ETag", "\"tag\"")];
            Answer::with("200 OK", &fields, "1 body")
        });
        let site = with(&origin, json!({ "stale_if_error": "1h" })).start();
        let session = site.session();
        shows(&site.get("/a", &session), "miss", "1");
        let stale = site.get("/a", &session);
        assert_eq!(stale.status, 200, "{failure:?}: {stale:?}");
        shows(&stale, "stale", "1");
    }
}

#[test]
fn an_origin_that_fails_is_not_covered_for_where_it_forbids_it() {
    let count = AtomicUsize::new(0);
    let origin = Origin::start(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) > 0 {
            return Answer::Last(Vec::new());
        }
        let fields = [
            ("Cache-Control", "max-age=10, must-revalidate"),
            ("Age", "20"),
            ("ETag", "\"tag\""),
        ];
        Answer::with("200 OK", &fields, "1 body")
    });
    let site = with(&origin, json!({ "stale_if_error": "1h" })).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    assert_eq!(site.get("/a", &session).status, 502);
}

#[test]
fn many_who_want_the_same_read_along_while_it_is_fetched_once() {
    const PART: usize = 200_000;
    let length = 2 * PART;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nCache-Control: max-age=600\r\n\r\n");
    let first = [head.into_bytes(), vec![b'1'; PART]].concat();
    let origin = Origin::start(move |_| Answer::Held(first.clone(), vec![b'2'; PART]));
    let site = plan(&origin).start();
    let session = site.session();
    let request = Request::get("/a").header("Cookie", &*session);
    let mut wires: Vec<_> = (0..6).map(|_| site.wire()).collect();
    for wire in &mut wires {
        wire.write(&request.bytes(&site.authority()));
    }
    let mut bodies = vec![Vec::new(); wires.len()];
    for (wire, body) in wires.iter_mut().zip(&mut bodies) {
        // Everybody has most of the first part before the second exists.
        assert_eq!(wire.head().unwrap().status, 200);
        while body.len() < PART / 2 {
            body.extend(wire.some(PART));
        }
    }
    origin.release();
    for (wire, body) in wires.iter_mut().zip(&mut bodies) {
        while body.len() < length {
            body.extend(wire.some(length));
        }
        assert!(body[..PART].iter().all(|&byte| byte == b'1') && body[PART..].iter().all(|&byte| byte == b'2'));
    }
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn a_body_that_breaks_off_is_cut_for_all_and_not_kept() {
    let count = AtomicUsize::new(0);
    let origin = Origin::start(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            Answer::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=600\r\n\r\nhalf".to_vec())
        } else {
            Answer::with("200 OK", &[("Cache-Control", "max-age=600")], "2 whole")
        }
    });
    let site = plan(&origin).start();
    let session = site.session();
    let mut wire = site.wire();
    wire.write(&Request::get("/a").header("Cookie", &*session).bytes(&site.authority()));
    // Either nothing at all or a body that is cut: never one that looks whole.
    if let Some(head) = wire.head().filter(|head| head.status == 200) {
        assert_eq!(head.header("content-length"), Some("100"));
        let mut body = Vec::new();
        while body.len() < 100 {
            let some = wire.some(100);
            if some.is_empty() {
                break;
            }
            body.extend(some);
        }
        assert!(body.len() < 100);
    }
    shows(&site.get("/a", &session), "miss", "2");
}

fn chunked(asked: &Asked) -> Answer {
    let body = if asked.target() == "/large" {
        "x".repeat(50_000)
    } else {
        "1 small".to_owned()
    };
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=600\r\n\r\n";
    Answer::Bytes(format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes())
}

#[test]
fn a_body_of_unknown_length_is_kept_from_the_second_time_if_it_is_small_enough() {
    let origin = Origin::start(chunked);
    let site = with(&origin, json!({ "max_object_bytes": "10KiB" })).start();
    let session = site.session();
    let outcomes = |target: &str| -> Vec<String> { (0..4).map(|_| seen(&site.get(target, &session)).0).collect() };
    assert_eq!(outcomes("/small"), ["bypass", "miss", "hit", "hit"]);
    let hit = site.get("/small", &session);
    assert_eq!(
        (hit.text().as_str(), hit.header("content-length")),
        ("1 small", Some("7"))
    );
    for _ in 0..4 {
        let large = site.get("/large", &session);
        assert_eq!(large.body.len(), 50_000);
        assert_ne!(large.header("x-cache"), Some("hit"));
    }
}

#[test]
fn a_body_that_is_too_large_passes_without_being_kept() {
    let origin = Origin::start(|_| Answer::with("200 OK", &[("Cache-Control", "max-age=600")], &"x".repeat(20_000)));
    let site = with(&origin, json!({ "max_object_bytes": "10KiB" })).start();
    let session = site.session();
    for _ in 0..3 {
        let response = site.get("/a", &session);
        assert_eq!(
            (response.body.len(), response.header("x-cache")),
            (20_000, Some("bypass"))
        );
    }
    assert_eq!(site.metric("portcullis_cache_entries"), 0.0);
}

#[test]
fn variants_are_kept_side_by_side() {
    let count = AtomicUsize::new(0);
    let origin = Origin::start(move |asked| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let language = asked.header("accept-language").unwrap_or("none");
        let fields = [("Cache-Control", "max-age=600"), ("Vary", "Accept-Language")];
        Answer::with("200 OK", &fields, &format!("{number} {language}"))
    });
    let site = plan(&origin).start();
    let session = site.session();
    let ask = |language: &str| {
        site.ask(
            &Request::get("/a")
                .header("Cookie", &*session)
                .header("Accept-Language", language),
        )
    };
    for (language, outcome, number) in [
        ("de", "miss", "1"),
        ("en", "miss", "2"),
        ("de", "hit", "1"),
        ("en", "hit", "2"),
        ("fr", "miss", "3"),
        ("de", "hit", "1"),
    ] {
        let response = ask(language);
        shows(&response, outcome, number);
        assert!(response.text().ends_with(language));
    }
}

#[test]
fn compressed_variants_are_kept_compressed() {
    let body = format!("<p>{CONTENT}</p>").repeat(400);
    let expected = body.clone();
    let origin = Origin::start(move |_| {
        let fields = [
            ("Cache-Control", "max-age=600"),
            ("Content-Type", "text/html"),
            ("ETag", "\"tag\""),
        ];
        Answer::with("200 OK", &fields, &body)
    });
    let site = plan(&origin).site("compress", true).start();
    let session = site.session();
    let ask = |encodings: &str| {
        let request = Request::get("/a").header("Cookie", &*session);
        site.ask(&request.header("Accept-Encoding", encodings))
    };
    for (encodings, outcome, encoding) in [
        ("gzip", "miss", Some("gzip")),
        ("gzip, deflate", "hit", Some("gzip")),
        ("br, gzip", "miss", Some("br")),
        ("identity", "miss", None),
        ("gzip;q=0", "hit", None),
        ("br;q=0.1", "hit", Some("br")),
    ] {
        let response = ask(encodings);
        assert_eq!(response.header("x-cache"), Some(outcome), "{encodings}");
        assert_eq!(response.header("content-encoding"), encoding, "{encodings}");
        assert_eq!(response.all("vary"), ["Accept-Encoding"]);
        if outcome == "hit" {
            assert_eq!(
                response.header("content-length"),
                Some(response.body.len().to_string().as_str())
            );
        }
    }
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*ask("gzip").body), &mut plain).unwrap();
    assert!(plain == expected);
    assert_eq!(origin.asked().len(), 3);
    assert_eq!(origin.last().header("accept-encoding"), Some("identity"));
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("Accept-Encoding", "br");
    let part = site.ask(&request.clone().header("Range", "bytes=3-9"));
    assert_eq!((part.status, part.text().as_str()), (206, &expected[3..10]));
    assert_eq!(part.header("etag"), Some("\"tag\""));
    assert_eq!(site.ask(&request.header("If-None-Match", "W/\"tag\"")).status, 304);
}

#[test]
fn a_compressed_variant_keeps_its_weak_tag_when_it_is_revalidated() {
    let origin = Origin::start(|asked| {
        if asked.header("if-none-match").is_some() {
            return Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\n\r\n".to_vec());
        }
        let fields = [
            ("Cache-Control", "no-cache"),
            ("Content-Type", "text/html"),
            ("ETag", "\"tag\""),
        ];
        Answer::with("200 OK", &fields, &"<p>".repeat(1000))
    });
    let site = plan(&origin).site("compress", true).start();
    let request = Request::get("/a")
        .header("Cookie", site.session())
        .header("Accept-Encoding", "gzip");
    site.ask(&request);
    for _ in 0..2 {
        let response = site.ask(&request);
        assert_eq!(response.header("x-cache"), Some("revalidated"));
        assert_eq!(response.header("content-encoding"), Some("gzip"));
        assert_eq!(response.header("etag"), Some("W/\"tag\""));
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
fn other_methods_reach_the_origin_each_time() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    let post = Request::new("POST", "/a")
        .header("Cookie", format!("theme=dark; {session}"))
        .body("x=1");
    shows(&site.ask(&post), "bypass", "2");
    assert_eq!(origin.last().header("cookie"), Some("theme=dark"));
    shows(&site.get("/a", &session), "hit", "1");
}

/// T-SMUG-1: the body of a request that is answered from the cache is not taken for a request.
#[test]
fn the_body_of_a_request_that_is_answered_from_the_cache_is_not_a_request() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    shows(&site.get("/b", &session), "miss", "2");
    let smuggled = format!(
        "GET /smuggled HTTP/1.1\r\nHost: {}\r\nCookie: {session}\r\n\r\n",
        site.authority()
    );
    let framings = [
        format!("Content-Length: {}\r\n\r\n{smuggled}", smuggled.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n",
            smuggled.len()
        ),
    ];
    for framing in framings {
        let mut wire = site.wire();
        let head = format!("GET /a HTTP/1.1\r\nHost: {}\r\nCookie: {session}\r\n", site.authority());
        wire.write(format!("{head}{framing}").as_bytes());
        shows(&wire.response("GET").unwrap(), "hit", "1");
        // What follows is the answer to the next request, or the end.
        wire.write(&Request::get("/b").header("Cookie", &*session).bytes(&site.authority()));
        if let Some(next) = wire.response("GET") {
            shows(&next, "hit", "2");
        }
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/smuggled"));
}

#[test]
fn a_body_on_its_way_does_not_make_an_answer_for_others() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let request = Request::get("/a").header("Cookie", &*session).body("poison");
    shows(&site.ask(&request), "bypass", "1");
    shows(&site.get("/a", &session), "miss", "2");
}

fn purge(site: &Site, query: &str) -> Response {
    let request = Request::new("POST", &format!("/purge?{query}"));
    crate::support::http::exchange(site.admin.unwrap(), "admin", &request)
}

#[test]
fn operators_purge_by_path_prefix_or_everything() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let fill = || {
        for target in ["/a/1", "/a/2?x=1", "/b c"] {
            site.get(&target.replace(' ', "%20"), &session);
        }
    };
    let outcome = |target: &str| seen(&site.get(target, &session)).0;
    fill();
    assert_eq!(purge(&site, "site=app&path=/a/2").text(), "purged 1\n");
    assert_eq!((outcome("/a/1"), outcome("/a/2?x=1")), ("hit".into(), "miss".into()));
    assert_eq!(purge(&site, "site=app&prefix=/a/").text(), "purged 2\n");
    assert_eq!(purge(&site, "site=other&all=true").text(), "purged 0\n");
    assert_eq!(purge(&site, "path=/b%20c").text(), "purged 1\n");
    assert_eq!(outcome("/b%20c"), "miss");
    fill();
    assert_eq!(purge(&site, "all=true").text(), "purged 3\n");
    assert_eq!(site.metric("portcullis_cache_entries"), 0.0);
    assert_eq!(purge(&site, "").status, 400);
    assert_eq!(site.admin("/purge?all=true").status, 405);
}

#[test]
fn viewers_cannot_purge() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    site.get("/a", &session);
    for method in ["POST", "PURGE", "GET"] {
        let request = Request::new(method, "/purge?all=true").header("Cookie", &*session);
        site.ask(&request);
    }
    assert_eq!(seen(&site.get("/a", &session)).0, "hit");
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
