//! Large bodies from the cache, which plain connections get from a copy that the kernel sends by itself: whoever asks
//! for whichever part, however slowly it is read, and whatever becomes of the entry meanwhile.

use std::net::TcpStream;

use serde_json::json;

use super::{purge::purge, shows_outcome, with};
use crate::{
    support::{
        certificates::{Certificate, client, connect},
        http::{Request, Response, Wire},
        origin::{Answer, Origin},
        runtime::wait,
        site::{HOST, Plan, Site},
    },
    tls::{ask, http2},
};

const LENGTH: usize = 200_000;
const BIG: usize = 6_000_000;

/// No two places are alike.
fn text(length: usize) -> String {
    let mut text: String = (0..=length / 8).map(|number| format!("{number:07}\n")).collect();
    text.truncate(length);
    text
}

/// `/big…` is big.
fn origin() -> Origin {
    Origin::start(|asked| {
        let length = if asked.target().starts_with("/big") {
            BIG
        } else {
            LENGTH
        };
        let fields = [("Cache-Control", "max-age=600"), ("ETag", "\"tag\"")];
        Answer::with("200 OK", &fields, &text(length))
    })
}

fn site() -> Site {
    with(&origin(), json!({})).start()
}

/// Copies that the process has.
fn copies(site: &Site) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", site.process.id())).unwrap();
    let names = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    names
        .filter(|name| name.to_string_lossy().contains("portcullis-body"))
        .count()
}

/// What a connection leaves behind goes when the proxy has seen its end.
#[track_caller]
fn comes_to_copies(site: &Site, count: usize) {
    let reached = (0..1000).any(|_| site.metric("portcullis_cache_entries") >= 0.0 && copies(site) == count);
    assert!(reached, "{} copies", copies(site));
}

fn get(site: &Site, target: &str) -> Request {
    Request::get(target).header("Cookie", site.session())
}

/// Has it fetched, and asked for so often that there is a copy.
fn kept(site: &Site, target: &str) -> Vec<u8> {
    let before = copies(site);
    for outcome in ["miss", "hit", "hit"] {
        shows_outcome(&site.ask(&get(site, target)), outcome);
    }
    assert_eq!(copies(site), before + 1, "{target}");
    text(if target.starts_with("/big") { BIG } else { LENGTH }).into_bytes()
}

#[track_caller]
fn is_part(response: &Response, expected: &[u8]) {
    shows_outcome(response, "hit");
    assert_eq!(response.header("content-length"), Some(&*expected.len().to_string()));
    assert!(
        response.body == expected,
        "{} bytes, of {}",
        response.body.len(),
        expected.len()
    );
}

/// A connection that takes little at a time.
fn slow(site: &Site) -> Wire<TcpStream> {
    let stream = TcpStream::connect(site.address()).unwrap();
    socket2::SockRef::from(&stream).set_recv_buffer_size(16 * 1024).unwrap();
    Wire::over(stream)
}

#[track_caller]
fn read_on(wire: &mut Wire<TcpStream>, got: &mut Vec<u8>, until: usize) {
    while got.len() < until {
        let part = wire.some(until - got.len());
        assert!(!part.is_empty(), "cut off at {}", got.len());
        got.extend(part);
    }
}

#[test]
fn a_copied_body_is_the_body_whole_and_in_parts_on_one_connection() {
    let site = site();
    let whole = kept(&site, "/a");
    let (mut wire, host) = (site.wire(), site.authority());
    for _ in 0..3 {
        is_part(&wire.send(&get(&site, "/a"), &host), &whole);
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=4090-4105", 4_090..4_106),
            ("bytes=1-99999", 1..100_000),
            ("bytes=65536-", 65_536..LENGTH),
            ("bytes=-70001", LENGTH - 70_001..LENGTH),
        ] {
            let response = wire.send(&get(&site, "/a").header("Range", range), &host);
            assert_eq!(response.status, 206, "{range}");
            is_part(&response, &whole[part]);
        }
        let head = wire.send(&Request::new("HEAD", "/a").header("Cookie", site.session()), &host);
        assert_eq!(head.header("content-length"), Some("200000"));
        let known = wire.send(&get(&site, "/a").header("If-None-Match", "\"tag\""), &host);
        assert_eq!(known.status, 304);
    }
    assert_eq!(copies(&site), 1);
    let events = site.process.messages(3, "request");
    assert!(events.iter().any(|event| event["bytes"] == LENGTH), "{events:?}");
}

#[test]
fn a_copied_body_is_whole_where_the_connection_ends_with_it() {
    let site = site();
    let whole = kept(&site, "/a");
    let (host, session) = (site.authority(), site.session());
    let old = format!("GET /a HTTP/1.0\r\nHost: {host}\r\nCookie: {session}\r\n\r\n");
    let mut wire = site.wire();
    wire.write(old.as_bytes());
    is_part(&wire.response("GET").unwrap(), &whole);
    assert!(wire.is_closed());
    is_part(&site.ask(&get(&site, "/a").header("Connection", "close")), &whole);
    assert_eq!(copies(&site), 1);
}

