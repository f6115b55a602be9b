//! Requests that are none: answered at once, without a decision, and the connection is at its end.

use crate::support::{
    http::{Request, Response},
    origin::{CONTENT, Origin},
    site::{Plan, Site},
};

/// Refused before anything was decided: no sign-in, no cookie, no content, no more requests on the connection.
fn assert_refused(response: &Response, status: u16, what: &str) {
    assert_eq!(response.status, status, "{what}: {response:?}");
    assert_eq!(response.header("location"), None, "{what}");
    assert_eq!(response.header("set-cookie"), None, "{what}");
    assert!(!response.text().contains(CONTENT), "{what}");
}

/// Sends bytes that are refused with 400 or with a closed connection, followed by a request that must not be
/// answered; then sees that a fresh connection works.
fn refuse(site: &Site, bytes: &[u8], status: u16) {
    let what = String::from_utf8_lossy(bytes).into_owned();
    let mut wire = site.wire();
    wire.write(bytes);
    wire.write(format!("GET /poison HTTP/1.1\r\nHost: {}\r\n\r\n", site.authority()).as_bytes());
    if let Some(response) = wire.response("GET") {
        assert_refused(&response, status, &what);
        assert!(wire.is_closed(), "{what}: the connection goes on");
    }
    assert_eq!(site.get("/", &site.session()).status, 200, "after {what}");
}

fn site() -> (Origin, Site) {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    (origin, site)
}

/// None of the requests that were to be refused, nor what was hidden behind them, reached the origin.
fn assert_untouched(origin: &Origin) {
    let asked = origin.asked();
    assert!(asked.iter().all(|asked| asked.target() == "/index.html"), "{asked:?}");
}

/// T-DOS-1
#[test]
fn a_header_block_over_32_kb_is_refused_and_one_below_is_not() {
    let (_, site) = site();
    let with = |length: usize| Request::get("/").header("X-Padding", "x".repeat(length));
    assert!(site.is_sign_in(&site.ask(&with(31_000))));
    for length in [33_000, 60_000] {
        assert_refused(&site.ask(&with(length)), 431, "one long header");
    }
    let many = (0..200).fold(Request::get("/"), |request, number| {
        request.header(&format!("X-{number}"), "x".repeat(200))
    });
    assert_refused(&site.ask(&many), 431, "many headers");
    let long_target = format!("/{}", "x".repeat(40_000));
    assert_refused(&site.ask(&Request::get(&long_target)), 431, "a long target");
    assert!(site.is_sign_in(&site.ask(&Request::get("/"))));
}

/// T-DOS-1: what never ends is cut off.
#[test]
fn a_header_block_without_an_end_is_cut_off() {
    let (_, site) = site();
    let mut wire = site.wire();
    wire.write(format!("GET / HTTP/1.1\r\nHost: {}\r\n", site.authority()).as_bytes());
    for _ in 0..300 {
        wire.write(format!("X-More: {}\r\n", "x".repeat(8000)).as_bytes());
    }
    if let Some(response) = wire.response("GET") {
        assert!(matches!(response.status, 400 | 431), "{response:?}");
    }
    assert!(wire.is_closed());
    assert!(site.is_sign_in(&site.ask(&Request::get("/"))));
}

/// T-REDIR-4
#[test]
fn an_unknown_host_is_misdirected_whatever_is_asked() {
    let (origin, site) = site();
    let session = site.session();
    for host in [
        "evil.example",
        "app.localhost.evil.example",
        "evil-app.localhost",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "x.app.localhost",
        "unknown:80",
    ] {
        for target in ["/", "/parseauth?code=a&state=b", "/signout", "/refreshauth"] {
            let bytes = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {session}\r\n\r\n");
            assert_refused(&site.raw(bytes.as_bytes()).unwrap(), 421, host);
        }
    }
    assert!(origin.asked().is_empty());
}

/// T-REDIR-3
#[test]
fn a_host_in_other_case_or_with_another_port_is_the_same_site() {
    let (_, site) = site();
    for host in ["APP.localhost", "app.LOCALHOST:80", "app.localhost:65535"] {
        let response = site
            .raw(format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
            .unwrap();
        assert!(site.is_sign_in(&response), "{host}: {response:?}");
    }
}

#[test]
fn no_single_host_is_a_bad_request() {
    let (origin, site) = site();
    let host = site.authority();
    for head in [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}, evil.example\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: user@{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}/path\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}x\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: app.localhost:99999\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app..localhost\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.localhost.\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: [app.localhost]\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: http://app.localhost\r\n\r\n".to_owned(),
    ] {
        refuse(&site, head.as_bytes(), 400);
    }
    assert_untouched(&origin);
}

