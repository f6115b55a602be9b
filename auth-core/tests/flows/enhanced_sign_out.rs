//! Sign-out in the enhanced profile: what it leaves behind, whom it waits for, and who may ask for it.

use std::time::Duration;

use auth_core::{Authenticator, CallError, CallPurpose, HttpReply, Reason, Response, Step, UnixTime};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    fixture::{CLIENT, NOW, Rng, foreign_token, json_reply, response, site, token},
    jar::{Jar, all_set_cookies},
};

fn enhanced(overrides: Value) -> Authenticator {
    let mut all = overrides;
    all["profile"] = json!("enhanced");
    site(all)
}

fn done() -> HttpReply {
    json_reply(&json!({}))
}

/// A sign-out, by whatever way it goes within the site.
pub(crate) fn sign_out(jar: &mut Jar, auth: &Authenticator) -> Response {
    let answer = jar.navigate(auth, "/signout", &done(), NOW);
    match answer.reason {
        Reason::SignOutSentRound => {
            let location = answer.headers.first("location").unwrap();
            let target = location.strip_prefix(&format!("https://{}", jar.host)).unwrap();
            jar.navigate(auth, target, &done(), NOW)
        }
        _ => answer,
    }
}

fn prefixed(name: &str) -> String {
    format!("CognitoIdentityServiceProvider.{CLIENT}.{name}")
}

/// T-COOKIE-6: whatever cookies of ours a browser has, and wherever they stand, none is left. The session need not
/// be good, nor its user the last one.
#[test]
fn pain_06_t_cookie_6_sign_out_leaves_nothing_in_the_browser() {
    let domain = "Path=/; Domain=example.com; Secure; SameSite=Lax";
    for overrides in [
        json!({"cookieCompatibility": "amplify"}),
        json!({"cookieCompatibility": "amplify", "mode": "staticSiteMode"}),
        json!({"cookieCompatibility": "elasticsearch"}),
        json!({"cookieCompatibility": "amplify", "cookieSettings": {
            "idToken": domain, "accessToken": domain, "refreshToken": "Path=/refreshauth; Secure; HttpOnly", "nonce": domain}}),
        json!({"cookieCompatibility": "amplify", "cookieSettings": {"idToken": "Path=/app; Secure", "accessToken": "Secure; HttpOnly"}}),
        json!({"cookieCompatibility": "amplify", "enhancements": {"sealedSession": true}}),
        json!({"cookieCompatibility": "elasticsearch", "mode": "staticSiteMode", "enhancements": {"parallelSignIns": false}}),
    ] {
        let auth = enhanced(overrides.clone());
        let mut jar = Jar::at("app.example.com");
        jar.set("app.example.com", "/", "theme=dark; Path=/");
        // An attempt in another tab, the session, and someone else's leftovers in every spelling.
        if overrides["enhancements"]["parallelSignIns"] != false {
            jar.navigate(&auth, "/other?x", &done(), NOW);
            jar.sign_in(&auth, json!({"cognito:username": "jane@example.com"}), NOW);
        }
        for cookie in [
            format!("{}=bob; Path=/", prefixed("LastAuthUser")),
            format!("{}={}; Path=/", prefixed("bob.idToken"), foreign_token()),
            format!("{}=x; Path=/refreshauth; Secure", prefixed("bob.refreshToken")),
            format!("{}=x; Path=/; Domain=example.com", prefixed("bob.idToken")),
            format!("{}=x; Path=/", prefixed("b%40x.y.accessToken")),
            format!("{}=0; Path=/", prefixed("bob.clockDrift")),
            "spa-auth-edge-nonce=n; Path=/; Secure".to_owned(),
            "spa-auth-edge-refresh=failed; Path=/; Secure".to_owned(),
        ] {
            let amplify = overrides["cookieCompatibility"] == "amplify";
            if amplify || cookie.starts_with("spa") {
                jar.set("app.example.com", "/", &cookie);
            }
        }
        assert!(jar.kept.len() > 2, "{:?}", jar.names());
        let answer = sign_out(&mut jar, &auth);
        assert!(matches!(answer.reason, Reason::SignedOut | Reason::AlreadySignedOut));
        let ours: Vec<&str> = jar
            .names()
            .into_iter()
            .filter(|name| !name.ends_with("-signed-out"))
            .collect();
        assert_eq!(ours, ["theme"], "{overrides}");
    }
}

