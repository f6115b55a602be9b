//! Whose headers a response goes out with.

use h2::client::SendRequest;
use serde_json::{Value, json};

use crate::{
    support::{
        certificates::{Certificate, client, connect},
        http::{Request, Response, Wire},
        origin::{Answer, CONTENT, Origin},
        runtime::wait,
        site::{BOB, HOST, Plan},
    },
    tls::http2,
};

const CONFIGURED: [(&str, &str); 4] = [
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'self'"),
    ("Cache-Control", "max-age=600"),
    ("Referrer-Policy", "same-origin"),
];

fn plan(origin: &Origin) -> Plan {
    Plan::custom(origin).auth(
        "httpHeaders",
        json!(CONFIGURED.into_iter().collect::<std::collections::BTreeMap<_, _>>()),
    )
}

fn outspoken() -> Origin {
    Origin::start(|_| {
        let headers = [("x-frame-options", "SAMEORIGIN"), ("Cache-Control", "max-age=5")];
        Answer::with("200 OK", &headers, CONTENT)
    })
}

#[test]
fn pain_18_the_origins_headers_count_and_the_configured_ones_fill_in() {
    let site = plan(&outspoken()).start();
    let response = site.get("/", &site.session());
    assert_eq!(response.all("x-frame-options"), ["SAMEORIGIN"]);
    assert_eq!(response.all("cache-control"), ["max-age=5"]);
    assert_eq!(response.all("content-security-policy"), ["default-src 'self'"]);
    assert_eq!(response.all("referrer-policy"), ["same-origin"]);
}

#[test]
fn the_configured_headers_count_where_they_are_to_override() {
    let site = plan(&outspoken()).site("headers_override", true).start();
    let response = site.get("/", &site.session());
    for (name, value) in CONFIGURED {
        assert_eq!(response.all(name), [value]);
    }
}

/// Others' sites were caught in endless redirects by a Cache-Control that was meant for content.
#[test]
fn no_configuration_lets_our_own_answers_be_stored_or_takes_their_style() {
    for overriding in [false, true] {
        let site = plan(&outspoken())
            .auth("requiredGroup", "readers")
            .site("headers_override", overriding)
            .start();
        let forbidden = site.get("/", &site.session_with(BOB.0, &dev_idp::Overrides::none()));
        let callback = site.get("/parseauth?error=access_denied", "");
        let missing = site.ask(&Request::new("TRACE", "/").header("Cookie", site.session()));
        for (page, status) in [(&forbidden, 200), (&callback, 200), (&missing, 405)] {
            assert_eq!(page.status, status, "{page:?}");
            assert_eq!(page.all("cache-control"), ["no-store"]);
            let [policy] = page.all("content-security-policy")[..] else {
                panic!("{page:?}")
            };
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert_eq!(page.all("referrer-policy"), ["same-origin"]);
        }
        let redirect = site.get("/", "");
        assert!(site.is_sign_in(&redirect));
        assert_eq!(redirect.all("cache-control"), ["no-store"]);
    }
}

#[test]
fn protected_content_is_private_unless_the_origin_says_otherwise() {
    let origin = Origin::start(|asked| {
        let headers: &[(&str, &str)] = match asked.target() {
            "/own" => &[("Cache-Control", "public, max-age=60")],
            "/expires" => &[("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")],
            _ => &[],
        };
        Answer::with("200 OK", headers, CONTENT)
    });
    let site = Plan::custom(&origin).start();
    let session = site.session();
    for (target, expected) in [
        ("/", "private, no-cache"),
        ("/own", "public, max-age=60"),
        ("/expires", "private"),
    ] {
        assert_eq!(site.get(target, &session).all("cache-control"), [expected], "{target}");
    }
    let files = Plan::directory().start();
    assert_eq!(
        files.get("/", &files.session()).all("cache-control"),
        ["private, no-cache"]
    );
}

/// Whoever turns sign-in off for a while has not asked for other headers.
#[test]
fn the_configured_headers_stay_where_sign_in_is_off() {
    let headers = json!({ "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin" });
    let off = json!({ "insecure_auth_off": true, "httpHeaders": headers });
    let site = Plan::custom(&outspoken()).site("auth", off).start();
    let content = site.get("/", "");
    assert_eq!(content.all("x-frame-options"), ["SAMEORIGIN"]);
    assert_eq!(content.all("referrer-policy"), ["same-origin"]);
    let refused = site.ask(&Request::new("TRACE", "/"));
    assert_eq!((refused.status, refused.all("x-frame-options")), (405, vec!["DENY"]));
}

