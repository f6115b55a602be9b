//! Path patterns: which origin a request reaches, and that none of them decides who may pass.

use serde_json::json;

use crate::support::{
    http::Request,
    origin::{Answer, Origin},
    site::Plan,
};

fn says(text: &'static str) -> Origin {
    Origin::start(move |asked| Answer::ok(if asked.method() == "HEAD" { "" } else { text }))
}

#[test]
fn the_first_pattern_that_fits_chooses_the_origin() {
    let (site_origin, api, images) = (says("site"), says("api"), says("images"));
    let site = Plan::custom(&site_origin)
        .site(
            "origins",
            json!({
                "api": { "kind": "custom", "url": api.url(), "headers": { "x-secret": "of-the-api" } },
                "images": { "kind": "custom", "url": images.url() },
            }),
        )
        .site(
            "behaviours",
            json!([
                { "path": "/api/docs/*" },
                { "path": "/api/*", "origin": "api" },
                { "path": "*.pn?", "origin": "images", "methods": ["GET"] },
            ]),
        )
        .start();
    let session = site.session();
    for (target, answer) in [
        ("/api/v1?x=/api/docs/", "api"),
        ("/api/", "api"),
        ("/%61pi/x", "api"),
        ("/api/docs/x", "site"),
        ("/API/x", "site"),
        ("/a/b.png", "images"),
        ("/a/b.PNG", "site"),
        ("/a/b?/c.png", "site"),
        ("/api", "site"),
    ] {
        assert_eq!(site.get(target, &session).text(), answer, "{target}");
    }
    assert_eq!(api.last().header("x-secret"), Some("of-the-api"));
    assert!(
        site_origin
            .asked()
            .iter()
            .all(|asked| asked.header("x-secret").is_none())
    );
    let posted = site.ask(&Request::new("POST", "/a.png").header("Cookie", &*session).body("x"));
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET")));
    assert_eq!(
        site.metric("portcullis_upstream_connections_total{origin=\"images\",reused=\"no\",site=\"app\"}"),
        1.0
    );
}

/// T-PATH-2: what a behaviour is chosen by is what is decided upon and forwarded.
#[test]
fn no_spelling_of_a_path_reaches_another_origin_than_the_plain_one() {
    let (site_origin, api) = (says("site"), says("api"));
    let site = Plan::custom(&site_origin)
        .site("origins", json!({ "api": { "kind": "custom", "url": api.url() } }))
        .site("behaviours", json!([{ "path": "/api/*", "origin": "api" }]))
        .start();
    let session = site.session();
    for target in [
        "/api/../x",
        "/x/../api/y",
        "/api%2fy",
        "/api/%2e%2e/x",
        "/./api/x",
        "/api\\x",
        "/api%5Cx",
    ] {
        assert_eq!(site.get(target, &session).status, 400, "{target}");
    }
    for target in ["//api/x", "/api;/x", "/x/api/y", "/api%20/x"] {
        assert_eq!(site.get(target, &session).text(), "site", "{target}");
        assert_eq!(site_origin.last().target(), target);
    }
    assert!(api.asked().is_empty());
}

/// T-PATH-5
#[test]
fn no_pattern_shadows_the_sign_in() {
    let (site_origin, all) = (says("site"), says("all"));
    let site = Plan::custom(&site_origin)
        .site("origins", json!({ "all": { "kind": "custom", "url": all.url() } }))
        .site(
            "behaviours",
            json!([
                { "path": "/parseauth", "origin": "all" },
                { "path": "/signout*", "origin": "all" },
                { "path": "/refreshauth", "origin": "all", "methods": ["GET"] },
                { "path": "*", "origin": "all" },
            ]),
        )
        .start();
    for target in [
        "/parseauth",
        "/parseauth?code=a&state=b",
        "/signout",
        "/%73ignout",
        "/refreshauth",
        "/page",
    ] {
        for method in ["GET", "POST", "INVENTED"] {
            let response = site.ask(&Request::new(method, target).header("Accept", "text/html"));
            assert_ne!(response.text(), "all", "{method} {target}");
        }
    }
    assert!(all.asked().is_empty() && site_origin.asked().is_empty());
    assert_eq!(site.get("/page", &site.session()).text(), "all");
    assert_eq!(site.get("/signout", &site.session()).status, 307);
}

/// T-HDR-1: what only the proxy may say to an origin, through every behaviour.
#[test]
fn no_spelling_of_an_origins_secret_header_comes_from_a_viewer() {
    let (site_origin, api) = (says("site"), says("api"));
    let secret = json!({ "X-Origin-Secret": "only-ours" });
    let site = Plan::bare()
        .origin(json!({ "kind": "custom", "url": site_origin.url(), "headers": secret }))
        .site(
            "origins",
            json!({ "api": { "kind": "custom", "url": api.url(), "headers": { "X-Api-Key": "only-for-the-api" } } }),
        )
        .site("behaviours", json!([{ "path": "/api/*", "origin": "api" }]))
        .start();
    let request = |target: &str| {
        let cookies = format!("theme=dark; {}", site.session());
        let spellings = [
            "X-Origin-Secret",
            "x-origin-secret",
            "X_Origin_Secret",
            "X-ORIGIN_SECRET",
            "X-Api-Key",
            "x_api-key",
        ];
        let request = Request::get(target).header("Cookie", cookies);
        spellings
            .iter()
            .fold(request, |request, name| request.header(name, "a-viewers-guess"))
    };
    assert_eq!(site.ask(&request("/api/x")).text(), "api");
    assert_eq!(api.last().all("x-api-key"), ["only-for-the-api"]);
    assert_eq!(
        api.last().all("x-api_key").len() + api.last().all("x_origin_secret").len(),
        0
    );
    assert_eq!(api.last().header("cookie"), Some("theme=dark"));
    assert_eq!(site.ask(&request("/x")).text(), "site");
    assert_eq!(site_origin.last().all("x-origin-secret"), ["only-ours"]);
    assert!(!site_origin.last().head.contains("only-for-the-api"));
}

/// An origin that answers TRACE would send its secret header back to the viewer.
#[test]
fn no_origin_is_asked_to_repeat_what_it_is_told() {
    let origin = says("site");
    let site = Plan::custom(&origin).start();
    let response = site.ask(&Request::new("TRACE", "/").header("Cookie", site.session()));
    assert_eq!(response.status, 405);
    assert!(
        response
            .header("allow")
            .is_some_and(|allowed| !allowed.contains("TRACE"))
    );
    assert!(origin.asked().is_empty());
}
