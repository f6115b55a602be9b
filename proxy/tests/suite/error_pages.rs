//! Documents in place of an origin's errors: single-page applications, and error pages of the site's own.

use serde_json::json;

use crate::{
    s3_origin,
    support::{
        http::{Request, Response},
        origin::{Answer, Asked, CONTENT, Origin},
        site::{Plan, Site},
    },
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const DOCUMENT: &str = "<!doctype html>the application";

/// Has the application's document and nothing else.
fn application(asked: &Asked) -> Answer {
    let body = |text: &'static str| if asked.method() == "HEAD" { "" } else { text };
    match asked.target() {
        "/index.html" if asked.header("if-none-match").is_some() => Answer::with("304 Not Modified", &[], ""),
        "/index.html" if asked.header("range").is_some() => Answer::with("206 Partial Content", &[], body("<!")),
        "/index.html" => Answer::with(
            "200 OK",
            &[("ETag", "\"doc\""), ("Content-Type", "text/html")],
            body(DOCUMENT),
        ),
        "/404.html" => Answer::with("200 OK", &[("Content-Type", "text/html")], body("not here")),
        "/broken" => Answer::with("500 Internal Server Error", &[], body("stack trace")),
        "/forbidden" => Answer::with("403 Forbidden", &[], body("no")),
        _ => Answer::with("404 Not Found", &[("X-Of", "the-error")], body("origin-404")),
    }
}

fn navigate(site: &Site, target: &str) -> Response {
    site.ask(&navigation("GET", target).header("Cookie", site.session()))
}

fn navigation(method: &str, target: &str) -> Request {
    Request::new(method, target)
        .header("Accept", BROWSER)
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
}

#[test]
fn a_navigation_to_nowhere_gets_the_application() {
    let origin = Origin::start(application);
    let site = Plan::custom(&origin).site("spa_fallback", "/index.html").start();
    let response = navigate(&site, "/users/7?tab=2");
    assert_eq!((response.status, response.text().as_str()), (200, DOCUMENT));
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert_eq!(response.header("x-of"), None, "nothing of the error");
    assert_eq!(
        response.header("content-length"),
        Some(DOCUMENT.len().to_string().as_str())
    );
    let targets: Vec<String> = origin.asked().iter().map(|asked| asked.target().to_owned()).collect();
    assert_eq!(targets, ["/users/7?tab=2", "/index.html"]);
    assert_eq!(origin.last().header("cookie"), None);
    let head = site.ask(&navigation("HEAD", "/users/7").header("Cookie", site.session()));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(origin.last().method(), "HEAD");
}

#[test]
fn what_the_viewer_said_of_the_missing_path_is_not_about_the_application() {
    let origin = Origin::start(application);
    let site = Plan::custom(&origin).site("spa_fallback", "/index.html").start();
    let request = navigation("GET", "/users/7")
        .header("Cookie", site.session())
        .header("Range", "bytes=0-1")
        .header("If-None-Match", "\"doc\"")
        .header("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")
        .header("If-Range", "\"doc\"");
    let response = site.ask(&request);
    assert_eq!((response.status, response.text().as_str()), (200, DOCUMENT));
    assert_eq!(response.header("content-range"), None);
    let asked = origin.last();
    for name in ["range", "if-none-match", "if-modified-since", "if-range"] {
        assert_eq!(asked.header(name), None, "{name}");
    }
}

#[test]
fn what_is_no_navigation_gets_the_error() {
    let origin = Origin::start(application);
    let site = Plan::custom(&origin).site("spa_fallback", "/index.html").start();
    let session = site.session();
    let requests = [
        Request::get("/api/x").header("Accept", "application/json"),
        Request::get("/api/x")
            .header("Accept", BROWSER)
            .header("Sec-Fetch-Mode", "cors"),
        Request::get("/app.js")
            .header("Sec-Fetch-Mode", "no-cors")
            .header("Accept", "*/*"),
        Request::get("/api/x")
            .header("Accept", BROWSER)
            .header("X-Requested-With", "XMLHttpRequest"),
        navigation("POST", "/form").body("a=b"),
        navigation("DELETE", "/users/7"),
        navigation("INVENTED", "/users/7"),
    ];
    for request in requests {
        let response = site.ask(&request.clone().header("Cookie", &*session));
        assert_eq!(
            (response.status, response.text().as_str()),
            (404, "origin-404"),
            "{request:?}"
        );
    }
    for (target, status, text) in [("/broken", 500, "stack trace"), ("/forbidden", 403, "no")] {
        let response = navigate(&site, target);
        assert_eq!((response.status, response.text().as_str()), (status, text), "{target}");
    }
}

/// T-LEAK-1: others' sites were open to everyone once an error document had status 200.
#[test]
fn pain_05_without_a_session_no_method_and_no_path_gets_the_application() {
    let origin = Origin::start(application);
    let site = Plan::custom(&origin)
        .site("spa_fallback", "/index.html")
        .site(
            "error_pages",
            json!([{ "status": 403, "path": "/index.html", "response_status": 200 }, { "status": 404, "path": "/404.html" }]),
        )
        .start();
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS", "INVENTED"] {
        for target in [
            "/",
            "/users/7",
            "/index.html",
            "/parseauth",
            "/refreshauth",
            "/signout",
            "/signout/x",
        ] {
            for cookies in ["", "CognitoIdentityServiceProvider.x.LastAuthUser=a"] {
                let response = site.ask(&navigation(method, target).header("Cookie", cookies));
                assert!(
                    !response.text().contains("application"),
                    "{method} {target}: {response:?}"
                );
                assert!(!response.text().contains("not here"), "{method} {target}: {response:?}");
            }
        }
    }
    assert!(origin.asked().is_empty());
    for target in ["/%2e%2e/x", "/a%00"] {
        assert_eq!(navigate(&site, target).status, 400, "{target}");
    }
    assert_eq!(
        site.ask(&navigation("TRACE", "/x").header("Cookie", site.session()))
            .status,
        405
    );
    assert!(origin.asked().is_empty());
}

