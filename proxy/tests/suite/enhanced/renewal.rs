//! Sessions that are renewed on the way, seen from outside.

use std::{sync::Barrier, thread, time::Duration};

use dev_idp::{Endpoint, Fault, Overrides, RefreshRotation};
use serde_json::{Value, json};

use crate::support::{
    http::{Request, Response},
    origin::{Answer, CONTENT, Origin},
    site::{ALICE, Plan, Site},
};

/// A browser keeps this one, which a renewal does not change.
const LAST_USER: &str = "CognitoIdentityServiceProvider.3n4b5urk1ft4fl3mg5e62d9ado.LastAuthUser=alice";

fn enhanced(plan: Plan) -> Plan {
    plan.auth("profile", "enhanced")
}

fn expired(site: &Site) -> String {
    site.session_with(ALICE.0, &Overrides::expired())
}

fn script(method: &str, target: &str, cookies: &str) -> Request {
    Request::new(method, target)
        .header("Cookie", cookies)
        .header("Sec-Fetch-Mode", "cors")
        .header("Sec-Fetch-Site", "same-origin")
}

fn cookie<'r>(response: &'r Response, ending: &str) -> Option<&'r str> {
    let cookies = response.all("set-cookie").into_iter();
    cookies.map(|cookie| cookie.split(';').next().unwrap()).find(|cookie| {
        let name = cookie.split('=').next().unwrap();
        name.ends_with(ending)
    })
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// pain 29: at the provider too it is one token request, and late losers with the old cookies get the new tokens.
#[test]
fn pain_29_parallel_requests_with_one_expired_session_are_one_token_request() {
    const VIEWERS: usize = 24;
    let plan = enhanced(Plan::directory()).provider(|provider| {
        provider.rotation = RefreshRotation::On { grace_seconds: 0 };
    });
    let site = plan.start();
    let cookies = expired(&site);
    site.idp
        .faults()
        .times(Endpoint::Token, 1, Fault::delay(Duration::from_millis(300)));
    let together = Barrier::new(VIEWERS);
    let answers: Vec<Response> = thread::scope(|scope| {
        let ask = || {
            together.wait();
            site.get("/page.html", &cookies)
        };
        let viewers: Vec<_> = (0..VIEWERS).map(|_| scope.spawn(ask)).collect();
        viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect()
    });
    let late = site.get("/page.html", &cookies);
    let new = cookie(&late, ".refreshToken").unwrap().to_owned();
    for answer in answers.iter().chain([&late]) {
        assert_eq!((answer.status, answer.text()), (200, format!("page.html {CONTENT}")));
        assert_eq!(cookie(answer, ".refreshToken"), Some(&*new));
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    }
    assert_eq!(site.idp.requests().count(Endpoint::Token), 1);
    let counted = |result: &str| {
        site.metric(&format!(
            "portcullis_refreshes_total{{result=\"{result}\",site=\"app\"}}"
        ))
    };
    assert_eq!(counted("success"), 25.0);
    assert_eq!(counted("shared"), 24.0);
    // The tokens that came are good for themselves.
    let renewed: Vec<&str> = late
        .all("set-cookie")
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap())
        .collect();
    let next = site.get("/page.html", &format!("{LAST_USER}; {}", renewed.join("; ")));
    assert_eq!(next.status, 200);
    assert!(next.all("set-cookie").is_empty(), "{next:?}");
}

/// pain 4: neither method nor body is lost.
#[test]
fn pain_04_a_post_with_an_expired_session_arrives_once_with_its_body() {
    let origin = Origin::content();
    let site = enhanced(Plan::custom(&origin)).start();
    let request = script("POST", "/api/orders?x=%2F", &expired(&site)).body("a body of some length");
    let answer = site.ask(&request);
    assert_eq!((answer.status, answer.text()), (200, CONTENT.to_owned()));
    assert!(cookie(&answer, ".idToken").is_some());
    let asked = origin.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method(), asked[0].target()), ("POST", "/api/orders?x=%2F"));
    assert_eq!(asked[0].body, b"a body of some length");
    assert!(asked[0].header("cookie").is_none(), "{}", asked[0].head);
}

