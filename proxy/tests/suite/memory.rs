//! Memory: a large object passes through, it is not collected; requests leave nothing behind.

use std::net::TcpStream;

use crate::{
    s3_origin,
    support::{
        http::{Request, Wire},
        origin::{Answer, Origin},
        site::{Plan, Site},
    },
};

const BIG: u64 = 256 * 1024 * 1024;
/// Of the whole process, in KB.
const LIMIT_KB: u64 = 60 * 1024;
const REQUESTS: usize = 10_000;

/// Reads a response to its end without keeping it; its status and the length of its body.
fn download(wire: &mut Wire<TcpStream>, request: &Request, host: &str) -> (u16, u64) {
    wire.write(&request.bytes(host));
    let head = wire.head().unwrap();
    let length: u64 = head.header("content-length").unwrap().parse().unwrap();
    let mut got = 0;
    while got < length {
        let part = wire.some(1 << 20);
        assert!(!part.is_empty(), "cut off at {got}");
        got += part.len() as u64;
    }
    (head.status, got)
}

/// Of a program built for debugging, the pages of its file are as many again and no memory that it took; so there
/// only what it did take counts.
fn assert_small(site: &Site, what: &str) {
    let lines = if cfg!(debug_assertions) {
        ["RssAnon"; 2]
    } else {
        ["VmRSS", "VmHWM"]
    };
    for line in lines {
        let taken = site.process.memory_kb(line);
        assert!(taken < LIMIT_KB, "{what}: {line} is {taken} KB");
    }
}

#[test]
fn a_large_object_is_streamed_in_constant_memory() {
    let (_, site) = s3_origin::fake(|asked| match asked.method() {
        "HEAD" => Answer::ok(""),
        _ => Answer::Stream(BIG),
    });
    let request = Request::get("/big.bin").header("Cookie", site.session());
    assert_eq!(download(&mut site.wire(), &request, &site.authority()), (200, BIG));
    assert_small(&site, "after the download");
}

#[test]
fn a_slow_viewer_does_not_make_the_proxy_collect() {
    let origin = Origin::start(|_| Answer::Stream(BIG));
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    let request = Request::get("/big").header("Cookie", site.session());
    wire.write(&request.bytes(&site.authority()));
    let head = wire.head().unwrap();
    assert_eq!(head.status, 200);
    origin.wait_for(1);
    // A second viewer is served meanwhile.
    assert_eq!(download(&mut site.wire(), &request, &site.authority()), (200, BIG));
    assert!(!wire.some(1 << 16).is_empty());
    assert_small(&site, "with a viewer who does not read");
}

#[test]
fn ten_thousand_requests_leave_nothing_behind() {
    let (_, site) = s3_origin::fake(|_| Answer::ok("small"));
    let request = Request::get("/small.txt").header("Cookie", site.session());
    let anonymous = Request::get("/small.txt");
    let site = &site;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (request, anonymous) = (&request, &anonymous);
            scope.spawn(move || {
                let mut wire = site.wire();
                for number in 0..REQUESTS / 4 {
                    // Three in four pass to the bucket, as on a site with viewers.
                    let (request, expected) = if number % 4 == 0 {
                        (anonymous, 307)
                    } else {
                        (request, 200)
                    };
                    assert_eq!(wire.send(request, &site.authority()).status, expected);
                }
            });
        }
    });
    assert_small(site, "after the requests");
}
