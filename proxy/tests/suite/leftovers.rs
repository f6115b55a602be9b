//! Attacks that belong to no one part: queries that look like paths, cookies of others, requests without a form.

use dev_idp::Overrides;
use serde_json::json;

use crate::support::{
    http::Request,
    origin::{CONTENT, Origin},
    site::{ALICE, BOB, CLIENT, Plan},
};

/// T-PATH-1: nothing is decided by what stands behind the question mark.
#[test]
fn a_query_that_looks_like_a_path_is_a_query() {
    let (origin, named) = (Origin::content(), Origin::content());
    let site = Plan::custom(&origin)
        .site("origins", json!({ "named": { "kind": "custom", "url": named.url() } }))
        .site("behaviours", json!([{ "path": "/named/*", "origin": "named" }]))
        .start();
    let session = site.session();
    for query in [
        "/named/x",
        "/signout",
        "/../named/x",
        "x=/named/",
        "/parseauth?code=a&state=b",
    ] {
        let target = format!("/page?{query}");
        assert!(site.is_sign_in(&site.get(&target, "")), "{target}");
        assert_eq!(site.get(&target, &session).text(), CONTENT, "{target}");
        assert_eq!(origin.last().target(), target);
    }
    assert!(named.asked().is_empty());
}

/// T-COOKIE-2
#[test]
fn cookies_that_another_user_left_behind_make_nobody_of_that_user() {
    let origin = Origin::content();
    let site = Plan::custom(&origin)
        .site("identity", json!({ "headers": { "App-User": "cognito:username" } }))
        .start();
    let alice = site.session();
    let bob = site.session_with(BOB.0, &Overrides::none());
    let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
    // Bob has signed in after alice, who never signed out.
    let leftovers = alice.replacen(&format!("{prefix}.LastAuthUser={}; ", ALICE.0), "", 1);
    assert_eq!(site.get("/", &format!("{leftovers}; {bob}")).status, 200);
    assert_eq!(origin.last().all("app-user"), [BOB.0]);
    assert_eq!(site.get("/", &format!("{bob}; {leftovers}")).status, 200);
    assert_eq!(origin.last().all("app-user"), [BOB.0]);
    // Bob has signed out; what alice left is nobody's session.
    let before = origin.asked().len();
    let nobody = format!("{prefix}.LastAuthUser={}; {leftovers}", BOB.0);
    assert!(site.is_sign_in(&site.get("/", &nobody)));
    assert!(site.is_sign_in(&site.get("/", &leftovers)));
    assert_eq!(origin.asked().len(), before);
}

/// T-FUZZ-req
#[test]
fn a_post_without_a_form_harms_nothing() {
    let site = Plan::directory().start();
    for target in ["/", "/parseauth", "/refreshauth", "/signout", "/parseauth?code=&state="] {
        for request in [
            Request::new("POST", target),
            Request::new("POST", target).body(""),
            Request::new("POST", target).header("Content-Type", "").body("x"),
            Request::new("POST", target).header("Content-Type", "application/x-www-form-urlencoded"),
        ] {
            let answer = site.ask(&request);
            assert!((200..500).contains(&answer.status), "{target}: {answer:?}");
            assert!(!answer.text().contains(CONTENT), "{target}");
        }
    }
    assert_eq!(site.get("/page.html", &site.session()).status, 200);
}

/// T-ENUM-1: who may not pass is not told which group would.
#[test]
fn the_page_for_outsiders_names_no_group_and_no_user() {
    let site = Plan::directory().auth("requiredGroup", "readers").start();
    let answers = [json!([]), json!(["writers"]), json!(["reader"]), json!("x")].map(|groups| {
        let overrides = Overrides::none().claim("cognito:groups", groups);
        let answer = site.get("/page.html", &site.session_with(BOB.0, &overrides));
        assert_eq!(answer.page().2, "group-required");
        answer.text()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    for secret in ["readers", BOB.0, CONTENT] {
        assert!(!answers[0].contains(secret), "{secret}");
    }
}
