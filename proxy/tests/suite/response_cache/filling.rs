//! Answers on their way into the cache: shared, cut off, of unknown length, too large.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{plan, seen, shows, with};
use crate::support::{
    http::Request,
    origin::{Answer, Asked, Origin},
};

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
