//! The end: SIGTERM lets requests finish, SIGINT does not wait.

use serde_json::json;

use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
    process::Signal,
    site::{Plan, Site},
};

/// Of the held answer; more than is put off until there is more to send.
const LENGTH: usize = 200_000;

/// A site whose origin sends half of an answer and waits.
fn held() -> (Origin, Site) {
    let origin = Origin::start(|asked| match asked.target() {
        "/held" => Answer::Held(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n{}",
                "1".repeat(LENGTH / 2)
            )
            .into_bytes(),
            "2".repeat(LENGTH / 2).into_bytes(),
        ),
        _ => Answer::ok(CONTENT),
    });
    let site = Plan::custom(&origin).start();
    (origin, site)
}

#[test]
fn sigterm_finishes_the_download_in_flight_and_takes_nothing_new() {
    let (origin, mut site) = held();
    let host = site.authority();
    let mut idle = site.wire();
    let session = site.session();
    assert_eq!(
        idle.send(&Request::get("/").header("Cookie", &*session), &host).text(),
        CONTENT
    );
    let mut wire = site.wire();
    wire.write(&Request::get("/held").header("Cookie", &*session).bytes(&host));
    origin.wait_for(2);
    assert_eq!(
        wire.head().map(|head| head.status),
        Some(200),
        "{}",
        site.process.output()
    );

    site.process.signal(Signal::Terminate);
    site.process.message("SIGTERM: draining");
    assert!(idle.is_closed(), "an idle connection is closed at once");
    assert_eq!(site.admin("/readyz").status, 503);
    assert_eq!(site.admin("/livez").status, 200);
    assert_eq!(site.metric("portcullis_draining"), 1.0);
    // The listener is closed by its own task, soon after.
    while std::net::TcpStream::connect(site.address()).is_ok() {
        std::thread::yield_now();
    }

    origin.release();
    let mut body = Vec::new();
    while body.len() < LENGTH {
        let part = wire.some(LENGTH);
        assert!(!part.is_empty(), "cut off at {}", body.len());
        body.extend(part);
    }
    let (first, second) = body.split_at(LENGTH / 2);
    assert!(first.iter().all(|byte| *byte == b'1') && second.iter().all(|byte| *byte == b'2'));
    assert!(wire.is_closed());
    assert_eq!(site.process.end().code(), Some(0));
    site.process.message("drained");
    site.process.message("stopped");
}

#[test]
fn sigterm_without_requests_ends_at_once() {
    let mut site = Plan::directory().start();
    assert_eq!(site.get("/", &site.session()).status, 200);
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
    site.process.message("drained");
}

#[test]
fn what_does_not_finish_within_the_drain_time_is_cut_off() {
    let origin = Origin::start(|_| Answer::Silence);
    let mut site = Plan::custom(&origin)
        .top("shutdown", json!({ "drain": "200ms" }))
        .start();
    let mut wire = site.wire();
    wire.write(
        &Request::get("/")
            .header("Cookie", site.session())
            .bytes(&site.authority()),
    );
    origin.wait_for(1);
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
    assert!(site.process.out().contains("requests were cut off"));
    assert!(wire.is_closed());
}

#[test]
fn sigint_waits_for_nothing() {
    let (origin, mut site) = held();
    let mut wire = site.wire();
    wire.write(
        &Request::get("/held")
            .header("Cookie", site.session())
            .bytes(&site.authority()),
    );
    origin.wait_for(1);
    site.process.signal(Signal::Interrupt);
    assert_eq!(site.process.end().code(), Some(0));
    assert!(!site.process.out().contains("draining"));
    origin.release();
}

#[test]
fn a_second_signal_ends_the_draining() {
    for second in [Signal::Terminate, Signal::Interrupt] {
        let (origin, mut site) = held();
        let mut wire = site.wire();
        wire.write(
            &Request::get("/held")
                .header("Cookie", site.session())
                .bytes(&site.authority()),
        );
        origin.wait_for(1);
        site.process.signal(Signal::Terminate);
        site.process.message("SIGTERM: draining");
        site.process.signal(second);
        assert_eq!(site.process.end().code(), Some(0), "{second:?}");
        assert!(!site.process.out().contains("\"drained\""), "{second:?}");
        origin.release();
    }
}
