//! Known sessions: the token cache, and what a forwarded request says of its viewer.

use auth_core::{Access, Claim, Reason, UnixTime};
use serde_json::json;

use crate::fixture::{NOW, foreign_token, forward, get, reason, response, site, token, with_token};

#[test]
fn a_verified_session_names_its_viewer() {
    let auth = site(json!({}));
    let forward = forward(with_token(&auth, &token(json!({"cognito:groups": ["a", "b"]})), NOW));
    let Access::Session(viewer) = forward.access else {
        panic!("not a session")
    };
    assert_eq!(viewer.subject(), Some("s"));
    assert_eq!(viewer.username(), Some("jane"));
    assert_eq!(viewer.email(), Some("jane@example.com"));
    assert!(viewer.groups().eq(["a", "b"]));
    assert!(forward.response_cookies.is_empty());
}

#[test]
fn a_session_shows_any_claim_and_its_token_only_when_asked() {
    let auth = site(json!({}));
    let token = token(json!({"custom:level": 7, "address": {"country": "NL"}}));
    for expected in [Reason::SessionVerified, Reason::SessionKnown] {
        let forward = forward(with_token(&auth, &token, NOW));
        assert_eq!(forward.reason, expected);
        let Access::Session(viewer) = forward.access else {
            panic!("not a session")
        };
        assert_eq!(viewer.claim("custom:level"), Some(Claim::Number(7.0)));
        assert_eq!(
            viewer.claim("address").map(Claim::stringify).as_deref(),
            Some(r#"{"country":"NL"}"#)
        );
        assert_eq!(viewer.claim("nickname"), None);
        assert_eq!(&**viewer.token().unwrap().expose(), token);
        assert!(!format!("{viewer:?}").contains(&token));
    }
}

#[test]
fn a_remembered_token_is_never_accepted_past_its_expiry() {
    let auth = site(json!({}));
    let token = token(json!({"exp": NOW.as_secs() + 10}));
    assert_eq!(reason(with_token(&auth, &token, NOW)), Reason::SessionVerified);
    assert_eq!(auth.remembered_tokens(), 1);
    let at_expiry = UnixTime::from_secs(NOW.as_secs() + 10);
    assert_eq!(reason(with_token(&auth, &token, at_expiry)), Reason::SessionKnown);
    let after = UnixTime::from_millis(at_expiry.as_millis() + 1);
    assert_eq!(reason(with_token(&auth, &token, after)), Reason::SessionExpired);
}

/// T-DOS-6
#[test]
fn tokens_that_fail_are_not_remembered() {
    let auth = site(json!({}));
    for bad in [
        foreign_token(),
        token(json!({"exp": 1})),
        token(json!({"aud": "other"})),
    ] {
        assert_ne!(reason(with_token(&auth, &bad, NOW)), Reason::SessionVerified);
    }
    assert_eq!(auth.remembered_tokens(), 0);
}

#[test]
fn a_token_that_differs_from_a_remembered_one_by_a_bit_is_verified_anew() {
    let auth = site(json!({}));
    let good = token(json!({}));
    assert_eq!(reason(with_token(&auth, &good, NOW)), Reason::SessionVerified);
    let at = good.len() - 20;
    let flipped = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
    let bad = format!("{}{flipped}{}", &good[..at], &good[at + 1..]);
    assert_eq!(reason(with_token(&auth, &bad, NOW)), Reason::TokenSignature);
}

#[test]
fn an_expired_session_is_refreshed_once_and_then_signed_in_again() {
    let auth = site(json!({}));
    let cookie = format!("ID-TOKEN={}", token(json!({"exp": NOW.as_secs() - 1})));
    let answer = response(get(&auth, "/a?b=c", &[&cookie], NOW));
    let location = answer.headers.first("location").unwrap();
    assert!(
        location.starts_with("https://site.example/refreshauth?requestedUri=%2Fa%3Fb%3Dc&nonce="),
        "{location}"
    );
    let marked = format!("{cookie}; spa-auth-edge-refresh=failed");
    let answer = response(get(&auth, "/a", &[&marked], NOW));
    assert_eq!(answer.reason, Reason::SessionNotRefreshable);
    assert!(
        answer
            .headers
            .first("location")
            .unwrap()
            .starts_with("https://login.example/oauth2/authorize?")
    );
}

/// T-COOKIE-1: of two cookies of one name within a field the first counts, in both orders.
#[test]
fn a_planted_second_cookie_never_makes_a_session() {
    let auth = site(json!({}));
    let (good, bad) = (token(json!({})), foreign_token());
    let both =
        |first: &str, second: &str| reason(get(&auth, "/", &[&format!("ID-TOKEN={first}; ID-TOKEN={second}")], NOW));
    assert_eq!(both(&good, &bad), Reason::SessionVerified);
    assert_eq!(both(&bad, &good), Reason::TokenSignature);
}
