//! Sessions renewed on the way, ahead of their end, by a script, and round by the refresh path.

use auth_core::{
    Access, Authenticator, CallError, Capabilities, Config, HttpCall, HttpReply, Reason, Step, json::Json,
};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    fixture::{Asking, NOW, Rng, ask, config, foreign_token, forward, json_reply, response, token},
};

pub(crate) fn enhanced_at(capabilities: Capabilities, enhancements: Value, others: Value) -> Authenticator {
    let mut all = config(others);
    all["profile"] = json!("enhanced");
    all["enhancements"] = enhancements;
    let json = Json::parse(all.to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), capabilities)
}

pub(crate) fn enhanced(enhancements: Value) -> Authenticator {
    enhanced_at(Capabilities::PROXY, enhancements, json!({}))
}

pub(crate) const FETCH: &[(&str, &str)] = &[("sec-fetch-mode", "cors"), ("accept", "*/*")];

pub(crate) fn page<'a>(target: &'a str, cookies: &'a [&'a str]) -> Asking<'a> {
    Asking {
        method: "GET",
        target,
        cookies,
        fields: NAVIGATION,
    }
}

pub(crate) fn script<'a>(target: &'a str, cookies: &'a [&'a str]) -> Asking<'a> {
    Asking {
        method: "GET",
        target,
        cookies,
        fields: FETCH,
    }
}

pub(crate) fn expired() -> String {
    token(json!({"exp": NOW.as_secs() - 3600, "iat": NOW.as_secs() - 7200}))
}

pub(crate) fn session(id: &str) -> String {
    format!("ID-TOKEN={id}; ACCESS-TOKEN=a; REFRESH-TOKEN=the-refresh-token")
}

pub(crate) fn reply(id: &str) -> Result<HttpReply, CallError> {
    Ok(json_reply(
        &json!({"id_token": id, "access_token": "new-access", "expires_in": 3600}),
    ))
}

pub(crate) fn refused(status: u16, error: &str) -> Result<HttpReply, CallError> {
    Ok(HttpReply {
        status,
        ..json_reply(&json!({"error": error}))
    })
}

/// Answers the one call that the step must be.
pub(crate) fn answer(step: Step, outcome: Result<HttpReply, CallError>) -> Step {
    match step {
        Step::Call(pending) => pending.resume(outcome, NOW, &mut Rng),
        Step::Decided(decision) => panic!("no call: {decision:?}"),
    }
}

pub(crate) fn call(step: &Step) -> &HttpCall {
    match step {
        Step::Call(pending) => pending.call(),
        Step::Decided(decision) => panic!("no call: {decision:?}"),
    }
}

pub(crate) fn cookies_of(response: &auth_core::Response) -> Vec<&str> {
    let all = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    all.map(|(_, value)| value).collect()
}

/// pain 4: there is no redirect that could lose method or body.
#[test]
fn pain_04_an_expired_session_is_renewed_on_the_way_whatever_the_method() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
        for fields in [NAVIGATION, FETCH] {
            let auth = enhanced(json!({}));
            let cookie = session(&expired());
            let step = ask(
                &auth,
                &Asking {
                    method,
                    target: "/a?b",
                    cookies: &[&cookie],
                    fields,
                },
                NOW,
            );
            assert!(
                call(&step)
                    .form
                    .as_ref()
                    .unwrap()
                    .expose()
                    .contains("refresh_token=the-refresh-token")
            );
            let new = token(json!({"jti": method}));
            let forward = forward(answer(step, reply(&new)));
            assert_eq!(forward.reason, Reason::Refreshed);
            let Access::Session(viewer) = forward.access else {
                panic!("not a session")
            };
            assert_eq!(viewer.subject(), Some("s"));
            assert!(
                forward
                    .response_cookies
                    .iter()
                    .any(|cookie| cookie.starts_with(&format!("ID-TOKEN={new}; ")))
            );
            assert!(
                forward
                    .response_cookies
                    .iter()
                    .any(|cookie| cookie.starts_with("ACCESS-TOKEN=new-access; "))
            );
            assert!(
                !forward
                    .response_cookies
                    .iter()
                    .any(|cookie| cookie.starts_with("REFRESH-TOKEN="))
            );
        }
    }
}