#[test]
fn an_error_page_goes_out_with_the_status_it_is_given() {
    let origin = Origin::start(application);
    let pages = json!([
        { "status": 404, "path": "/404.html" },
        { "status": 500, "path": "/404.html", "response_status": 503 },
        { "status": 403, "path": "/nowhere.html", "response_status": 200 },
    ]);
    let site = Plan::custom(&origin).site("error_pages", pages).start();
    let session = site.session();
    for (target, status) in [("/x", 404), ("/broken", 503)] {
        let response = site.get(target, &session);
        assert_eq!(
            (response.status, response.text().as_str()),
            (status, "not here"),
            "{target}"
        );
    }
    let response = site.get("/forbidden", &session);
    assert_eq!(response.status, 403, "a page that is not there changes nothing");
    assert_eq!(response.page().1, "proxy");
    assert!(!response.text().contains("origin-404"));
}

#[test]
fn a_behaviour_with_another_origin_has_errors_of_its_own() {
    let (origin, api) = (Origin::start(application), Origin::start(application));
    let site = Plan::custom(&origin)
        .site("spa_fallback", "/index.html")
        .site("origins", json!({ "api": { "kind": "custom", "url": api.url() } }))
        .site(
            "behaviours",
            json!([{ "path": "/api/*", "origin": "api" }, { "path": "/docs/*", "methods": ["GET"] }]),
        )
        .start();
    assert_eq!(navigate(&site, "/api/x").text(), "origin-404");
    assert_eq!(navigate(&site, "/docs/x").text(), DOCUMENT);
}

#[test]
fn a_folder_has_an_application_as_well() {
    let site = Plan::directory()
        .site("spa_fallback", "/index.html")
        .site("error_pages", json!([{ "status": 404, "path": "/page.html" }]))
        .start();
    let response = navigate(&site, "/users/7");
    assert_eq!(
        (response.status, response.text()),
        (200, format!("index.html {CONTENT}"))
    );
    let response = site.get("/users/7", &site.session());
    assert_eq!(
        (response.status, response.text()),
        (404, format!("page.html {CONTENT}"))
    );
}

/// What S3 says of a missing key depends on whether listing is permitted.
#[test]
fn a_missing_key_is_missing_whatever_the_store_calls_it() {
    for said in ["403 Forbidden", "404 Not Found"] {
        for missing_status in [404, 403] {
            let endpoint = Origin::start(move |asked| {
                if asked.target().ends_with("/index.html") {
                    Answer::with("200 OK", &[("Content-Type", "text/html")], DOCUMENT)
                } else {
                    Answer::with(said, &[], "<Error><BucketName>b</BucketName></Error>")
                }
            });
            let mut settings = s3_origin::settings(&endpoint);
            settings["missing_status"] = json!(missing_status);
            let site = Plan::bare()
                .origin(settings)
                .site("spa_fallback", "/index.html")
                .start();
            let response = navigate(&site, "/users/7");
            assert_eq!((response.status, response.text().as_str()), (200, DOCUMENT), "{said}");
            let response = site.get("/users/7", &site.session());
            assert_eq!(response.status, missing_status, "{said}");
            assert!(!response.text().contains("BucketName"));
        }
    }
}

/// What a script got is not what a navigation gets, however recently it was asked for.
#[test]
fn the_cache_keeps_no_error_that_others_are_spared() {
    let origin = Origin::start(application);
    let site = Plan::custom(&origin)
        .site("spa_fallback", "/index.html")
        .site(
            "cache",
            json!({ "enabled": true, "error_ttl": "60s", "default_ttl": "60s" }),
        )
        .start();
    let session = site.session();
    for _ in 0..2 {
        assert_eq!(site.get("/users/7", &session).status, 404);
        let response = navigate(&site, "/users/7");
        assert_eq!((response.status, response.text().as_str()), (200, DOCUMENT));
    }
    assert_eq!(site.get("/users/7", &session).text(), "origin-404");
}
