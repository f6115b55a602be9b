//! What viewers may use up: sizes, rates, ages, and floods of HTTP/2 (T-DOS-1, T-DOS-2, T-H2-1, T-WS-1).

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rustls::{ClientConnection, pki_types::ServerName};
use serde_json::{Value, json};

use crate::support::{
    certificates::{Certificate, client},
    http::{Request, Wire},
    origin::{Answer, CONTENT, Origin},
    site::{HOST, Plan, Site},
};

fn limited(origin: &Origin, limits: Value) -> Site {
    Plan::custom(origin).top("limits", limits).start()
}

/// T-DOS-1.
#[test]
fn each_part_of_a_request_has_its_limit() {
    let origin = Origin::content();
    let site = limited(
        &origin,
        json!({ "url_bytes": 100, "cookies": 20, "cookie_bytes": "30KiB", "body_bytes": 1000 }),
    );
    let session = site.session();
    let with_session = |request: Request| request.header("Cookie", &*session);
    let long = format!("/{}", "x".repeat(100));
    assert_eq!(site.ask(&with_session(Request::get(&long))).status, 414);
    let many = format!("{session}{}", "; a=b".repeat(20));
    assert_eq!(site.get("/", &many).status, 431);
    let post = |length: usize| with_session(Request::new("POST", "/")).body(vec![b'x'; length]);
    assert_eq!(site.ask(&post(1000)).status, 200);
    assert_eq!(site.ask(&post(1001)).status, 413);
    assert_eq!(origin.asked().len(), 1, "what is too large does not reach the origin");
}

#[test]
fn a_chunked_body_is_cut_off_at_the_limit() {
    let origin = Origin::content();
    let site = limited(&origin, json!({ "body_bytes": 1000 }));
    let chunk = format!("258\r\n{}\r\n", "x".repeat(600));
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n",
        site.authority(),
        site.session()
    );
    assert_eq!(site.raw(request.as_bytes()).unwrap().status, 413);
    assert!(origin.asked().is_empty(), "the origin has not got the whole of it");
}

#[test]
fn a_viewer_that_waits_for_permission_to_send_its_body_gets_it() {
    let origin = Origin::content();
    let site = limited(&origin, json!({ "body_bytes": 1000 }));
    let (host, session) = (site.authority(), site.session());
    let head = |length: usize| {
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {session}\r\nContent-Length: {length}\r\n\
             Expect: 100-continue\r\n\r\n"
        )
    };
    let mut wire = site.wire();
    wire.write(head(5).as_bytes());
    // The origin decides; one that reads the body first is answered through as well.
    wire.write(b"hello");
    assert_eq!(wire.response("POST").unwrap().status, 200);
    assert_eq!(origin.last().body, b"hello");
    assert_eq!(site.raw(head(2000).as_bytes()).unwrap().status, 413, "without the body");
}

#[test]
fn the_paths_of_sign_in_are_rationed_by_viewer_and_the_content_is_not() {
    let origin = Origin::content();
    let site = limited(&origin, json!({ "auth_requests_per_minute": 3 }));
    let session = site.session();
    for _ in 0..3 {
        assert_ne!(site.get("/parseauth?code=a&state=b", "").status, 429);
    }
    let refused = site.get("/parseauth?code=a&state=b", "");
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(site.get("/refreshauth", &session).status, 429);
    for _ in 0..5 {
        assert_eq!(site.get("/", &session).status, 200);
    }
}

#[test]
fn a_connection_has_its_number_of_requests() {
    let origin = Origin::content();
    let site = limited(&origin, json!({ "connection_requests": 3 }));
    let (host, request) = (site.authority(), Request::get("/").header("Cookie", site.session()));
    let mut wire = site.wire();
    let ends = |wire: &mut Wire<TcpStream>| wire.send(&request, &host).header("connection") == Some("close");
    assert!(!ends(&mut wire) && !ends(&mut wire) && ends(&mut wire));
    assert!(wire.is_closed());
}

fn handshake(site: &Site) -> Request {
    Request::get("/ws").header("Cookie", site.session()).headers(&[
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ])
}

fn upgrades() -> Origin {
    Origin::start(|_| {
        Answer::Bytes(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi".to_vec(),
        )
    })
}

/// T-WS-1.
#[test]
fn a_page_of_another_site_cannot_open_a_websocket_with_the_viewer_s_session() {
    let origin = upgrades();
    let site = Plan::custom(&origin)
        .top("websocket_origins", json!(["https://partner.example"]))
        .start();
    let host = site.authority();
    let from = |page: &str| {
        let mut wire = site.wire();
        wire.write(&handshake(&site).header("Origin", page).bytes(&host));
        wire.head().unwrap().status
    };
    assert_eq!(from(&format!("http://{host}")), 101);
    assert_eq!(from("https://partner.example"), 101);
    for page in ["https://evil.example", &format!("http://{HOST}.evil.example"), "null"] {
        assert_eq!(from(page), 403, "{page}");
    }
    assert_eq!(origin.asked().len(), 2);
}