/// pain 11: whatever the id token's state, even absent.
#[test]
fn pain_11_a_refresh_token_renews_whatever_the_id_token_is() {
    let others = [
        format!("ID-TOKEN={}; ", expired()),
        format!("ID-TOKEN={}; ", foreign_token()),
        format!("ID-TOKEN={}; ", token(json!({"aud": "other"}))),
        "ID-TOKEN=; ".to_owned(),
        "ID-TOKEN=nonsense; ".to_owned(),
        String::new(),
    ];
    for id in others {
        let auth = enhanced(json!({}));
        let cookie = format!("{id}REFRESH-TOKEN=r");
        let step = ask(&auth, &page("/", &[&cookie]), NOW);
        assert_eq!(
            forward(answer(step, reply(&token(json!({}))))).reason,
            Reason::Refreshed,
            "{id}"
        );
    }
}

#[test]
fn pain_11_a_rotated_refresh_token_is_kept_unless_that_is_switched_off() {
    let rotated = json_reply(&json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "next"}));
    for (switch, is_set) in [(true, true), (false, false)] {
        let auth = enhanced(json!({"refreshTokenRotation": switch}));
        let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
        let cookies = forward(answer(step, Ok(rotated.clone()))).response_cookies;
        assert_eq!(
            cookies.iter().any(|cookie| cookie.starts_with("REFRESH-TOKEN=next; ")),
            is_set
        );
    }
}

/// T-JWT-6
#[test]
fn t_jwt_6_a_renewed_id_token_is_verified_and_must_be_about_the_same_subject() {
    for (id, status) in [
        (foreign_token(), 503),
        (token(json!({"aud": "other"})), 503),
        (token(json!({"token_use": "access"})), 503),
        (token(json!({"exp": 1})), 503),
        ("nonsense".to_owned(), 503),
    ] {
        let auth = enhanced(json!({}));
        let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
        let answer = response(answer(step, reply(&id)));
        assert_eq!((answer.status, answer.reason), (status, Reason::TokenReply));
        assert!(cookies_of(&answer).is_empty(), "{answer:?}");
    }
    let auth = enhanced(json!({}));
    let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
    let other = response(answer(step, reply(&token(json!({"sub": "somebody-else"})))));
    assert_eq!(other.reason, Reason::TokenSubject);
    assert!(
        cookies_of(&other)
            .iter()
            .any(|cookie| cookie.starts_with("REFRESH-TOKEN=; "))
    );
}

/// pain 1: one clean sign-in.
#[test]
fn pain_01_a_refused_refresh_token_ends_in_one_clean_sign_in() {
    let auth = enhanced(json!({}));
    let cookie = session(&expired());
    let step = ask(&auth, &page("/a?b", &[&cookie]), NOW);
    let away = response(answer(step, refused(400, "invalid_grant")));
    assert_eq!(away.reason, Reason::RefreshTokenRejected);
    assert!(
        away.headers.first("location").unwrap().contains("/oauth2/authorize?"),
        "{away:?}"
    );
    for name in ["ID-TOKEN", "ACCESS-TOKEN", "REFRESH-TOKEN"] {
        let gone = format!("{name}=; ");
        assert!(
            cookies_of(&away).iter().any(|cookie| cookie.starts_with(&gone)),
            "{name}"
        );
    }
    assert_eq!(away.headers.first("cache-control"), Some("no-store"));
    let step = ask(&auth, &script("/a?b", &[&cookie]), NOW);
    let told = response(answer(step, refused(400, "invalid_grant")));
    assert_eq!((told.status, told.reason), (401, Reason::RefreshTokenRejected));
    assert!(
        cookies_of(&told).is_empty(),
        "they may be those of a session that another tab has begun"
    );
}

/// T-DOS-5, pain 1: nobody is signed out because the provider hiccuped.
#[test]
fn pain_01_trouble_at_the_provider_ends_no_session() {
    let troubles = || {
        [
            Err(CallError::Timeout),
            Err(CallError::Busy),
            Err(CallError::Connect("refused".to_owned())),
            refused(500, "server_error"),
            refused(429, "slow_down"),
            refused(401, "invalid_client"),
            Ok(HttpReply {
                content_type: Some("text/html".to_owned()),
                ..json_reply(&json!({}))
            }),
            Ok(json_reply(&json!({}))),
        ]
    };
    for outcome in troubles() {
        let auth = enhanced(json!({}));
        let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
        let later = response(answer(step, outcome.clone()));
        assert_eq!(later.status, 503, "{outcome:?}");
        assert_eq!(later.headers.first("retry-after"), Some("5"));
        assert!(cookies_of(&later).is_empty());
    }
    for outcome in troubles() {
        let just = session(&token(json!({"exp": NOW.as_secs() - 59})));
        let auth = enhanced(json!({}));
        let step = ask(&auth, &page("/", &[&just]), NOW);
        assert_eq!(
            forward(answer(step, outcome.clone())).reason,
            Reason::SessionInGrace,
            "{outcome:?}"
        );
        let auth = enhanced(json!({"refreshGraceSecs": 0}));
        let step = ask(&auth, &page("/", &[&just]), NOW);
        assert_eq!(response(answer(step, outcome)).status, 503);
    }
    let forged = format!("ID-TOKEN={}; REFRESH-TOKEN=r", foreign_token());
    let auth = enhanced(json!({}));
    let step = ask(&auth, &page("/", &[&forged]), NOW);
    assert_eq!(
        response(answer(step, Err(CallError::Timeout))).status,
        503,
        "no grace for what never was good"
    );
}

