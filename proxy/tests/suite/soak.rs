//! A day's life in ten minutes: sessions that come and go, reloads, faults of provider and origin. At the end
//! the process must be as large as it was after warming up.
//!
//! Not part of the ordinary run: `cargo test --release -p proxy --test suite soak:: -- --ignored --nocapture`,
//! shorter with `PORTCULLIS_SOAK_SECONDS=60`.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use dev_idp::{Endpoint, Fault, Overrides};
use serde_json::json;

use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
    site::{ALICE, BOB, Plan, Site},
};

const VIEWERS: usize = 16;
/// Of the whole time: the first is for warming up, the second and the last are compared.
const PARTS: usize = 4;

/// By target: content, a large answer, one that is cut off, none at all.
fn origin() -> Origin {
    Origin::start(|asked| match asked.target() {
        "/large" => Answer::Stream(1 << 20),
        "/cut" => Answer::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut".to_vec()),
        "/none" => Answer::Last(Vec::new()),
        _ => Answer::ok(CONTENT),
    })
}

/// One viewer: a connection and a session for a while, then others.
fn view(site: &Site, number: usize, over: &AtomicBool, answered: &AtomicUsize) {
    let (address, host) = (site.address(), site.authority());
    for round in number.. {
        let user = if round.is_multiple_of(3) { BOB.0 } else { ALICE.0 };
        let session = site.session_with(user, &Overrides::none());
        let mut wire = crate::support::http::Wire::connect(address);
        for turn in 0..20 {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let target = match (round + turn) % 16 {
                0 => "/large",
                1 => "/none",
                2 => "/parseauth?code=wrong&state=wrong",
                3 => "/refreshauth",
                4 => "/signout",
                _ => "/",
            };
            let request = Request::get(target);
            let request = match turn % 5 {
                0 => request,
                1 => request.header("Cookie", format!("{session}x")),
                _ => request.header("Cookie", &*session),
            };
            wire.write(&request.bytes(&host));
            let Some(response) = wire.response("GET") else { break };
            answered.fetch_add(1, Ordering::Relaxed);
            if response.header("connection") == Some("close") {
                break;
            }
        }
    }
}

/// Each half second something happens.
fn disturb(site: &mut Site, step: u64) {
    match step % 10 {
        0 => site.idp.faults().set(Endpoint::Token, Fault::status(500)),
        1 => site.idp.faults().set(Endpoint::Jwks, Fault::Garbage),
        2 => site.idp.faults().clear_all(),
        4 | 8 => site.reload_quietly(|config| {
            // A new secret of the client's makes a new gate, another header another site.
            config["sites"][0]["auth"]["httpHeaders"] = json!({ "X-Generation": step.to_string() });
        }),
        6 => {
            site.rewrite(|config| config["limits"] = json!({ "header_bytes": "nonsense" }));
            site.process.signal(crate::support::process::Signal::HangUp);
        }
        7 => site.rewrite(|config| config["limits"] = json!({})),
        _ => {}
    }
}

#[test]
#[ignore = "takes ten minutes"]
fn memory_is_the_same_after_a_day() {
    let seconds = std::env::var("PORTCULLIS_SOAK_SECONDS").ok();
    let whole = Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(600));
    let origin = origin();
    let mut site = Plan::custom(&origin).top("log", json!({ "format": "json" })).start();
    site.reload_quietly(|config| config["log"]["level"] = json!("error"));
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let started = Instant::now();
    let mut memory = Vec::new();
    let mut step = 0;
    while started.elapsed() < whole {
        let viewed = &site;
        over.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            for number in 0..VIEWERS {
                let (over, answered) = (&over, &answered);
                scope.spawn(move || view(viewed, number, over, answered));
            }
            thread::park_timeout(Duration::from_millis(500));
            over.store(true, Ordering::Relaxed);
        });
        disturb(&mut site, step);
        step += 1;
        memory.push(site.process.memory_kb("RssAnon"));
    }
    // A single look says more of what was going on just then than of what stays.
    let part = memory.len() / PARTS;
    let (warm, end) = (median(&memory[part..2 * part]), median(&memory[(PARTS - 1) * part..]));
    println!(
        "{} s, {} answers, {step} disturbances: {warm} kB after warming up, {end} kB at the end ({:+.1} %)",
        whole.as_secs(),
        answered.load(Ordering::Relaxed),
        (end as f64 / warm as f64 - 1.0) * 100.0
    );
    assert!(end * 10 <= warm * 11, "{warm} kB, then {end} kB");
}

fn median(looks: &[u64]) -> u64 {
    let mut sorted = looks.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