#[test]
fn a_websocket_ends_at_its_age_so_that_its_session_is_shown_again() {
    let origin = upgrades();
    let site = limited(&origin, json!({ "websocket_age": "300ms" }));
    let mut wire = site.wire();
    wire.write(&handshake(&site).bytes(&site.authority()));
    assert_eq!(wire.head().unwrap().status, 101);
    assert_eq!(wire.some(2), b"hi");
    assert!(wire.is_closed());
    site.process
        .event(|event| event["message"] == "request" && event["status"] == 101);
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET /` by the static table.
fn get(stream: u32, flags: u8) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x84, 0x01, u8::try_from(HOST.len()).unwrap()];
    block.extend(HOST.as_bytes());
    frame(HEADERS, flags, stream, &block)
}

/// Sends a flood on a fresh HTTP/2 connection; the error code of the answer's GOAWAY, if there is one.
fn flood(site: &Site, certificate: &Certificate, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    let heard = speak(site, certificate, frames, |heard| goaway(heard).is_some());
    goaway(&heard)
}

/// Sends frames on a fresh HTTP/2 connection; what is heard until it is enough, or until the connection ends.
fn speak(
    site: &Site,
    certificate: &Certificate,
    frames: impl Iterator<Item = Vec<u8>>,
    is_enough: impl Fn(&[u8]) -> bool,
) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.https.unwrap()).unwrap();
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(40)))
        .unwrap();
    let name = ServerName::try_from(HOST).unwrap();
    let mut connection = ClientConnection::new(client(&[certificate], &[b"h2"]), name).unwrap();
    connection.set_buffer_limit(None);
    connection.complete_io(&mut stream).unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(frames.flatten());
    connection.writer().write_all(&bytes).unwrap();
    // The proxy may have hung up before the end of the flood; what it said until then is still to be read.
    while connection.wants_write() && connection.write_tls(&mut stream).is_ok() {}
    let mut heard = Vec::new();
    while matches!(connection.read_tls(&mut stream), Ok(1..)) && connection.process_new_packets().is_ok() {
        // It would block once everything that has come is read.
        let _ = connection.reader().read_to_end(&mut heard);
        if is_enough(&heard) {
            break;
        }
    }
    heard
}

fn goaway(mut heard: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = heard {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if *kind == GOAWAY {
            return Some(u32::from_be_bytes(rest.get(4..8)?.try_into().unwrap()));
        }
        heard = rest.get(length..)?;
    }
    None
}

/// A site that is asked by TLS as well.
pub(super) fn encrypted(origin: &Origin) -> (Certificate, Site) {
    let plan = Plan::custom(origin);
    let certificate = Certificate::write(plan.folder(), HOST);
    let listen = json!({
        "http": ["127.0.0.1:0"],
        "https": ["127.0.0.1:0"],
        "tls": [{ "cert": certificate.cert, "key": certificate.key }],
    });
    (certificate, plan.top("listen", listen).start())
}

/// T-H2-1: CVE-2023-44487, CVE-2024-27316 (CONTINUATION), CVE-2025-8671 (MadeYouReset).
#[test]
fn floods_of_http_2_end_their_connection_and_no_other() {
    let (certificate, site) = encrypted(&Origin::content());
    let streams = || (0..2000_u32).map(|number| 2 * number + 1);
    let rapid_reset = streams().flat_map(|id| [get(id, 5), frame(RST_STREAM, 0, id, &[0, 0, 0, 8])]);
    assert_eq!(flood(&site, &certificate, rapid_reset), Some(ENHANCE_YOUR_CALM));
    let provoked = streams().flat_map(|id| [get(id, 4), frame(WINDOW_UPDATE, 0, id, &[0x7f, 0xff, 0xff, 0xff])]);
    assert_eq!(flood(&site, &certificate, provoked), Some(ENHANCE_YOUR_CALM));
    let endless = [get(1, 1)]
        .into_iter()
        .chain((0..2000).map(|_| frame(CONTINUATION, 0, 1, &[])));
    assert_eq!(flood(&site, &certificate, endless), Some(ENHANCE_YOUR_CALM));
    let response = site.get("/", &site.session());
    assert_eq!((response.status, response.text().as_str()), (200, CONTENT));
}

/// HPACK's number after a prefix of so many bits (RFC 7541, section 5.1).
fn number(first: u8, bits: u32, value: usize) -> Vec<u8> {
    let most = (1 << bits) - 1;
    if value < most {
        return vec![first | u8::try_from(value).unwrap()];
    }
    let mut bytes = vec![first | u8::try_from(most).unwrap()];
    let mut left = value - most;
    while left >= 128 {
        bytes.push(u8::try_from(left % 128).unwrap() | 128);
        left /= 128;
    }
    bytes.push(u8::try_from(left).unwrap());
    bytes
}

/// The usual 4 KB for what a viewer refers to instead of sending it again are too small for a session.
#[test]
fn a_session_s_cookies_are_sent_once_on_an_http_2_connection() {
    const TABLE: usize = 16 * 1024;
    let (certificate, site) = encrypted(&Origin::content());
    let cookies = format!("{}; padding={}", site.session(), "p".repeat(5000));
    let authority = |block: &mut Vec<u8>| {
        block.extend([0x82, 0x87, 0x84, 0x01, u8::try_from(HOST.len()).unwrap()]);
        block.extend(HOST.as_bytes());
    };
    let mut first = number(0x20, 5, TABLE);
    authority(&mut first);
    first.extend(number(0x40, 6, 32));
    first.extend(number(0, 7, cookies.len()));
    first.extend(cookies.as_bytes());
    let mut again = Vec::new();
    authority(&mut again);
    again.push(0x80 | 62);
    let frames = [
        frame(SETTINGS, 1, 0, &[]),
        frame(HEADERS, 5, 1, &first),
        frame(HEADERS, 5, 3, &again),
    ];
    let answers = |heard: &[u8]| {
        heard
            .windows(CONTENT.len())
            .filter(|part| *part == CONTENT.as_bytes())
            .count()
    };
    let heard = speak(&site, &certificate, frames.into_iter(), |heard| {
        answers(heard) == 2 || goaway(heard).is_some()
    });
    assert_eq!(answers(&heard), 2);
}