#[test]
fn a_client_that_may_not_refresh_is_sent_to_sign_in() {
    for error in ["unauthorized_client", "invalid_request"] {
        let auth = enhanced(json!({}));
        let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
        let away = response(answer(step, refused(400, error)));
        assert!(
            away.headers.first("location").unwrap().contains("/oauth2/authorize?"),
            "{away:?}"
        );
    }
}

/// T-AUTHZ-2
#[test]
fn t_authz_2_who_has_left_the_group_at_a_renewal_is_out() {
    let auth = enhanced_at(Capabilities::PROXY, json!({}), json!({"requiredGroup": "g"}));
    let old = token(json!({"exp": NOW.as_secs() - 3600, "cognito:groups": ["g"]}));
    for (groups, may_pass) in [(json!(["g"]), true), (json!(["h"]), false)] {
        let step = ask(&auth, &page("/", &[&session(&old)]), NOW);
        let new = token(json!({"cognito:groups": groups}));
        let step = answer(step, reply(&new));
        if may_pass {
            assert_eq!(forward(step).reason, Reason::Refreshed);
        } else {
            assert_eq!(response(step).status, 403);
        }
    }
}

#[test]
fn a_session_near_its_end_is_renewed_ahead_and_a_failure_of_that_harms_nothing() {
    let soon = session(&token(json!({"exp": NOW.as_secs() + 5, "iat": NOW.as_secs() - 3595})));
    let far = session(&token(json!({"exp": NOW.as_secs() + 61, "iat": NOW.as_secs() - 3539})));
    let auth = enhanced(json!({}));
    assert_eq!(
        forward(ask(&auth, &page("/", &[&far]), NOW)).reason,
        Reason::SessionVerified
    );
    let step = ask(&auth, &page("/", &[&soon]), NOW);
    let renewed = forward(answer(step, reply(&token(json!({})))));
    assert_eq!(renewed.reason, Reason::Refreshed);
    assert!(!renewed.response_cookies.is_empty());
    for outcome in [
        Err(CallError::Timeout),
        refused(400, "invalid_grant"),
        refused(500, "x"),
        reply(&foreign_token()),
    ] {
        let step = ask(&auth, &page("/", &[&soon]), NOW);
        let passed = forward(answer(step, outcome));
        assert_eq!(passed.reason, Reason::SessionKnown);
        assert!(passed.response_cookies.is_empty());
    }
    for settings in [json!({"refreshAheadSecs": 0}), json!({"inPlaceRefresh": false})] {
        let auth = enhanced(settings);
        assert_eq!(
            forward(ask(&auth, &page("/", &[&soon]), NOW)).reason,
            Reason::SessionVerified
        );
    }
    let auth = enhanced_at(Capabilities::EDGE, json!({}), json!({}));
    assert_eq!(
        forward(ask(&auth, &page("/", &[&soon]), NOW)).reason,
        Reason::SessionVerified
    );
}

#[test]
fn switched_off_sessions_are_renewed_as_in_the_reference() {
    let auth = enhanced(json!({"inPlaceRefresh": false}));
    let away = response(ask(&auth, &page("/a", &[&session(&expired())]), NOW));
    let location = away.headers.first("location").unwrap();
    assert!(
        location.starts_with("https://site.example/refreshauth?requestedUri=%2Fa&nonce="),
        "{location}"
    );
}

