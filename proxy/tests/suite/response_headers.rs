//! Whose headers a response goes out with.

use serde_json::json;

use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
    site::{BOB, Plan},
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
