//! Large bodies between two plain connections, which do not come up to the proxy (Linux).

use std::{net::TcpStream, thread};

use serde_json::json;

use crate::support::{
    http::{Request, Wire},
    origin::{Answer, Asked, Origin},
    site::{Plan, Site},
};

/// No two places of it look alike.
fn body(length: usize, seed: u32) -> Vec<u8> {
    let words = (0..length.div_ceil(4)).map(|at| (at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed));
    let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn asks(asked: &Asked) -> (usize, u32) {
    let mut parts = asked
        .target()
        .trim_start_matches('/')
        .split('-')
        .map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap() as u32)
}

fn request(site: &Site, target: &str) -> Request {
    Request::get(target).header("Cookie", site.session())
}

/// A response of which the header has come.
fn begun(site: &Site) -> Wire<TcpStream> {
    let mut wire = site.wire();
    wire.write(&request(site, "/").bytes(&site.authority()));
    assert_eq!(wire.head().unwrap().status, 200);
    wire
}

/// Nothing but a beginning of `body(400_000, 1)`, shorter than that.
fn assert_beginning(got: &[u8], most: usize) {
    assert!(got.len() < most, "{}", got.len());
    assert!(
        body(400_000, 1).starts_with(got),
        "{} bytes, others than sent",
        got.len()
    );
}

#[test]
fn they_arrive_byte_for_byte_one_after_the_other_on_one_connection_each() {
    let origin = Origin::start(|asked| {
        let (length, seed) = asks(asked);
        Answer::Bytes(answer(&body(length, seed)))
    });
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    for (length, seed) in [
        (32_768, 1),
        (100_000, 2),
        (5_000_000, 3),
        (10, 4),
        (65_536, 5),
        (0, 6),
        (262_145, 7),
    ] {
        let response = wire.send(&request(&site, &format!("/{length}-{seed}")), &site.authority());
        assert_eq!(response.status, 200, "{length}");
        assert!(response.body == body(length, seed), "{length}");
    }
    assert_eq!(origin.connections(), 1);
    let sent = site.metric("portcullis_response_bytes_total{site=\"app\"}");
    assert_eq!(sent, 5_460_459.0);
}

#[test]
fn many_at_once_do_not_get_mixed_up() {
    let origin = Origin::start(|asked| {
        let (length, seed) = asks(asked);
        Answer::Bytes(answer(&body(length, seed)))
    });
    let site = Plan::custom(&origin).start();
    let session = site.session();
    thread::scope(|scope| {
        for seed in 0..8 {
            let (site, session) = (&site, &session);
            scope.spawn(move || {
                let mut wire = site.wire();
                for round in 0..10 {
                    let seed = seed * 100 + round;
                    let request = Request::get(&format!("/300000-{seed}")).header("Cookie", session);
                    assert!(wire.send(&request, &site.authority()).body == body(300_000, seed));
                }
            });
        }
    });
}

#[test]
fn a_body_that_ends_too_early_is_cut_off_and_nothing_is_made_up() {
    let whole = answer(&body(400_000, 1));
    let cut = whole[..250_000].to_vec();
    let origin = Origin::start(move |_| Answer::Last(cut.clone()));
    let site = Plan::custom(&origin).start();
    let mut wire = begun(&site);
    assert_beginning(&wire.rest(), 250_000);
}

#[test]
fn an_origin_that_stops_in_the_middle_is_not_waited_for() {
    let whole = answer(&body(400_000, 1));
    let (first, more) = whole.split_at(200_000);
    let (first, more) = (first.to_vec(), more.to_vec());
    let origin = Origin::start(move |_| Answer::Held(first.clone(), more.clone()));
    let settings = json!({ "kind": "custom", "url": origin.url(), "read_timeout": "300ms" });
    let site = Plan::bare().origin(settings).start();
    let mut wire = begun(&site);
    assert_beginning(&wire.rest(), 200_000);
    let event = site.process.message("the origin failed");
    assert_eq!(event["kind"], "ReadTimedout", "{event}");
}

#[test]
fn a_viewer_who_leaves_ends_it_at_the_origin_and_one_who_stays_gets_everything() {
    let origin = Origin::start(|_| Answer::Stream(64 << 20));
    let site = Plan::custom(&origin).start();
    drop(begun(&site));
    origin.wait_for_closed(1);
    let mut staying = begun(&site);
    let mut got = 0;
    while got < 64 << 20 {
        let part = staying.some(1 << 20);
        assert!(!part.is_empty() && part.iter().all(|&byte| byte == b'x'), "at {got}");
        got += part.len();
    }
}