#[test]
fn what_everyone_may_see_is_left_as_it_is() {
    let site = Plan::custom(&Origin::content())
        .site("auth", json!({ "insecure_auth_off": true }))
        .start();
    assert_eq!(site.get("/", "").header("cache-control"), None);
}

/// What differs from one answer to the next, or belongs to the connection.
const OF_ONE_ANSWER: [&str; 3] = ["connection", "date", "x-request-id"];

/// A header's fields in order, with how many request ids there are.
fn fields<'f>(of: impl Iterator<Item = (&'f str, &'f str)>) -> (usize, Vec<(String, String)>) {
    let mut fields: Vec<_> = of
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let ids = fields.iter().filter(|(name, _)| name == "x-request-id").count();
    fields.retain(|(name, _)| !OF_ONE_ANSWER.contains(&name.as_str()));
    fields.sort();
    (ids, fields)
}

fn fields_of(response: &Response) -> (usize, Vec<(String, String)>) {
    let pairs = response.headers.iter();
    fields(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

async fn fields_by_http2(
    sender: &SendRequest<bytes::Bytes>,
    request: &(&str, &str, &str),
) -> (usize, Vec<(String, String)>) {
    let (method, target, session) = *request;
    let request = http::Request::builder()
        .method(method)
        .uri(format!("https://{HOST}{target}"))
        .header("cookie", session)
        .body(())
        .unwrap();
    let (response, _) = sender.clone().send_request(request, true).unwrap();
    let response = response.await.unwrap();
    let pairs = response.headers().iter();
    fields(pairs.map(|(name, value)| (name.as_str(), value.to_str().unwrap())))
}

/// Over HTTP/1 most of what is added is written behind the head, over HTTP/2 it is put into a table: both say the same.
#[test]
fn a_response_has_the_same_header_in_every_protocol() {
    let origin = Origin::start(|asked| {
        let headers: &[(&str, &str)] = match asked.target() {
            "/own" => &[
                ("cache-control", "public, max-age=60"),
                ("x-frame-options", "SAMEORIGIN"),
            ],
            "/expires" => &[
                ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
                ("X-Two", "1"),
                ("X-Two", "2"),
            ],
            "/id" => &[("X-Request-Id", "theirs")],
            "/empty" => return Answer::with("204 No Content", &[("X-Content-Type-Options", "other")], ""),
            _ => &[],
        };
        Answer::with("200 OK", headers, CONTENT)
    });
    let headers: [Value; 7] = [
        json!({}),
        json!({ "X-Frame-Options": "DENY", "x-Content-type-options": "nosniff" }),
        json!({ "X-Frame-Options": "DENY", "Cache-Control": "max-age=600" }),
        json!({ "X-Frame-Options": "DENY", "date": "Thu, 01 Jan 1970 00:00:00 GMT" }),
        json!({ "X-Frame-Options": "DENY", "Expires": "Thu, 01 Jan 2099 00:00:00 GMT" }),
        json!({ "X-Request-Id": "configured" }),
        json!({ "X-Two": "3", "x-two": "4" }),
    ];
    for (headers, overriding) in headers.iter().flat_map(|headers| [(headers, false), (headers, true)]) {
        let plan = Plan::custom(&origin);
        let certificate = Certificate::write(plan.folder(), HOST);
        let listen = json!({
            "http": ["127.0.0.1:0"], "https": ["127.0.0.1:0"],
            "tls": [{ "cert": certificate.cert, "key": certificate.key }],
        });
        let site = plan
            .auth("httpHeaders", headers.clone())
            .site("headers_override", overriding)
            .top("listen", listen)
            .start();
        let (address, session) = (site.https.unwrap(), site.session());
        let config = client(&[&certificate], &[b"http/1.1"]);
        let mut secure = connect(address, HOST, &config);
        let mut plain: Wire<_> = site.wire();
        let host = format!("{HOST}:{}", address.port());
        let sender = wait(http2(address, &certificate));
        for (method, target) in [
            ("GET", "/"),
            ("GET", "/own"),
            ("GET", "/expires"),
            ("GET", "/id"),
            ("HEAD", "/own"),
            ("GET", "/empty"),
        ] {
            let request = Request::new(method, target).header("Cookie", &session);
            let expected = wait(fields_by_http2(&sender, &(method, target, &session)));
            let asked = format!("{method} {target} {headers} {overriding}");
            let over_tls = secure.send(&request, &host);
            assert_eq!(fields_of(&over_tls), expected, "{asked}");
            let over_tcp = plain.send(&request, &site.authority());
            assert_eq!(fields_of(&over_tcp), expected, "{asked}");
            assert_eq!((expected.0, over_tcp.all("date").len()), (1, 1), "{asked}");
            assert_eq!(over_tcp.all("connection"), ["keep-alive"], "{asked}");
        }
    }
}