#[test]
fn slow_viewers_get_all_of_it_beside_fast_ones() {
    let site = site();
    let whole = kept(&site, "/big");
    let mut wires = [slow(&site), slow(&site)];
    let mut bodies = [Vec::new(), Vec::new()];
    for wire in &mut wires {
        wire.write(&get(&site, "/big").bytes(&site.authority()));
        assert_eq!(wire.head().unwrap().status, 200);
    }
    for until in (1..=6).map(|part| part * BIG / 6) {
        for (wire, body) in wires.iter_mut().zip(&mut bodies) {
            read_on(wire, body, until);
        }
        is_part(&site.ask(&get(&site, "/big")), &whole);
    }
    assert!(bodies.iter().all(|body| *body == whole));
    assert_eq!(copies(&site), 1);
}

#[test]
fn what_is_purged_while_it_is_sent_is_sent_to_its_end_and_then_given_back() {
    let site = site();
    let whole = kept(&site, "/big");
    let (mut wire, mut body) = (slow(&site), Vec::new());
    wire.write(&get(&site, "/big").bytes(&site.authority()));
    assert_eq!(wire.head().unwrap().status, 200);
    read_on(&mut wire, &mut body, 10_000);
    assert_eq!(purge(&site, "all=true").text(), "purged 1\n");
    assert_eq!(copies(&site), 1, "it is still being sent");
    // Another one under its name.
    shows_outcome(&site.ask(&get(&site, "/big")), "miss");
    read_on(&mut wire, &mut body, BIG);
    assert!(body == whole);
    comes_to_copies(&site, 0);
}

#[test]
fn a_viewer_who_leaves_leaves_no_copy_behind() {
    let site = site();
    kept(&site, "/big");
    let mut wire = slow(&site);
    wire.write(&get(&site, "/big").bytes(&site.authority()));
    assert_eq!(wire.head().unwrap().status, 200);
    assert_eq!(purge(&site, "all=true").text(), "purged 1\n");
    drop(wire);
    comes_to_copies(&site, 0);
}

#[test]
fn copies_count_as_kept_and_go_with_what_has_to_make_room() {
    let most = 8 << 20;
    let plan = with(&origin(), json!({ "max_object_bytes": "1MiB" }));
    let site = plan.top("cache", json!({ "max_bytes": "8MiB" })).start();
    shows_outcome(&site.ask(&get(&site, "/first")), "miss");
    let alone = site.metric("portcullis_cache_bytes");
    site.ask(&get(&site, "/first"));
    site.ask(&get(&site, "/first"));
    let with_copy = site.metric("portcullis_cache_bytes");
    assert_eq!((with_copy - alone, copies(&site)), (LENGTH as f64, 1));
    for number in 0..60 {
        let request = get(&site, &format!("/{number}"));
        for _ in 0..3 {
            site.ask(&request);
        }
        assert!(
            site.metric("portcullis_cache_bytes") <= f64::from(most),
            "after {number}"
        );
        assert!((copies(&site) * LENGTH) as u64 <= most as u64 / 4, "after {number}");
    }
    assert!(copies(&site) > 0);
}

/// The same entry: the scheme is part of the key, and a trusted proxy says it is https.
#[test]
fn a_copied_body_is_right_over_tls_and_http_2_as_well() {
    let origin = origin();
    let plan = with(&origin, json!({})).top("trusted_proxies", json!(["127.0.0.1/32"]));
    let certificate = Certificate::write(plan.folder(), HOST);
    let tls = json!([{ "cert": certificate.cert, "key": certificate.key }]);
    let listen = json!({ "http": ["127.0.0.1:0"], "https": ["127.0.0.1:0"], "tls": tls });
    let site = plan.top("listen", listen).start();
    let session = site.session();
    let request = get(&site, "/a").header("X-Forwarded-Proto", "https");
    for _ in 0..3 {
        assert_eq!(site.wire().send(&request, HOST).status, 200);
    }
    assert_eq!((copies(&site), origin.asked().len()), (1, 1));
    let address = site.https.unwrap();
    let mut wire = connect(address, HOST, &client(&[&certificate], &[b"http/1.1"]));
    for _ in 0..3 {
        is_part(&wire.send(&get(&site, "/a"), HOST), text(LENGTH).as_bytes());
    }
    wait(async {
        let sender = http2(address, &certificate).await;
        for _ in 0..3 {
            let request = http::Request::get(format!("https://{HOST}/a")).header("cookie", &session);
            let (status, _, body) = ask(&sender, request.body(()).unwrap()).await;
            assert!(status == 200 && body == text(LENGTH), "{status}, {} bytes", body.len());
        }
    });
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn no_copy_is_made_of_what_is_asked_for_once_or_is_small() {
    let origin = Origin::start(|_| Answer::with("200 OK", &[("Cache-Control", "max-age=600")], &text(60_000)));
    let plan: Plan = with(&origin, json!({}));
    let small = plan.start();
    let large = site();
    for _ in 0..4 {
        assert_eq!(small.ask(&get(&small, "/a")).body, text(60_000).as_bytes());
    }
    for _ in 0..2 {
        large.ask(&get(&large, "/a"));
    }
    assert_eq!((copies(&small), copies(&large)), (0, 0));
}