/// T-PATH-2, T-PATH-3
#[test]
fn a_target_with_two_readings_is_a_bad_request() {
    let (origin, site) = site();
    let cookies = site.session();
    for target in [
        "/a/../b",
        "/..",
        "/./a",
        "/a/.",
        "/%2e%2e/a",
        "/a/%2E",
        "/.%2e/a",
        "/a%2fb",
        "/a%2Fb",
        "/a\\b",
        "/a%5cb",
        "/a%5Cb",
        "/a%00b",
        "/a%0d%0ab",
        "/a%7f",
        "/%",
        "/%z1",
        "/%1",
        "/a%c0%af",
        "/%ff",
        "/%ed%a0%80",
        "/a{b}",
        "/a|b",
        "/a^b",
        "/a\"b",
        "/a<b>",
        "/a#b",
        "/#",
        "/a?b#c",
        "/public#/../private",
        "*",
        "a",
        "?a",
        "http://evil.example/a",
        "https://evil.example/",
        "ftp://app.localhost/",
    ] {
        let bytes = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n\r\n",
            site.authority()
        );
        refuse(&site, bytes.as_bytes(), 400);
    }
    assert_untouched(&origin);
}

/// T-PATH-2, T-REDIR-5
#[test]
fn bytes_that_cannot_stand_in_a_target_are_refused_or_arrive_encoded() {
    let (origin, site) = site();
    for byte in (0..=0x20).chain(0x7f..=0xff) {
        for place in ["/a", "/a?q="] {
            let mut bytes = format!("GET {place}").into_bytes();
            bytes.push(byte);
            bytes.extend(format!("b HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", site.authority()).as_bytes());
            match site.raw(&bytes) {
                None => {}
                Some(response) if response.status == 400 => {}
                Some(response) => {
                    assert!(site.is_sign_in(&response), "{byte:#04x}: {response:?}");
                    let state = crate::support::url::Url::parse(response.location())
                        .param("state")
                        .unwrap();
                    let opened = crate::support::url::open_base64url(&state);
                    assert_eq!(opened["requestedUri"], format!("{place}%{byte:02X}b"));
                }
            }
        }
    }
    assert!(origin.asked().is_empty());
    assert_eq!(site.get("/", &site.session()).status, 200);
}

#[test]
fn an_absolute_target_for_this_host_is_this_host() {
    let (origin, site) = site();
    let host = site.authority();
    let bytes = format!(
        "GET http://{host}/a/b?c HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\n\r\n",
        site.session()
    );
    assert_eq!(site.raw(bytes.as_bytes()).unwrap().status, 200);
    assert_eq!(origin.last().target(), "/a/b?c");
    let bytes = format!("GET http://{host} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let response = site.raw(bytes.as_bytes()).unwrap();
    assert!(site.is_sign_in(&response), "{response:?}");
}

/// T-SMUG-3
#[test]
fn a_message_whose_end_is_in_doubt_is_refused_and_what_follows_is_not_answered() {
    let (origin, site) = site();
    let cookies = site.session();
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0, 0\r\n\r\n",
        "Content-Length: +4\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 0x4\r\n\r\n",
        "Content-Length: 4 4\r\n\r\n",
        "Content-Length: 99999999999999999999999\r\n\r\n",
        "Content-Length:\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length : 0\r\n\r\n",
        "X-A: b\r\n folded: c\r\n\r\n",
        "X-A: b\r\n\tfolded\r\n\r\n",
        " X-Leading: space\r\n\r\n",
        "No colon\r\n\r\n",
        ": no name\r\n\r\n",
        "X A: space in the name\r\n\r\n",
        "X-\u{e9}: a name beyond ASCII\r\n\r\n",
        "X-A: a\0b\r\n\r\n",
        "X-A: a\rb\r\n\r\n",
        "X-A: a\n\r\n",
        "X-A: a\n\n",
        "X-A: a\u{1}b\r\n\r\n",
    ] {
        let bytes = format!(
            "POST /hit HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n{framing}",
            site.authority()
        );
        refuse(&site, bytes.as_bytes(), 400);
    }
    assert_untouched(&origin);
}

/// T-SMUG-3
#[test]
fn a_chunked_body_over_http_1_0_is_refused() {
    let (origin, site) = site();
    let head = format!(
        "POST /hit HTTP/1.0\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        site.authority()
    );
    refuse(&site, head.as_bytes(), 400);
    assert_untouched(&origin);
}

