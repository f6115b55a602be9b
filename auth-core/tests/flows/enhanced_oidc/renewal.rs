//! Sessions renewed there, with a new id token and without.

use auth_core::{Reason, Response};
use serde_json::json;

use super::provider::{asked, edge_site, form, id_token, later, merge, oidc_site, signed_in, site, viewer_of};
use crate::{
    browser::NAVIGATION,
    fixture::{NOW, forward, json_reply, response},
    jar::all_set_cookies,
};

fn assert_asks_to_sign_in(answer: &Response) {
    let location = answer.headers.first("Location").unwrap();
    assert!(location.starts_with("https://id.example/authorize?"), "{location}");
}

#[test]
fn without_a_refresh_token_the_end_of_the_session_is_one_sign_in() {
    let auth = site();
    let jar = signed_in(&auth, json!({}), json!({"refresh_token": null}));
    let (calls, step) = asked(&jar, &auth, "/", &json_reply(&json!({})), later(3601));
    assert!(calls.is_empty());
    let answer = response(step);
    assert_eq!(answer.status, 302);
    assert_asks_to_sign_in(&answer);
}

#[test]
fn a_session_is_renewed_and_a_new_id_token_counts() {
    let auth = oidc_site(json!({}), json!({}), json!({"clientSecret": "s"}));
    let mut jar = signed_in(&auth, json!({}), json!({}));
    let new = json!({"exp": NOW.as_secs() + 7200, "groups": ["other"], "iat": NOW.as_secs() + 3601});
    let reply = json_reply(&json!({"id_token": id_token(new), "access_token": "b", "refresh_token": "rotated"}));
    let (calls, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(form(&calls[0]), "grant_type=refresh_token&refresh_token=refresh");
    assert_eq!(calls[0].url, "https://id.example/token");
    let passed = forward(step);
    assert_eq!(passed.reason, Reason::Refreshed);
    jar.keep("/", &passed.response_cookies);
    let viewer = viewer_of(jar.pass(&auth, later(3700)));
    assert!(viewer.groups().eq(["other"]));
    let (calls, _) = asked(&jar, &auth, "/", &reply, later(7201));
    assert!(form(&calls[0]).ends_with("refresh_token=rotated"));
}

#[test]
fn at_the_edge_a_session_is_renewed_on_the_way_round_by_the_refresh_path() {
    let auth = edge_site();
    let mut jar = signed_in(&auth, json!({}), json!({}));
    assert_eq!(jar.pass(&auth, NOW).reason, Reason::SessionVerified);
    let sent = response(jar.ask(&auth, "/page", NAVIGATION, later(3601)));
    assert_eq!((sent.status, sent.reason), (307, Reason::SessionExpired));
    jar.keep("/page", &all_set_cookies(&sent));
    let target = sent.headers.first("Location").unwrap();
    let target = target.strip_prefix("https://site.example").unwrap();
    for id in [Some(id_token(json!({"exp": NOW.as_secs() + 7200}))), None] {
        let mut jar = jar.clone();
        let mut tokens = json!({"access_token": "b", "expires_in": 3600});
        merge(&mut tokens, &json!({"id_token": id}));
        let (calls, step) = asked(&jar, &auth, target, &json_reply(&tokens), later(3601));
        assert_eq!(calls[0].url, "https://id.example/token");
        let back = response(step);
        assert_eq!(back.headers.first("Location"), Some("https://site.example/page"));
        jar.keep("/refreshauth", &all_set_cookies(&back));
        assert_eq!(jar.pass(&auth, later(3700)).reason, Reason::SessionVerified);
    }
}

/// OpenID Connect Core, section 12.2: the id token is optional there.
#[test]
fn a_renewal_without_an_id_token_prolongs_a_sealed_session_by_the_access_tokens_life() {
    let auth = site();
    let mut jar = signed_in(&auth, json!({}), json!({}));
    for (at, expires_in, good_for) in [
        (3601, json!(600), 600),
        (5000, json!(null), 300),
        (6000, json!(1e9), 86_400),
    ] {
        let mut reply = json!({"access_token": format!("a{at}"), "token_type": "Bearer"});
        merge(&mut reply, &json!({"expires_in": expires_in}));
        let (_, step) = asked(&jar, &auth, "/", &json_reply(&reply), later(at));
        let passed = forward(step);
        assert_eq!(passed.reason, Reason::Refreshed);
        jar.keep("/", &passed.response_cookies);
        let viewer = viewer_of(passed);
        assert_eq!((viewer.username(), viewer.token().is_none()), (Some("jane"), true));
        assert_eq!(jar.pass(&auth, later(at + 1)).reason, Reason::SessionVerified);
        let (calls, _) = asked(&jar, &auth, "/", &json_reply(&reply), later(at + good_for + 1));
        assert_eq!(calls.len(), 1, "still good");
    }
}

#[test]
fn sessions_that_were_prolonged_are_told_apart() {
    let auth = site();
    let credential = |access_token: &str| {
        let jar = signed_in(&auth, json!({}), json!({}));
        let reply = json_reply(&json!({"access_token": access_token, "expires_in": 60}));
        let passed = forward(asked(&jar, &auth, "/", &reply, later(3601)).1);
        viewer_of(passed).credential().expose().to_string()
    };
    let (one, other) = (credential("one"), credential("other"));
    assert!(one != other && one.len() > 40 && !one.contains("one"), "{one}");
}

#[test]
fn a_renewal_without_an_id_token_ends_a_session_of_plain_cookies_in_a_sign_in() {
    let auth = oidc_site(
        json!({}),
        json!({"sealedSession": false}),
        json!({"cookieSettings": {"refreshToken": "Path=/; Secure; HttpOnly"}}),
    );
    let jar = signed_in(&auth, json!({}), json!({}));
    let reply = json_reply(&json!({"access_token": "a", "expires_in": 600}));
    let (calls, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(calls.len(), 1);
    let answer = response(step);
    assert_eq!((answer.status, answer.reason), (302, Reason::SessionNotRefreshable));
    assert_asks_to_sign_in(&answer);
    // A reply without any token is no reply.
    let (_, step) = asked(&jar, &auth, "/", &json_reply(&json!({"ok": true})), later(3700));
    assert_eq!(response(step).status, 503);
}

/// T-JWT-6
#[test]
fn t_jwt_6_a_renewal_that_brings_another_subject_ends_the_session() {
    let auth = site();
    let jar = signed_in(&auth, json!({}), json!({}));
    let other = id_token(json!({"sub": "another", "exp": NOW.as_secs() + 7200}));
    let reply = json_reply(&json!({"id_token": other, "access_token": "a"}));
    let (_, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(response(step).reason, Reason::TokenSubject);
}
