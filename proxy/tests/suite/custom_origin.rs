//! Any server behind the sign-in: what it is told, what it is not told, and what becomes of its faults.

use serde_json::json;

use crate::support::{
    certificates::Certificate,
    http::Request,
    origin::{Answer, CONTENT, Origin, nobody},
    site::{Plan, Site},
};

fn with(origin: &Origin, extra: serde_json::Value) -> Plan {
    let mut settings = json!({ "kind": "custom", "url": origin.url() });
    for (key, value) in extra.as_object().unwrap() {
        settings[key] = value.clone();
    }
    Plan::bare().origin(settings)
}

#[test]
fn the_origin_gets_the_request_without_the_session() {
    let origin = Origin::content();
    let site = with(
        &origin,
        json!({ "headers": { "x-origin-secret": "only-for-the-origin" } }),
    )
    .start();
    let request = Request::get("/a%20b/c?x=1&y=%2F+%zz")
        .header(
            "Cookie",
            format!("theme=dark; {}; spa-auth-edge-nonce=1Tn; lang=en", site.session()),
        )
        .header("X-Origin-Secret", "a-viewers-guess")
        .header("Accept", "text/plain");
    let response = site.ask(&request);
    assert_eq!((response.status, response.text().as_str()), (200, CONTENT));
    let asked = origin.last();
    assert_eq!(asked.target(), "/a%20b/c?x=1&y=%2F+%zz");
    assert_eq!(asked.header("host"), Some(origin.address.to_string().as_str()));
    assert_eq!(asked.header("cookie"), Some("theme=dark; lang=en"));
    assert_eq!(asked.all("x-origin-secret"), ["only-for-the-origin"]);
    assert_eq!(asked.header("accept"), Some("text/plain"));
    assert_eq!(asked.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(asked.header("x-forwarded-proto"), Some("http"));
    assert_eq!(asked.header("x-forwarded-host"), Some(site.authority().as_str()));
    assert!(!asked.head.contains("eyJ"), "{}", asked.head);
}

#[test]
fn bodies_of_both_framings_reach_the_origin_whole() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let session = site.session();
    let body = "x".repeat(300_000);
    let request = Request::new("POST", "/form")
        .header("Cookie", &*session)
        .body(body.clone());
    assert_eq!(site.ask(&request).status, 200);
    assert_eq!(origin.last().body, body.as_bytes());
    let chunked = format!(
        "POST /form HTTP/1.1\r\nHost: {}\r\nCookie: {session}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        site.authority()
    );
    assert_eq!(site.raw(chunked.as_bytes()).unwrap().status, 200);
    assert_eq!(String::from_utf8_lossy(&origin.last().body), "5\r\nhello\r\n0\r\n\r\n");
}

#[test]
fn a_body_without_a_session_stays_here() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    let request = Request::new("POST", "/form").body("secret=1");
    let response = wire.send(&request, &site.authority());
    assert!(site.is_sign_in(&response));
    assert!(origin.asked().is_empty());
}

/// T-HDR-1
#[test]
fn nobody_speaks_with_our_voice_to_the_origin() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let voices = [
        "X-Portcullis-User",
        "x-portcullis-GROUPS",
        "X_Portcullis_User",
        "X-Forwarded-User",
        "X_Forwarded_User",
        "x-forwarded-email",
        "X-Forwarded-Uri",
        "X-Amzn-Oidc-Data",
        "X-Amzn-Oidc-Identity",
        "X-Auth-Request-User",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "Forwarded",
        "X-Real-IP",
        "any_name",
    ];
    let mut request = Request::get("/").header("Cookie", site.session());
    for name in voices {
        request = request.header(name, "forged-1").header(name, "forged-2");
    }
    assert_eq!(site.ask(&request).status, 200);
    let asked = origin.last();
    assert!(!asked.head.contains("forged"), "{}", asked.head);
    assert_eq!(asked.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(asked.header("x-forwarded-host"), Some(site.authority().as_str()));
    assert_eq!(asked.all("x-request-id").len(), 1);
    assert_eq!(asked.all("host").len(), 1);
}

