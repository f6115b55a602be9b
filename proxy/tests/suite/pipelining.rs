//! Requests that a viewer sends before the answers to those before them have come: each is answered in its turn, and
//! no answer is cut off by what was sent after its request (RFC 9112, sections 9.3.2 and 9.6).

use std::{
    io::{ErrorKind, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::{
    limits::encrypted,
    support::{
        certificates::{client, connect},
        http::{Request, Response, Wire},
        origin::{Answer, CONTENT, Origin},
        site::{HOST, Plan, Site},
    },
};

/// Answers with what it was asked, and with the body it got.
fn echo() -> Origin {
    Origin::start(|asked| {
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let text = format!("{} {} {body}", asked.method(), asked.target());
        Answer::with("200 OK", &[], if asked.method() == "HEAD" { "" } else { &text })
    })
}

/// No two places of it look alike.
fn large(length: usize) -> Vec<u8> {
    let words = (0..length.div_ceil(4)).map(|at| (at as u32).wrapping_mul(2_654_435_761));
    let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

const LARGE: usize = 1 << 20;

fn get(site: &Site, target: &str) -> Vec<u8> {
    let request = Request::get(target).header("Cookie", site.session());
    request.bytes(&site.authority())
}

/// The next answers, by their requests' methods; all of them are 200.
fn texts<S: std::io::Read + std::io::Write>(wire: &mut Wire<S>, methods: &[&str]) -> Vec<String> {
    let answers = methods.iter().map(|method| wire.response(method).expect("an answer"));
    let text = |answer: Response| {
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text()
    };
    answers.map(text).collect()
}

fn two(site: &Site, first: &str, second: &str) -> Vec<u8> {
    [get(site, first), get(site, second)].concat()
}

#[test]
fn two_requests_in_one_packet_are_answered_in_order_and_the_connection_goes_on() {
    let origin = echo();
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    wire.write(&two(&site, "/a", "/b"));
    assert_eq!(texts(&mut wire, &["GET", "GET"]), ["GET /a ", "GET /b "]);
    wire.write(&get(&site, "/c"));
    assert_eq!(texts(&mut wire, &["GET"]), ["GET /c "]);
    assert_eq!(origin.asked().len(), 3);
}

#[test]
fn a_public_site_answers_them_as_well() {
    let origin = echo();
    let site = Plan::custom(&origin)
        .site("auth", json!({ "insecure_auth_off": true }))
        .start();
    let request = |target: &str| Request::get(target).bytes(&site.authority());
    let mut wire = site.wire();
    wire.write(&[request("/a"), request("/b")].concat());
    assert_eq!(texts(&mut wire, &["GET", "GET"]), ["GET /a ", "GET /b "]);
}

#[test]
fn hundreds_of_them_are_answered_one_by_one() {
    let origin = echo();
    let site = Plan::custom(&origin)
        .site("auth", json!({ "insecure_auth_off": true }))
        .start();
    let all = 0..400;
    let requests = all
        .clone()
        .map(|number| Request::get(&format!("/{number}")).bytes(&site.authority()));
    let mut wire = site.wire();
    wire.write(&requests.collect::<Vec<_>>().concat());
    for number in all {
        assert_eq!(texts(&mut wire, &["GET"]), [format!("GET /{number} ")]);
    }
}

#[test]
fn over_tls_they_are_answered_as_well() {
    let origin = echo();
    let (certificate, site) = encrypted(&origin);
    let config = client(&[&certificate], &[b"http/1.1"]);
    let mut wire = connect(site.https.unwrap(), HOST, &config);
    let last = Request::get("/c")
        .header("Cookie", site.session())
        .header("Connection", "close");
    let requests = [two(&site, "/a", "/b"), last.bytes(HOST), get(&site, "/poison")];
    wire.write(&requests.concat());
    assert_eq!(
        texts(&mut wire, &["GET", "GET", "GET"]),
        ["GET /a ", "GET /b ", "GET /c "]
    );
    assert!(wire.ends());
    assert_eq!(origin.asked().len(), 3);
}

#[test]
fn a_request_that_comes_while_an_answer_is_under_way_waits_for_it() {
    let origin = Origin::start(|asked| match asked.target() {
        "/held" => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            let body = large(LARGE);
            let (first, rest) = body.split_at(LARGE / 4);
            Answer::Held([head.as_bytes(), first].concat(), rest.to_vec())
        }
        "/late" => Answer::Held(Vec::new(), b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate".to_vec()),
        _ => Answer::ok("other"),
    });
    // One worker has looked at what is before it once it has answered what came after.
    let site = Plan::custom(&origin).top("threads", 1).start();
    let session = site.session();
    let (mut held, mut late) = (site.wire(), site.wire());
    held.write(&get(&site, "/held"));
    late.write(&get(&site, "/late"));
    origin.wait_for(2);
    assert_eq!(held.head().unwrap().status, 200);
    let mut body = held.some(LARGE);
    for wire in [&mut held, &mut late] {
        wire.write(&get(&site, "/other"));
        assert_eq!(site.get("/other", &session).text(), "other");
        wire.write(&get(&site, "/other"));
        assert_eq!(site.get("/other", &session).text(), "other");
    }
    let asked = origin.asked().len();
    assert_eq!(asked, 6, "nobody's turn came early");
    origin.release();
    while body.len() < LARGE {
        let more = held.some(LARGE - body.len());
        assert!(!more.is_empty(), "cut off after {}", body.len());
        body.extend(more);
    }
    assert!(body == large(LARGE));
    assert_eq!(texts(&mut late, &["GET"]), ["late"]);
    for wire in [&mut held, &mut late] {
        assert_eq!(texts(wire, &["GET", "GET"]), ["other", "other"]);
    }
}

#[test]
fn a_large_answer_arrives_whole_whatever_was_sent_after_its_request() {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{more}\r\n");
    let origin = Origin::start(move |asked| match asked.target() {
        // Passed on within the kernel, copied chunk by chunk, and copied because it is encoded on its way.
        "/length" => Answer::Bytes([head(&format!("Content-Length: {LARGE}\r\n")).as_bytes(), &large(LARGE)].concat()),
        "/chunks" => {
            let chunk = format!("{LARGE:x}\r\n");
            let head = head("Transfer-Encoding: chunked\r\n");
            Answer::Bytes([head.as_bytes(), chunk.as_bytes(), &large(LARGE), b"\r\n0\r\n\r\n"].concat())
        }
        _ => Answer::ok("after"),
    });
    let site = Plan::custom(&origin).start();
    for target in ["/length", "/chunks"] {
        let mut wire = site.wire();
        wire.write(&two(&site, target, "/after"));
        let first = wire.response("GET").unwrap();
        assert!(first.body == large(LARGE), "{target}: {}", first.body.len());
        assert_eq!(texts(&mut wire, &["GET"]), ["after"]);
        // The same while the answer is under way.
        wire.write(&get(&site, target));
        let head = wire.head().unwrap();
        assert_eq!(head.status, 200);
        wire.write(&get(&site, "/after"));
        let mut body = wire.some(100);
        assert!(!body.is_empty(), "{target}");
        while !body.ends_with(b"after") {
            let more = wire.some(LARGE);
            assert!(!more.is_empty(), "{target}: cut off after {}", body.len());
            body.extend(more);
        }
    }
}

#[test]
fn a_file_and_a_cached_answer_arrive_whole_as_well() {
    let site = Plan::directory().start();
    std::fs::write(site.folder().join("content/large.bin"), large(LARGE)).unwrap();
    let mut wire = site.wire();
    wire.write(&[two(&site, "/large.bin", "/page.html"), get(&site, "/large.bin")].concat());
    assert!(wire.response("GET").unwrap().body == large(LARGE));
    assert_eq!(texts(&mut wire, &["GET"]), [format!("page.html {CONTENT}")]);
    assert!(wire.response("GET").unwrap().body == large(LARGE));

    let origin = Origin::start(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {LARGE}\r\n\r\n");
        Answer::Bytes([head.as_bytes(), &large(LARGE)].concat())
    });
    let site = Plan::custom(&origin)
        .site("cache", json!({ "enabled": true, "default_ttl": "600s" }))
        .start();
    let mut wire = site.wire();
    wire.write(&[two(&site, "/large", "/large"), get(&site, "/large")].concat());
    for _ in 0..3 {
        assert!(wire.response("GET").unwrap().body == large(LARGE));
    }
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn answers_of_our_own_are_given_in_turn() {
    let site = Plan::directory().start();
    let host = site.authority();
    let anonymous = |target: &str| Request::get(target).bytes(&host);
    let mut wire = site.wire();
    wire.write(
        &[
            anonymous("/page.html"),
            anonymous("/signout"),
            Request::new("DELETE", "/page.html")
                .header("Cookie", site.session())
                .bytes(&host),
            get(&site, "/page.html"),
            Request::new("HEAD", "/page.html")
                .header("Cookie", site.session())
                .bytes(&host),
            get(&site, "/nothing"),
            get(&site, "/data.json"),
        ]
        .concat(),
    );
    let first = wire.response("GET").unwrap();
    assert!(site.is_sign_in(&first), "{first:?}");
    assert_eq!(wire.response("GET").unwrap().page().1, "signed-out");
    assert_eq!(wire.response("DELETE").unwrap().status, 405);
    assert_eq!(texts(&mut wire, &["GET"]), [format!("page.html {CONTENT}")]);
    assert_eq!(wire.response("HEAD").unwrap().status, 200);
    assert_eq!(wire.response("GET").unwrap().status, 404);
    assert_eq!(texts(&mut wire, &["GET"]), [format!("data.json {CONTENT}")]);
}

fn post(site: &Site, framed: &str) -> Vec<u8> {
    let (host, session) = (site.authority(), site.session());
    format!("POST /post HTTP/1.1\r\nHost: {host}\r\nCookie: {session}\r\n{framed}").into_bytes()
}

/// A body as the origin got it, of which the chunks need not be those that the viewer sent.
fn decoded(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        match usize::from_str_radix(size, 16) {
            Ok(0) => return whole,
            Ok(size) => {
                whole.push_str(&rest[..size]);
                body = &rest[size + 2..];
            }
            Err(_) => break,
        }
    }
    body.to_owned()
}

/// T-SMUG-1: what looks like a request in a body is none, and what comes after the body is one.
#[test]
fn what_comes_after_a_body_is_the_next_request_and_nothing_within_it_is() {
    let origin = echo();
    let site = Plan::custom(&origin).start();
    let hidden = "GET /poison HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    let length = hidden.len();
    for framed in [
        format!("Content-Length: {length}\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x};a=b\r\n{hidden}\r\n0\r\nX-Trailer: 0\r\n\r\n"),
    ] {
        let requests = [post(&site, &framed), get(&site, "/after"), post(&site, &framed)].concat();
        let check = |wire: &mut Wire<TcpStream>, what: &str| {
            let [first, after, second] = &texts(wire, &["POST", "GET", "POST"])[..] else {
                panic!("three answers");
            };
            let is_whole = |text: &str| {
                text.strip_prefix("POST /post ")
                    .is_some_and(|body| decoded(body) == hidden)
            };
            assert!(
                is_whole(first) && is_whole(second),
                "{framed:?} {what}: {first:?} {second:?}"
            );
            assert_eq!(after, "GET /after ", "{framed:?} {what}");
        };
        let begin = requests.len() - framed.len();
        for cut in [0, 1, begin - 1, begin + framed.len() / 2, requests.len() - 3] {
            let mut wire = site.wire();
            let (first, second) = requests.split_at(cut);
            wire.write(first);
            wire.write(second);
            check(&mut wire, &format!("cut at {cut}"));
        }
        let mut wire = site.wire();
        let body = requests.len() - framed.len() - 100;
        wire.write(&requests[..body]);
        requests[body..].chunks(1).for_each(|byte| wire.write(byte));
        check(&mut wire, "by bytes");
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/poison"));
}

#[test]
fn an_empty_line_after_a_body_is_no_request() {
    let origin = echo();
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    wire.write(&post(&site, "Content-Length: 2\r\n\r\nhi\r\n"));
    assert_eq!(texts(&mut wire, &["POST"]), ["POST /post hi"]);
    wire.write(&get(&site, "/after"));
    assert_eq!(texts(&mut wire, &["GET"]), ["GET /after "]);
}

/// T-SMUG-3
#[test]
fn a_malformed_request_is_refused_after_the_answer_to_the_one_before_and_is_the_last() {
    let origin = Origin::start(|asked| match asked.target() {
        "/large" => Answer::Stream(LARGE as u64),
        target => Answer::ok(target),
    });
    let site = Plan::custom(&origin).start();
    let host = site.authority();
    for (malformed, status) in [
        ("GET / HTTP/1.1\n\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            400,
        ),
        (
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n"),
            400,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nX-Long: {}\r\n\r\n",
                "x".repeat(40_000)
            ),
            431,
        ),
    ] {
        let before = origin.asked().len();
        let mut wire = site.wire();
        let rest = [malformed.as_bytes(), &get(&site, "/poison")].concat();
        wire.write(&[get(&site, "/large"), rest].concat());
        let first = wire.response("GET").unwrap();
        assert_eq!((first.status, first.body.len()), (200, LARGE), "{malformed:?}");
        assert_eq!(wire.response("GET").unwrap().status, status, "{malformed:?}");
        assert!(wire.ends(), "{malformed:?}");
        assert_eq!(origin.asked().len(), before + 1, "{malformed:?}");
    }
}

/// T-SMUG-3: where the two readings of a chunked body differ, there is no next request.
#[test]
fn after_a_body_whose_end_is_in_doubt_there_is_no_request() {
    let origin = echo();
    let site = Plan::custom(&origin).start();
    for body in [
        "0\r\nA: b\nC: d\r\n\r\n",
        "0\r\n\n",
        "2\r\nhi\n0\r\n\r\n",
        "2;a\nb\r\nhi\r\n0\r\n\r\n",
        "00000000000000002\r\nhi\r\n0\r\n\r\n",
    ] {
        let framed = format!("Transfer-Encoding: chunked\r\n\r\n{body}");
        let mut wire = site.wire();
        wire.write(&[post(&site, &framed), get(&site, "/poison")].concat());
        if let Some(answer) = wire.response("POST") {
            assert!(matches!(answer.status, 200 | 400 | 502), "{body:?}: {answer:?}");
        }
        assert!(wire.is_closed(), "{body:?}");
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/poison"));
}

#[test]
fn after_the_last_request_more_bytes_do_not_cut_its_answer_off() {
    let origin = Origin::start(|asked| match asked.target() {
        "/large" => Answer::Stream(LARGE as u64),
        target => Answer::ok(target),
    });
    let site = Plan::custom(&origin).start();
    let (host, session) = (site.authority(), site.session());
    let last = |target: &str| {
        let request = Request::get(target).header("Cookie", &*session);
        request.header("Connection", "close").bytes(&host)
    };
    let more = [get(&site, "/poison"), vec![b'x'; 100_000]].concat();
    for (target, length) in [("/large", LARGE), ("/small", 6)] {
        let mut wire = site.wire();
        wire.write(&[last(target), more.clone()].concat());
        let answer = wire.response("GET").unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, length), "{target}");
        // What is sent after the end is taken as well.
        wire.write(&more);
        assert!(wire.ends(), "{target}");
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/poison"));
}

#[test]
fn the_last_request_that_a_connection_may_carry_is_answered_whole() {
    let origin = Origin::start(|asked| match asked.target() {
        "/large" => Answer::Stream(LARGE as u64),
        target => Answer::ok(target),
    });
    let site = Plan::custom(&origin)
        .top("limits", json!({ "connection_requests": 2 }))
        .start();
    let mut wire = site.wire();
    wire.write(&[two(&site, "/a", "/large"), get(&site, "/poison")].concat());
    assert_eq!(texts(&mut wire, &["GET"]), ["/a"]);
    let last = wire.response("GET").unwrap();
    assert_eq!((last.header("connection"), last.body.len()), (Some("close"), LARGE));
    assert!(wire.ends());
    assert_eq!(origin.asked().len(), 2);
}

/// Whoever sends a body that nobody wants gets to read why.
#[test]
fn a_refusal_arrives_whole_while_the_body_is_still_being_sent() {
    let origin = echo();
    let site = Plan::custom(&origin)
        .top("limits", json!({ "body_bytes": 1000 }))
        .start();
    let body = "x".repeat(400_000);
    for framed in [
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        ),
    ] {
        let mut wire: Wire<TcpStream> = site.wire();
        wire.write(&post(&site, &framed));
        let refusal = wire.response("POST").unwrap();
        assert_eq!(refusal.status, 413);
        assert!(wire.ends());
    }
}

/// Where nobody has to be asked, nothing is made of the viewer's end; an origin's answer is for viewers who stay.
#[test]
fn a_viewer_that_has_sent_its_last_still_reads_the_answers() {
    let site = Plan::directory().start();
    let mut wire = site.wire();
    wire.write(&two(&site, "/page.html", "/data.json"));
    wire.finish();
    assert_eq!(
        texts(&mut wire, &["GET", "GET"]),
        [format!("page.html {CONTENT}"), format!("data.json {CONTENT}")]
    );
    assert!(wire.ends());
}

/// T-DOS-2: whoever asks and does not read is not answered for ever.
#[test]
fn a_viewer_that_reads_none_of_the_answers_is_let_go() {
    let site = Plan::directory()
        .top(
            "limits",
            json!({ "write_timeout": "1s", "connection_requests": 10_000_000 }),
        )
        .start();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&site.address().into()).unwrap();
    let mut viewer = TcpStream::from(socket);
    viewer.set_write_timeout(Some(Duration::from_secs(40))).unwrap();
    let requests = Request::get("/page.html").bytes(&site.authority()).repeat(20);
    let end = loop {
        if let Err(error) = viewer.write_all(&requests) {
            break error.kind();
        }
    };
    assert!(
        matches!(end, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{end:?}"
    );
}