/// Proxies in between have buffers of 4 or 8 KB for what stands before a body.
#[test]
fn an_ordinary_sign_out_takes_less_than_4_kb_of_headers() {
    for overrides in [
        json!({"cookieCompatibility": "amplify"}),
        json!({"cookieCompatibility": "amplify", "mode": "staticSiteMode"}),
        json!({"cookieCompatibility": "amplify", "enhancements": {"sealedSession": true}}),
    ] {
        let auth = enhanced(overrides);
        let mut jar = Jar::at("app.example.com");
        jar.sign_in(
            &auth,
            json!({"cognito:username": "0d1e2f3a-4b5c-4d7e-8f90-a1b2c3d4e5f6"}),
            NOW,
        );
        let answer = sign_out(&mut jar, &auth);
        let bytes: usize = answer
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        assert!(bytes < 4096, "{bytes}");
    }
}

/// The page that the hosted UI leads back to is a protected one: who comes there from a sign-out is not sent to
/// sign in again, and who goes on from there is.
#[test]
fn a_sign_out_ends_on_a_public_page_without_anything_registered_for_it() {
    let auth = enhanced(json!({}));
    let mut jar = Jar::at("site.example");
    jar.sign_in(&auth, json!({}), NOW);
    let out = jar.navigate(&auth, "/signout", &done(), NOW);
    assert_eq!(out.status, 302);
    assert_eq!(
        out.headers.first("location"),
        Some("https://login.example/logout?logout_uri=https%3A%2F%2Fsite.example%2F&client_id=client")
    );
    assert_eq!(out.headers.first("cache-control"), Some("no-store"));
    let back = jar.navigate(&auth, "/", &done(), NOW);
    assert_eq!(
        back.headers.first("location"),
        Some("https://site.example/_portcullis/signed-out")
    );
    assert!(jar.kept.is_empty(), "{:?}", jar.names());
    let next = jar.navigate(&auth, "/", &done(), NOW);
    assert!(next.headers.first("location").unwrap().contains("/oauth2/authorize?"));
}

#[test]
fn a_sign_out_without_a_session_still_ends_the_one_at_the_hosted_ui() {
    let auth = enhanced(json!({}));
    let answer = Jar::at("site.example").navigate(&auth, "/signout", &done(), NOW);
    assert_eq!(answer.reason, Reason::AlreadySignedOut);
    assert!(
        answer
            .headers
            .first("location")
            .unwrap()
            .starts_with("https://login.example/logout?")
    );
}

#[test]
fn each_refresh_token_at_hand_is_revoked_within_one_second_and_a_failure_stops_nothing() {
    let auth = enhanced(json!({"cookieCompatibility": "amplify", "clientSecret": "hush"}));
    let mut jar = Jar::at("site.example");
    for user in ["one", "two"] {
        jar.set(
            "site.example",
            "/",
            &format!("{}=r-{user}; Path=/", prefixed(&format!("{user}.refreshToken"))),
        );
    }
    let Step::Call(first) = jar.ask(&auth, "/signout", NAVIGATION, NOW) else {
        panic!("no revocation")
    };
    assert_eq!(first.call().purpose, CallPurpose::Revocation);
    assert_eq!(first.call().url, "https://login.example/oauth2/revoke");
    assert_eq!(first.call().attempt_timeout, Duration::from_secs(1));
    assert_eq!(
        first.call().form.as_ref().unwrap().expose(),
        "token=r-two&client_id=client"
    );
    assert!(
        first
            .call()
            .authorization
            .as_ref()
            .unwrap()
            .expose()
            .starts_with("Basic ")
    );
    let later = UnixTime::from_millis(NOW.as_millis() + 400);
    let Step::Call(second) = first.resume(Err(CallError::Timeout), later, &mut Rng) else {
        panic!("no second revocation")
    };
    assert_eq!(second.call().attempt_timeout, Duration::from_millis(600));
    assert_eq!(
        second.call().form.as_ref().unwrap().expose(),
        "token=r-one&client_id=client"
    );
    let end = response(second.resume(Err(CallError::Timeout), NOW, &mut Rng));
    assert_eq!((end.status, end.reason), (302, Reason::SignedOut));

    let Step::Call(first) = jar.ask(&auth, "/signout", NAVIGATION, NOW) else {
        panic!("no revocation")
    };
    let too_late = UnixTime::from_secs(NOW.as_secs() + 1);
    assert_eq!(
        response(first.resume(Err(CallError::Timeout), too_late, &mut Rng)).reason,
        Reason::SignedOut
    );
}

