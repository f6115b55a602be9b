//! Answers that are too old: revalidated, replaced, or given all the same for a while.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{numbered, plan, shows, with};
use crate::support::{
    http::Request,
    origin::{Answer, Origin},
};

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
