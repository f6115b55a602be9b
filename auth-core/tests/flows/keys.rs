//! The issuer's keys at run time: fetched when a token names an unknown one, never more often.

use auth_core::{CallError, CallPurpose, HttpReply, PendingCall, Reason, Step, UnixTime};
use serde_json::json;

use crate::fixture::{NOW, Rng, json_reply, jwks, reason, site, token, token_with_header, with_token};

fn pending(step: Step) -> PendingCall {
    match step {
        Step::Call(pending) => pending,
        Step::Decided(decision) => panic!("decided {decision:?}"),
    }
}

#[test]
fn an_unknown_key_is_fetched_from_the_one_configured_place_and_the_session_goes_on() {
    let auth = site(json!({"jwks": {"keys": []}}));
    let pending = pending(with_token(&auth, &token(json!({})), NOW));
    assert_eq!(pending.call().purpose, CallPurpose::KeySet);
    assert_eq!(
        pending.call().url,
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E/.well-known/jwks.json"
    );
    assert!(pending.call().form.is_none() && pending.call().authorization.is_none());
    assert_eq!(
        reason(pending.resume(Ok(json_reply(&jwks())), NOW, &mut Rng)),
        Reason::SessionVerified
    );
    assert_eq!(
        reason(with_token(&auth, &token(json!({"jti": "2"})), NOW)),
        Reason::SessionVerified
    );
}

/// T-JWT-5
#[test]
fn a_flood_of_unknown_keys_causes_one_fetch_in_ten_seconds_and_known_keys_still_count() {
    let auth = site(json!({}));
    let unknown = |n: u32| token_with_header(&json!({"alg": "RS256", "kid": format!("made-up-{n}")}));
    let first = pending(with_token(&auth, &unknown(0), NOW));
    assert_eq!(
        reason(first.resume(Ok(json_reply(&jwks())), NOW, &mut Rng)),
        Reason::TokenKey
    );
    for n in 1..50 {
        assert_eq!(reason(with_token(&auth, &unknown(n), NOW)), Reason::TokenKey);
    }
    assert_eq!(
        reason(with_token(&auth, &token(json!({})), NOW)),
        Reason::SessionVerified
    );
    let later = UnixTime::from_secs(NOW.as_secs() + 10);
    assert!(matches!(with_token(&auth, &unknown(50), later), Step::Call(_)));
}

#[test]
fn a_fetch_that_brings_nothing_usable_ends_in_a_sign_in_and_leaves_the_keys_alone() {
    let reply = |status, body: &str| {
        Ok(HttpReply {
            status,
            content_type: None,
            body: body.as_bytes().to_vec(),
        })
    };
    for outcome in [
        Err(CallError::Timeout),
        reply(500, "{}"),
        reply(200, "<html>"),
        reply(200, "{}"),
        reply(200, "null"),
    ] {
        let auth = site(json!({}));
        let unknown = token_with_header(&json!({"alg": "RS256", "kid": "made-up"}));
        let fetch = pending(with_token(&auth, &unknown, NOW));
        assert_eq!(reason(fetch.resume(outcome, NOW, &mut Rng)), Reason::TokenKey);
        assert_eq!(
            reason(with_token(&auth, &token(json!({})), NOW)),
            Reason::SessionVerified
        );
    }
}

#[test]
fn when_the_keys_change_remembered_tokens_are_forgotten() {
    let auth = site(json!({}));
    assert_eq!(
        reason(with_token(&auth, &token(json!({})), NOW)),
        Reason::SessionVerified
    );
    let unknown = token_with_header(&json!({"alg": "RS256", "kid": "rotated"}));
    let fetch = pending(with_token(&auth, &unknown, NOW));
    let withdrawn = json!({"keys": []});
    assert_eq!(
        reason(fetch.resume(Ok(json_reply(&withdrawn)), NOW, &mut Rng)),
        Reason::TokenKey
    );
    assert_eq!(auth.remembered_tokens(), 0);
    assert_eq!(reason(with_token(&auth, &token(json!({})), NOW)), Reason::TokenKey);
}

/// T-JWT-4: nothing in a token that fails its checks leads to a request.
#[test]
fn only_a_token_of_our_issuer_can_cause_a_fetch() {
    let auth = site(json!({"jwks": {"keys": []}}));
    assert_eq!(
        reason(with_token(&auth, &token(json!({"iss": "https://evil.example"})), NOW)),
        Reason::TokenIssuer
    );
    assert_eq!(
        reason(with_token(&auth, &token(json!({"exp": "x"})), NOW)),
        Reason::TokenMalformed
    );
    assert_eq!(
        reason(with_token(&auth, &token_with_header(&json!({"alg": "RS256"})), NOW)),
        Reason::TokenKey
    );
}