/// pain 22, and the edge, which cannot set cookies on what it forwards.
#[test]
fn pain_22_the_refresh_path_is_tried_once_for_each_expiry() {
    let hidden = json!({"cookieSettings": {"refreshToken": "Path=/refreshauth; Secure; HttpOnly"}});
    let id = format!("ID-TOKEN={}", expired());
    for (auth, cookie) in [
        (
            enhanced_at(Capabilities::EDGE, json!({}), json!({})),
            session(&expired()),
        ),
        (enhanced_at(Capabilities::EDGE, json!({}), hidden.clone()), id.clone()),
        (enhanced_at(Capabilities::PROXY, json!({}), hidden), id),
    ] {
        let away = response(ask(&auth, &page("/a?b=%20&c", &[&cookie]), NOW));
        assert_eq!((away.status, away.reason), (307, Reason::SessionExpired));
        let location = away.headers.first("location").unwrap().to_owned();
        assert_eq!(
            location,
            "https://site.example/refreshauth?requestedUri=%2Fa%3Fb%3D%2520%26c"
        );
        let marker = cookies_of(&away)[0].split("; ").next().unwrap().to_owned();
        assert!(cookies_of(&away)[0].contains("Max-Age=60"), "{away:?}");

        let target = location.strip_prefix("https://site.example").unwrap();
        let there = format!("{}; {marker}", session(&expired()));
        // The viewer followed a link on another site: all of the way there is cross-site.
        let fields = &[NAVIGATION, &[("sec-fetch-site", "cross-site")]].concat()[..];
        let step = ask(
            &auth,
            &Asking {
                method: "GET",
                target,
                cookies: &[&there],
                fields,
            },
            NOW,
        );
        let back = response(answer(step, reply(&token(json!({})))));
        assert_eq!((back.status, back.reason), (307, Reason::Refreshed));
        assert_eq!(back.headers.first("location"), Some("https://site.example/a?b=%20&c"));
        assert!(cookies_of(&back).iter().any(|cookie| cookie.starts_with("ID-TOKEN=")));

        // A browser that took none of the cookies is not sent round again.
        let again = response(ask(&auth, &page("/a", &[&format!("{cookie}; {marker}")]), NOW));
        assert_eq!(again.reason, Reason::SessionNotRefreshable);
        assert!(again.headers.first("location").unwrap().contains("/oauth2/authorize?"));
    }
}

#[test]
fn the_refresh_path_renews_nothing_for_pages_of_other_sites() {
    let auth = enhanced_at(Capabilities::EDGE, json!({}), json!({}));
    let fields = &[NAVIGATION, &[("sec-fetch-site", "cross-site")]].concat()[..];
    let cookie = session(&expired());
    let asking = Asking {
        method: "GET",
        target: "/refreshauth?requestedUri=//evil.example",
        cookies: &[&cookie],
        fields,
    };
    let back = response(ask(&auth, &asking, NOW));
    assert_eq!((back.status, back.reason), (307, Reason::CrossSite));
    assert!(
        back.headers
            .first("location")
            .unwrap()
            .starts_with("https://site.example/"),
        "{back:?}"
    );
    assert!(cookies_of(&back).is_empty());
}

#[test]
fn trouble_at_the_refresh_path_takes_the_marker_back_and_ends_nothing() {
    let auth = enhanced_at(Capabilities::EDGE, json!({}), json!({}));
    let cookie = format!("{}; spa-auth-edge-refresh=tried", session(&expired()));
    let step = ask(&auth, &page("/refreshauth?requestedUri=/a", &[&cookie]), NOW);
    let later = response(answer(step, Err(CallError::Timeout)));
    assert_eq!(later.status, 503);
    assert_eq!(cookies_of(&later).len(), 1);
    assert!(cookies_of(&later)[0].starts_with("spa-auth-edge-refresh=; Path=/; Max-Age=0"));
}

#[test]
fn equal_renewals_share_a_reply_and_say_nothing_of_the_token() {
    let auth = enhanced(json!({}));
    let step = ask(&auth, &page("/", &[&session(&expired())]), NOW);
    let other = ask(&auth, &page("/b", &["REFRESH-TOKEN=another"]), NOW);
    let (one, two) = (call(&step).clone(), call(&other).clone());
    assert_eq!(
        one.coalesce_key(),
        call(&ask(&auth, &script("/c", &[&session(&expired())]), NOW)).coalesce_key()
    );
    assert_ne!(one.coalesce_key(), two.coalesce_key());
    assert!(!format!("{one:?}").contains("the-refresh-token"));
    assert_eq!(one.stays(&reply("x")).as_secs(), 30);
    assert_eq!(one.stays(&refused(400, "invalid_grant")).as_secs(), 10);
    assert_eq!(one.stays(&Err(CallError::Timeout)).as_secs(), 1);
    let short = Ok(json_reply(&json!({"id_token": "x", "expires_in": 8})));
    assert_eq!(one.stays(&short).as_secs(), 4);
    let debug = format!("{:?}", reply("a-token-in-a-reply").unwrap());
    assert!(
        !debug.contains("a-token-in-a-reply") && !debug.contains("110, 101, 119"),
        "{debug}"
    );
}