/// In `staticSiteMode` the browser sends the refresh token to the refresh path alone.
#[test]
fn a_refresh_token_that_is_for_the_refresh_path_alone_is_revoked_there() {
    for more in [json!({}), json!({"enhancements": {"inPlaceRefresh": false}})] {
        let mut all = more;
        all["cookieCompatibility"] = json!("amplify");
        all["mode"] = json!("staticSiteMode");
        let auth = enhanced(all);
        let mut jar = Jar::at("site.example");
        jar.sign_in(&auth, json!({}), NOW);
        let sent = jar.navigate(&auth, "/signout", &done(), NOW);
        assert_eq!((sent.status, sent.reason), (302, Reason::SignOutSentRound));
        let location = sent.headers.first("location");
        assert_eq!(location, Some("https://site.example/refreshauth?sign-out"));
        let Step::Call(call) = jar.ask(&auth, "/refreshauth?sign-out", NAVIGATION, NOW) else {
            panic!("no revocation")
        };
        assert_eq!(
            call.call().form.as_ref().unwrap().expose(),
            "token=a-refresh-token&client_id=client"
        );
        let end = response(call.resume(Ok(done()), NOW, &mut Rng));
        assert_eq!((end.status, end.reason), (302, Reason::SignedOut));
        assert!(
            end.headers
                .first("location")
                .unwrap()
                .starts_with("https://login.example/logout?")
        );
        jar.keep("/refreshauth", &all_set_cookies(&end));
        assert_eq!(
            jar.names()
                .into_iter()
                .filter(|name| !name.ends_with("-signed-out"))
                .count(),
            0
        );
        // Who has no session any more is not sent round.
        let again = jar.navigate(&auth, "/signout", &done(), NOW);
        assert_eq!(again.reason, Reason::AlreadySignedOut);
    }
}

/// T-CSRF-5: nor does the way round by itself.
#[test]
fn t_csrf_5_the_way_round_of_a_sign_out_signs_nobody_out_for_another_site() {
    let auth = enhanced(json!({"mode": "staticSiteMode"}));
    let fields = &[
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
    ];
    let answer = response(Jar::at("site.example").ask(&auth, "/refreshauth?sign-out", fields, NOW));
    assert_eq!((answer.status, answer.reason), (403, Reason::SignOutForeign));
}

#[test]
fn a_sealed_sessions_refresh_token_is_revoked_as_well() {
    let auth = enhanced(json!({"enhancements": {"sealedSession": true}}));
    let mut jar = Jar::at("site.example");
    jar.sign_in(&auth, json!({}), NOW);
    let Step::Call(call) = jar.ask(&auth, "/signout", NAVIGATION, NOW) else {
        panic!("no revocation")
    };
    assert_eq!(
        call.call().form.as_ref().unwrap().expose(),
        "token=a-refresh-token&client_id=client"
    );
}

/// T-CSRF-5: a picture or a frame on another site's page, or a browser that loads ahead, signs nobody out.
#[test]
fn t_csrf_5_a_sign_out_that_nobody_asked_for_is_refused() {
    let auth = enhanced(json!({}));
    let cookie = format!("ID-TOKEN={}; Path=/", token(json!({})));
    let mut jar = Jar::at("site.example");
    jar.set("site.example", "/", &cookie);
    for (fields, refused) in [
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ][..],
            true,
        ),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
            true,
        ),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
            ],
            true,
        ),
        (&[("sec-fetch-site", "same-origin"), ("sec-purpose", "prefetch")], true),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            false,
        ),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            false,
        ),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
            ],
            false,
        ),
        (
            &[
                ("sec-fetch-site", "none"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            false,
        ),
        (&[], false),
    ] {
        let answer = response(jar.ask(&auth, "/signout", fields, NOW));
        assert_eq!(answer.status, if refused { 403 } else { 302 }, "{fields:?}");
        assert_eq!(all_set_cookies(&answer).is_empty(), refused, "{fields:?}");
        assert_eq!(answer.reason == Reason::SignOutForeign, refused);
    }
}

#[test]
fn switched_off_the_references_sign_out_stands() {
    let auth = enhanced(json!({"enhancements": {"thoroughSignOut": false}}));
    let answer = response(Jar::at("site.example").ask(&auth, "/signout", NAVIGATION, NOW));
    assert_eq!((answer.status, answer.reason), (200, Reason::AlreadySignedOut));
}