#[test]
fn http_1_0_with_a_host_is_served_and_closed() {
    let (_, site) = site();
    let bytes = format!(
        "GET / HTTP/1.0\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        site.authority(),
        site.session()
    );
    let mut wire = site.wire();
    wire.write(bytes.as_bytes());
    let response = wire.response("GET").unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, CONTENT));
    assert!(wire.is_closed());
}

#[test]
fn request_lines_that_are_none_are_refused() {
    let (origin, site) = site();
    let host = site.authority();
    for line in [
        "GET /",
        "GET / HTTP/1.1 extra",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/3.7",
        "GET / http/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "\u{16}\u{3}\u{1}",
        "PRI * HTTP/2.0",
    ] {
        refuse(&site, format!("{line}\r\nHost: {host}\r\n\r\n").as_bytes(), 400);
    }
    assert_untouched(&origin);
}

/// T-SMUG-3: malformed chunks end the connection, and nothing behind them is a request.
#[test]
fn a_malformed_chunk_ends_the_connection() {
    let (origin, site) = site();
    let cookies = site.session();
    for body in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "5;\u{1}\r\nhello\r\n",
    ] {
        let bytes = format!(
            "POST /hit HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nTransfer-Encoding: chunked\r\n\r\n{body}",
            site.authority()
        );
        let mut wire = site.wire();
        wire.write(bytes.as_bytes());
        wire.write(
            format!(
                "GET /poison HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                site.authority()
            )
            .as_bytes(),
        );
        if let Some(response) = wire.response("POST") {
            assert!(matches!(response.status, 200 | 400 | 502), "{body:?}: {response:?}");
        }
        assert_eq!(site.get("/", &site.session()).status, 200, "after {body:?}");
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/poison"));
}

/// T-SMUG-1: the body of a request that is answered here is never read as the next request.
#[test]
fn the_body_of_a_request_without_a_session_is_no_request() {
    let (origin, site) = site();
    let host = site.authority();
    let hidden = format!(
        "GET /poison HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\n\r\n",
        site.session()
    );
    for framing in [
        format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
            hidden.len()
        ),
    ] {
        let mut wire = site.wire();
        wire.write(format!("POST /x HTTP/1.1\r\nHost: {host}\r\n{framing}").as_bytes());
        let first = wire.response("POST").unwrap();
        assert!(site.is_sign_in(&first), "{first:?}");
        // Either the connection ends, or the next answer is to the next request.
        wire.write(
            Request::get("/signout")
                .header("Connection", "close")
                .bytes(&host)
                .as_slice(),
        );
        if let Some(next) = wire.response("GET") {
            assert_eq!(next.page().1, "signed-out", "{next:?}");
            assert!(wire.is_closed());
        }
    }
    assert!(origin.asked().is_empty());
}

/// T-SMUG-1: each of two requests in one packet is decided by itself, and answered in its turn.
#[test]
fn a_request_that_is_sent_before_its_turn_is_never_answered_as_another() {
    let (origin, site) = site();
    let host = site.authority();
    let session = site.session();
    for anonymous in ["/a", "/signout"] {
        let anonymous = Request::get(anonymous).bytes(&host);
        let with_session = Request::get("/b").header("Cookie", &*session).bytes(&host);
        let is_anonymous = |response: &Response| site.is_sign_in(response) || response.page().1 == "signed-out";
        let mut wire = site.wire();
        wire.write(&[&*anonymous, &with_session, &anonymous].concat());
        let [first, second, third] = [(); 3].map(|()| wire.response("GET").unwrap());
        assert!(is_anonymous(&first) && is_anonymous(&third), "{first:?} {third:?}");
        assert_eq!((second.status, second.text().as_str()), (200, CONTENT));
    }
    assert_eq!(origin.asked().len(), 2);
}

/// T-DOS-2
#[test]
fn a_viewer_who_does_not_finish_is_let_go() {
    let origin = Origin::content();
    let limits = serde_json::json!({ "header_timeout": "300ms", "idle_timeout": "300ms" });
    let site = Plan::custom(&origin).top("limits", limits).start();
    let mut idle = site.wire();
    let mut half = site.wire();
    half.write(format!("GET / HTTP/1.1\r\nHost: {}\r\nX-", site.authority()).as_bytes());
    if let Some(response) = half.response("GET") {
        assert_eq!(response.status, 408);
    }
    assert!(half.is_closed());
    assert!(idle.is_closed());
}
