//! What proxies in front say of the viewer, and who is believed (T-FWD-1).

use serde_json::json;

use crate::support::{
    browser::Browser,
    http::{Request, exchange},
    origin::Origin,
    site::{ALICE, Plan, Site},
    url::Url,
};

const CLAIMS: [(&str, &str); 6] = [
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "www.example.com"),
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Uri", "/other"),
    ("X-Original-URL", "/signout"),
    ("Forwarded", "for=192.0.2.7;proto=https;host=www.example.com"),
];

fn site(origin: &Origin, trusted: &[&str]) -> Site {
    Plan::custom(origin)
        .site("hosts", json!(["app.localhost", "www.example.com"]))
        .top("trusted_proxies", json!(trusted))
        .start()
}

/// Where the sign-in returns to.
fn callback(site: &Site, request: &Request) -> String {
    let response = site.ask(request);
    assert!(site.is_sign_in(&response), "{response:?}");
    Url::parse(response.location()).param("redirect_uri").unwrap()
}

#[test]
fn an_unlisted_peer_is_not_believed() {
    let origin = Origin::content();
    let site = site(&origin, &["10.0.0.0/8", "::1/128"]);
    let request = Request::get("/page").headers(&CLAIMS);
    assert_eq!(callback(&site, &request), site.url("/parseauth"));
    assert_eq!(site.ask(&request.header("Cookie", site.session())).status, 200);
    let asked = origin.last();
    assert_eq!(asked.target(), "/page");
    assert_eq!(asked.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(asked.header("x-forwarded-proto"), Some("http"));
    assert_eq!(asked.header("x-forwarded-host"), Some(site.authority().as_str()));
    assert!(
        !asked.head.contains("192.0.2.7") && !asked.head.contains("/signout"),
        "{}",
        asked.head
    );
}

#[test]
fn a_trusted_peer_says_scheme_host_and_address() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.0/8"]);
    let request = Request::get("/page").headers(&CLAIMS);
    assert_eq!(callback(&site, &request), "https://www.example.com/parseauth");
    assert_eq!(site.ask(&request.header("Cookie", site.session())).status, 200);
    let asked = origin.last();
    assert_eq!(asked.target(), "/page", "the path is never taken from a header");
    assert_eq!(asked.header("x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(asked.header("x-forwarded-proto"), Some("https"));
    assert_eq!(asked.header("x-forwarded-host"), Some("www.example.com"));
}

#[test]
fn of_a_chain_only_what_the_trusted_end_vouches_for_counts() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.1/32", "10.0.0.0/8"]);
    let request = Request::get("/")
        .header("Cookie", site.session())
        .header("X-Forwarded-For", "198.51.100.66, 203.0.113.9")
        .header("X-Forwarded-For", "10.1.1.1")
        .header("X-Forwarded-Proto", "http, https")
        .header("X-Forwarded-Host", "evil.example, www.example.com");
    assert_eq!(site.ask(&request).status, 200);
    let asked = origin.last();
    assert_eq!(asked.header("x-forwarded-for"), Some("203.0.113.9"));
    assert_eq!(asked.header("x-forwarded-proto"), Some("https"));
    assert_eq!(asked.header("x-forwarded-host"), Some("www.example.com"));
}

#[test]
fn a_host_that_a_trusted_peer_names_must_be_one_of_ours() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.1/32"]);
    for (host, status) in [
        ("evil.example", 421),
        ("app.localhost@evil.example", 400),
        ("a b", 400),
        ("evil.example/", 400),
    ] {
        let response = site.ask(&Request::get("/").header("X-Forwarded-Host", host));
        assert_eq!(response.status, status, "{host}");
        assert!(response.header("location").is_none() && response.header("set-cookie").is_none());
    }
}

#[test]
fn a_scheme_that_is_none_is_not_taken() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.1/32"]);
    for scheme in ["ftp", "javascript", "https://evil.example/?", ""] {
        let request = Request::get("/").header("X-Forwarded-Proto", scheme);
        assert_eq!(callback(&site, &request), site.url("/parseauth"), "{scheme}");
    }
}

/// Behind a balancer that ends TLS, also one that does not say so: cookies are `Secure`, so it must be https.
#[test]
fn a_public_name_on_a_plain_listener_is_https() {
    let origin = Origin::content();
    let site = site(&origin, &[]);
    let response = exchange(site.address(), "www.example.com", &Request::get("/"));
    let callback = Url::parse(response.location()).param("redirect_uri").unwrap();
    assert_eq!(callback, "https://www.example.com/parseauth");
    let insecure = Plan::custom(&origin)
        .site("hosts", json!(["www.example.com"]))
        .top(
            "listen",
            json!({ "http": ["127.0.0.1:0"], "insecure_plain_http": true }),
        )
        .start();
    let response = exchange(insecure.address(), "www.example.com", &Request::get("/"));
    let callback = Url::parse(response.location()).param("redirect_uri").unwrap();
    assert_eq!(callback, "http://www.example.com/parseauth");
}

#[test]
fn a_whole_sign_in_behind_a_balancer_stays_on_https() {
    let origin = Origin::content();
    let site = site(&origin, &["127.0.0.1/32"]);
    let mut browser = Browser::new()
        .route("www.example.com", site.address())
        .with_header("X-Forwarded-Proto", "https");
    let page = browser.sign_in("https://www.example.com/a?b=c", ALICE.0, ALICE.1);
    assert_eq!(page.status, 200);
    assert_eq!(browser.here().to_string(), "https://www.example.com/a?b=c");
    let out = browser.get("https://www.example.com/signout");
    assert_eq!(
        Url::parse(out.location()).param("logout_uri").unwrap(),
        "https://www.example.com/"
    );
}