/// T-CACHE-2: renewed cookies ride on whatever the viewer gets, and are nobody else's.
#[test]
fn t_cache_2_new_cookies_ride_on_cached_answers_and_are_stored_with_none() {
    let origin = Origin::start(|_| {
        let fields = [
            ("Cache-Control", "public, max-age=600"),
            ("ETag", "\"tag\""),
            ("CDN-Cache-Control", "max-age=9"),
        ];
        Answer::with("200 OK", &fields, CONTENT)
    });
    let plan = enhanced(Plan::custom(&origin)).site("cache", json!({ "enabled": true, "default_ttl": "0s" }));
    let site = plan.start();
    let with_expired = |method: &str, more: &[(&str, &str)]| {
        site.ask(
            &Request::new(method, "/page.html")
                .header("Cookie", expired(&site))
                .headers(more),
        )
    };
    for (method, more, status) in [
        ("GET", &[][..], 200),
        ("GET", &[], 200),
        ("HEAD", &[], 200),
        ("GET", &[("If-None-Match", "\"tag\"")], 304),
        ("GET", &[("Range", "bytes=0-3")], 206),
    ] {
        let answer = with_expired(method, more);
        assert_eq!(answer.status, status, "{method} {more:?}");
        assert!(cookie(&answer, ".idToken").is_some(), "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(answer.header("cdn-cache-control"), None);
    }
    let other = site.get("/page.html", &site.session());
    assert_eq!(other.header("x-cache"), Some("hit"));
    assert!(other.all("set-cookie").is_empty());
    assert_eq!(other.header("cache-control"), Some("public, max-age=600"));
    assert_eq!(origin.asked().len(), 1);
}

/// pain 1: trouble at the provider is no reason to sign anybody out.
#[test]
fn pain_01_an_outage_of_the_provider_signs_nobody_out() {
    let site = enhanced(Plan::directory()).start();
    let long_over = expired(&site);
    let just_over = site.session_with(ALICE.0, &Overrides::none().expires_in(-5));
    for fault in [Fault::status(500), Fault::status(429), Fault::Close, Fault::Garbage] {
        site.idp.faults().set(Endpoint::Token, fault.clone());
        let later = site.get("/page.html", &long_over);
        assert_eq!(
            (later.status, later.header("retry-after")),
            (503, Some("5")),
            "{fault:?}"
        );
        assert!(later.all("set-cookie").is_empty());
        assert!(!later.text().contains(CONTENT));
        assert_eq!(site.get("/page.html", &just_over).status, 200, "{fault:?}");
        let told = site.ask(&script("GET", "/data.json", &long_over));
        assert_eq!(
            (told.status, json(&told)["error"].as_str()),
            (503, Some("temporarily_unavailable"))
        );
    }
}

/// pain 3: what a single-page application with HttpOnly cookies needs.
#[test]
fn pain_03_a_script_reads_its_session_and_renews_it_without_seeing_a_token() {
    let site = enhanced(Plan::directory()).start();
    let cookies = site.session();
    let session = site.ask(&script("GET", "/_portcullis/session", &cookies));
    assert_eq!(session.status, 200);
    assert_eq!(
        json(&session)["claims"]["cognito:groups"],
        json!(["readers", "writers"])
    );
    assert_eq!(session.header("cache-control"), Some("no-store"));
    assert!(!session.text().contains("eyJ"), "T-LEAK-2: {}", session.text());

    let renewed = site.ask(&script("POST", "/_portcullis/refresh", &cookies));
    assert_eq!((renewed.status, renewed.body.len()), (204, 0));
    assert!(cookie(&renewed, ".idToken").is_some());
    assert_eq!(site.ask(&script("GET", "/_portcullis/refresh", &cookies)).status, 405);

    let gone = site.ask(&script("GET", "/_portcullis/session", ""));
    assert_eq!(
        (gone.status, json(&gone)["reason"].as_str()),
        (401, Some("session-absent"))
    );
    let nothing = site.ask(&script("POST", "/_portcullis/refresh", ""));
    assert_eq!(
        (nothing.status, json(&nothing)["reason"].as_str()),
        (401, Some("refresh-token-missing"))
    );
    let url = json(&gone)["sign_in_url"].as_str().unwrap().to_owned();
    assert_eq!(url, site.url("/_portcullis/sign-in"));
}

/// T-WS-1
#[test]
fn t_ws_1_an_upgrade_without_a_session_is_401_and_from_another_origin_403() {
    let origin = Origin::content();
    let site = enhanced(Plan::custom(&origin)).start();
    let upgrade = |cookies: &str, origin: &str| {
        let request = Request::get("/socket")
            .header("Cookie", cookies)
            .header("Origin", origin)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket");
        site.wire().send(&request, &site.authority())
    };
    let refused = upgrade("", &site.url(""));
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
    assert!(refused.all("set-cookie").is_empty());
    assert_eq!(upgrade(&site.session(), "https://evil.example").status, 403);
    assert!(origin.asked().is_empty());
}