/// T-HDR-4: the viewer's Connection header takes nothing away that we say.
#[test]
fn no_connection_header_removes_what_we_tell_the_origin() {
    let origin = Origin::content();
    let site = with(
        &origin,
        json!({ "headers": { "x-origin-secret": "only-for-the-origin" } }),
    )
    .start();
    for name in [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Request-Id",
        "X-Origin-Secret",
        "Host",
    ] {
        let before = origin.asked().len();
        let request = Request::get("/")
            .header("Cookie", site.session())
            .header("Connection", name);
        let response = site.wire().send(&request, &site.authority());
        if response.status == 400 {
            assert_eq!(origin.asked().len(), before, "{name}");
            continue;
        }
        assert_eq!(response.status, 200, "{name}");
        let asked = origin.last();
        assert!(
            asked.header(name).is_some_and(|value| !value.is_empty()),
            "{name}: {}",
            asked.head
        );
    }
    assert!(!origin.asked().is_empty(), "some of them are simply ignored");
}

#[test]
fn what_concerns_one_connection_stays_on_it() {
    let origin = Origin::start(|_| {
        Answer::with(
            "200 OK",
            &[
                ("Keep-Alive", "timeout=5"),
                ("X-From-Origin", "1"),
                ("Server", "secret/1.2"),
            ],
            CONTENT,
        )
    });
    let site = Plan::custom(&origin).start();
    let request = Request::get("/")
        .header("Cookie", site.session())
        .headers(&[
            ("TE", "trailers"),
            ("Keep-Alive", "300"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Upgrade", "h2c"),
            ("X-Hop", "1"),
        ])
        .header("Connection", "X-Hop, Upgrade");
    let mut wire = site.wire();
    let response = wire.send(&request, &site.authority());
    assert_eq!(response.header("x-from-origin"), Some("1"));
    assert_eq!(response.header("keep-alive"), None);
    let asked = origin.last();
    for name in ["te", "keep-alive", "proxy-authorization", "upgrade", "x-hop"] {
        assert_eq!(asked.header(name), None, "{name}: {}", asked.head);
    }
}

#[test]
fn configured_headers_stand_on_the_origins_answers_in_place_of_its_own() {
    let origin = Origin::start(|_| Answer::with("404 Not Found", &[("X-Content-Type-Options", "origin's")], CONTENT));
    let site = Plan::custom(&origin).site("headers_override", true).start();
    let response = site.get("/", &site.session());
    assert_eq!(
        (response.status, response.text().as_str()),
        (404, CONTENT),
        "a custom origin's errors are its own"
    );
    assert_eq!(response.all("x-content-type-options"), ["nosniff"]);
    assert_eq!(response.all("strict-transport-security"), ["max-age=31536000"]);
}

/// Status of a request, and that of the next one on a fresh connection.
fn twice(site: &Site) -> (u16, u16) {
    let session = site.session();
    (site.get("/", &session).status, site.get("/", &session).status)
}

#[test]
fn an_origin_that_is_down_is_a_bad_gateway_at_once() {
    let origin = json!({ "kind": "custom", "url": format!("http://{}", nobody()) });
    let site = Plan::bare().origin(origin).start();
    let response = site.get("/", &site.session());
    assert_eq!(response.status, 502);
    assert!(response.text().contains("data-status=\"502\""));
    assert!(!response.text().contains("127.0.0.1"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let event = site.process.message("the origin failed");
    assert_eq!(event["kind"], "ConnectRefused", "{event}");
    let failed = site.metric("portcullis_upstream_errors_total{kind=\"connect\",origin=\"custom\",site=\"app\"}");
    assert_eq!(failed, 1.0);
}

#[test]
fn an_origin_that_stalls_is_a_gateway_timeout() {
    let origin = Origin::start(|_| Answer::Silence);
    let site = with(&origin, json!({ "read_timeout": "300ms" })).start();
    assert_eq!(twice(&site), (504, 504));
    assert!(
        site.process.message("the origin failed")["kind"]
            .as_str()
            .unwrap()
            .contains("ReadTimed")
    );
}

#[test]
fn an_origin_that_answers_nonsense_is_a_bad_gateway() {
    for nonsense in [
        "this is not HTTP\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ] {
        let origin = Origin::start(move |_| Answer::Last(nonsense.as_bytes().to_vec()));
        let site = Plan::custom(&origin).start();
        assert_eq!(twice(&site), (502, 502), "{nonsense:?}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_cut_off_for_the_viewer_too() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
    let origin = Origin::start(move |_| Answer::Last(head.to_vec()));
    let site = Plan::custom(&origin).start();
    let request = Request::get("/").header("Cookie", site.session());
    let mut wire = site.wire();
    wire.write(&request.bytes(&site.authority()));
    // What had not been sent on when the origin went away, the header included, may stay unsent.
    let Some(head) = wire.head() else { return };
    assert_eq!((head.status, head.header("content-length")), (200, Some("100")));
    let got = wire.rest();
    assert!(b"only this".starts_with(&got), "nothing is made up: {got:?}");
}

/// A connection that the origin closed meanwhile costs a viewer nothing, and a form is not sent twice.
#[test]
fn a_kept_connection_that_has_died_is_replaced_for_what_may_be_repeated() {
    let origin = Origin::start(|_| Answer::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()));
    let site = Plan::custom(&origin).start();
    let session = site.session();
    for _ in 0..20 {
        assert_eq!(site.get("/", &session).status, 200);
    }
    assert_eq!(origin.asked().len(), 20);
}

#[test]
fn an_early_hint_and_a_204_pass() {
    let origin = Origin::start(|asked| match asked.target() {
        "/204" => Answer::Bytes(b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n".to_vec()),
        _ => Answer::Bytes(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                .to_vec(),
        ),
    });
    let site = Plan::custom(&origin).start();
    let request = |target: &str| Request::get(target).header("Cookie", site.session());
    let mut wire = site.wire();
    let empty = wire.send(&request("/204"), &site.authority());
    assert_eq!((empty.status, empty.header("x-a")), (204, Some("1")));
    assert_eq!(wire.send(&request("/"), &site.authority()).text(), "ok");
}

/// What an application says bit by bit reaches the viewer bit by bit.
#[test]
fn events_arrive_when_they_happen() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let first = format!("{head}9\r\ndata: 1\n\n\r\n").into_bytes();
    let rest = b"9\r\ndata: 2\n\n\r\n0\r\n\r\n".to_vec();
    let origin = Origin::start(move |_| Answer::Held(first.clone(), rest.clone()));
    let site = Plan::custom(&origin).start();
    let mut wire = site.wire();
    wire.write(
        &Request::get("/events")
            .header("Cookie", site.session())
            .bytes(&site.authority()),
    );
    assert_eq!(wire.head().unwrap().status, 200);
    let mut seen = String::new();
    while !seen.contains("data: 1") {
        seen += &String::from_utf8(wire.some(100)).unwrap();
    }
    origin.release();
    while !seen.contains("data: 2") {
        seen += &String::from_utf8(wire.some(100)).unwrap();
    }
}

#[test]
fn a_websocket_is_passed_on_for_a_session_and_for_nobody_else() {
    let origin = Origin::start(|asked| {
        assert_eq!(asked.header("upgrade"), Some("websocket"));
        Answer::Bytes(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes".to_vec(),
        )
    });
    let site = Plan::custom(&origin).start();
    let handshake = Request::get("/ws").headers(&[
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]);
    let refused = site.wire().send(&handshake, &site.authority());
    assert!(site.is_sign_in(&refused), "{refused:?}");
    let mut wire = site.wire();
    let response = wire.send(&handshake.header("Cookie", site.session()), &site.authority());
    assert_eq!(response.status, 101);
    assert_eq!(wire.some(100), b"frames");
}

/// T-SMUG-2: what follows an upgrade that is not granted belongs to nobody.
#[test]
fn bytes_after_a_refused_upgrade_are_no_second_request() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let host = site.authority();
    let bytes = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\
         GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n",
        site.session()
    );
    let mut wire = site.wire();
    wire.write(bytes.as_bytes());
    assert_eq!(wire.response("GET").unwrap().status, 200);
    if let Some(second) = wire.response("GET") {
        assert!(site.is_sign_in(&second) || second.status == 400, "{second:?}");
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/smuggled"));
}

#[test]
fn an_origin_over_tls_is_only_believed_with_the_right_certificate() {
    let plan = Plan::bare();
    let folder = plan.folder().to_owned();
    let good = Certificate::write(&folder, "origin.test");
    let other = Certificate::write(&folder, "other.test");
    let address = crate::tls::serve(&good, CONTENT);
    let url = format!("https://127.0.0.1:{}", address.port());
    let site = |trusted: &Certificate, name: &str| {
        let origin = json!({ "kind": "custom", "url": url, "sni": name, "ca_file": trusted.cert });
        Plan::bare().origin(origin).start()
    };
    let trusted = site(&good, "origin.test");
    assert_eq!(trusted.get("/", &trusted.session()).text(), CONTENT);
    for (trusted, name) in [(&other, "origin.test"), (&good, "wrong.test")] {
        let site = site(trusted, name);
        assert_eq!(site.get("/", &site.session()).status, 502, "{name}");
    }
}
