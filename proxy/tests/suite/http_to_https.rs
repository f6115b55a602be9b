//! Viewers on plain http who are to use https.

use serde_json::json;

use crate::support::{
    http::Request,
    origin::Origin,
    site::{HOST, Plan, Site},
};

fn site(origin: &Origin, trusted: &[&str]) -> Site {
    Plan::custom(origin)
        .site("redirect_http_to_https", true)
        .top("trusted_proxies", json!(trusted))
        .start()
}

#[test]
fn the_first_request_is_sent_to_https_with_path_and_query_as_they_are() {
    let origin = Origin::content();
    let site = site(&origin, &[]);
    for target in [
        "/",
        "/a%20b/%7e?x=1&y=%2f+%zz&&",
        "//a//b",
        "/parseauth?code=1&state=2",
        "/signout",
        "/p?",
    ] {
        for (method, status) in [
            ("GET", 301),
            ("HEAD", 301),
            ("POST", 308),
            ("DELETE", 308),
            ("INVENTED", 308),
        ] {
            let request = Request::new(method, target).header("Cookie", site.session());
            let response = site.ask(&request);
            assert_eq!(response.status, status, "{method} {target}");
            assert_eq!(response.location(), format!("https://{HOST}{target}"));
            assert!(response.all("set-cookie").is_empty() && response.body.is_empty());
        }
    }
    assert!(origin.asked().is_empty());
    assert_eq!(
        site.metric("portcullis_decisions_total{decision=\"respond\",reason=\"no-session\",site=\"app\"}"),
        0.0
    );
}

#[test]
fn the_body_of_a_redirected_request_is_no_request() {
    let origin = Origin::content();
    let site = site(&origin, &[]);
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let mut wire = site.wire();
    wire.write(request.as_bytes());
    assert_eq!(wire.response("POST").unwrap().status, 308);
    assert!(wire.is_closed());
}

/// T-REDIR-4
#[test]
fn a_host_that_is_not_ours_is_sent_nowhere() {
    let origin = Origin::content();
    let site = site(&origin, &[]);
    for host in ["evil.example", "app.localhost.evil.example"] {
        let response = site.wire().send(&Request::get("/"), host);
        assert_eq!((response.status, response.header("location")), (421, None), "{host}");
    }
}

#[test]
fn a_trusted_proxy_says_what_the_viewer_spoke() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.0/8"]);
    let session = site.session();
    let ask = |scheme: Option<&str>| {
        let mut request = Request::get("/page?x").header("Cookie", &*session);
        if let Some(scheme) = scheme {
            request = request.header("X-Forwarded-Proto", scheme);
        }
        site.ask(&request)
    };
    assert_eq!(ask(Some("https")).status, 200);
    assert_eq!(ask(None).status, 200, "it ended TLS, as balancers that say nothing do");
    let response = ask(Some("http"));
    assert_eq!(
        (response.status, response.location()),
        (301, "https://app.localhost/page?x")
    );
}

/// T-FWD-1
#[test]
fn nobody_else_talks_his_way_around_it() {
    let origin = Origin::content();
    let site = site(&origin, &["10.0.0.0/8"]);
    let request = Request::get("/").header("X-Forwarded-Proto", "https");
    assert_eq!(site.ask(&request.header("Cookie", site.session())).status, 301);
}
