//! Signing in at another provider than Cognito, and whom its claims name.

use auth_core::{CallPurpose, Claim, Reason, Step};
use serde_json::{Value, json};

use super::provider::{ISSUER, asked, form, id_token, later, oidc_site, sign_in, signed_in, site, viewer_of};
use crate::{
    browser::{NAVIGATION, callback, sent_to},
    fixture::{NOW, Rng, json_reply, jwks, response},
    jar::Jar,
};

#[test]
fn a_sign_in_goes_by_the_endpoints_and_leaves_one_sealed_cookie() {
    let auth = site();
    let mut jar = Jar::at("site.example");
    let sent = jar.navigate(&auth, "/deep/link", &json_reply(&json!({})), NOW);
    let location = sent.headers.first("location").unwrap();
    assert!(location.starts_with("https://id.example/authorize?"), "{location}");
    assert_eq!(sent_to(&sent, "scope"), "openid%20email%20profile");
    assert_eq!(sent_to(&sent, "code_challenge_method"), "S256");
    let mut jar = Jar::at("site.example");
    let (calls, answer) = sign_in(&mut jar, &auth, json!({}), json!({}));
    assert_eq!(
        answer.headers.first("Location"),
        Some("https://site.example/deep/link?a=%20b")
    );
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].purpose, CallPurpose::TokenExchange);
    assert_eq!(calls[0].url, "https://id.example/token");
    assert!(
        jar.names().iter().all(|name| !name.contains("Token")),
        "{:?}",
        jar.names()
    );
    let passed = jar.pass(&auth, NOW);
    let viewer = viewer_of(passed);
    assert_eq!(
        (viewer.username(), viewer.email(), viewer.subject()),
        (Some("jane"), Some("jane@example.com"), Some("248289761001"))
    );
    assert!(viewer.groups().eq(["staff"]));
    assert_eq!(viewer.claim("iss").and_then(Claim::as_str), Some(ISSUER));
    assert!(viewer.claim("token_use").is_none() && viewer.is_id_token());
}

#[test]
fn the_client_proves_itself_as_it_is_told_to() {
    let secret = json!({"clientSecret": "s3cret/with:colon"});
    let call = |oidc: Value, others: Value| {
        let auth = oidc_site(oidc, json!({}), others);
        let (calls, _) = sign_in(&mut Jar::at("site.example"), &auth, json!({}), json!({}));
        let header = calls[0].authorization.as_ref().map(|header| header.expose().clone());
        (header, form(&calls[0]).to_owned())
    };
    let (header, body) = call(json!({}), secret.clone());
    // client:s3cret%2Fwith%3Acolon (RFC 6749, section 2.3.1)
    assert_eq!(
        header.as_deref(),
        Some("Basic Y2xpZW50OnMzY3JldCUyRndpdGglM0Fjb2xvbg==")
    );
    assert!(!body.contains("client_id"), "{body}");
    let (header, body) = call(json!({"tokenEndpointAuthMethod": "client_secret_post"}), secret);
    assert_eq!(header, None);
    assert!(
        body.contains("client_id=client&client_secret=s3cret%2Fwith%3Acolon&"),
        "{body}"
    );
    for method in [json!(null), json!("none")] {
        let (header, body) = call(json!({"tokenEndpointAuthMethod": method}), json!({}));
        assert_eq!(header, None);
        assert!(
            body.contains("client_id=client&") && !body.contains("client_secret"),
            "{body}"
        );
    }
}

#[test]
fn an_answer_that_names_another_issuer_is_not_redeemed() {
    let auth = site();
    for (issuer, is_redeemed) in [
        ("https%3A%2F%2Fid.example%2Frealms%2Fmain", true),
        ("https%3A%2F%2Fid.example%2Frealms%2Fother", false),
        ("", false),
        ("https%3A%2F%2Fid.example%2Frealms%2Fmain&iss=x", false),
    ] {
        let mut jar = Jar::at("site.example");
        let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
        let step = jar.ask(&auth, &format!("{}&iss={issuer}", callback(&sent)), NAVIGATION, NOW);
        match step {
            Step::Call(_) => assert!(is_redeemed, "{issuer}"),
            Step::Decided(decision) => {
                assert!(!is_redeemed, "{issuer}");
                assert_eq!(decision.reason(), Reason::CallbackInvalid);
            }
        }
    }
}

/// T-CSRF-4
#[test]
fn t_csrf_4_an_id_token_of_another_sign_in_signs_nobody_in() {
    let auth = site();
    for nonce in [json!(null), json!("another"), json!(7)] {
        let mut jar = Jar::at("site.example");
        let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
        let reply = json_reply(&json!({"id_token": id_token(json!({"nonce": nonce})), "access_token": "a"}));
        let answer = jar.navigate(&auth, &callback(&sent), &reply, NOW);
        assert_eq!(answer.reason, Reason::NonceClaim, "{nonce}");
    }
}

#[test]
fn a_token_with_nothing_but_what_is_required_signs_in() {
    let auth = site();
    let bare = json!({"preferred_username": null, "email": null, "groups": null});
    let mut jar = signed_in(&auth, bare, json!({"refresh_token": null, "expires_in": null}));
    let viewer = viewer_of(jar.pass(&auth, NOW));
    assert_eq!((viewer.username(), viewer.email()), (Some("248289761001"), None));
}

#[test]
fn plain_cookies_hold_names_and_tokens_that_no_cookie_could_hold_as_they_are() {
    let auth = oidc_site(
        json!({}),
        json!({"sealedSession": false}),
        json!({"cookieSettings": {"refreshToken": "Path=/; Secure; HttpOnly"}, "clientId": "a b/c@d"}),
    );
    for user in ["jane;x=1", "jäne@ex ample", "a%2fb", "\"q\"", "a,b"] {
        let claims = json!({"preferred_username": user, "aud": "a b/c@d"});
        let mut jar = signed_in(&auth, claims, json!({"refresh_token": "a;b, c%41=\"\\"}));
        for name in jar.names() {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"=;, \"".contains(&byte)),
                "{name}"
            );
        }
        // Nobody reads the access token.
        assert!(
            jar.names()
                .iter()
                .all(|name| !name.ends_with("accessToken") && !name.ends_with("userData"))
        );
        let viewer = viewer_of(jar.pass(&auth, NOW));
        assert_eq!(viewer.username(), Some(user));
        let (calls, _) = asked(&jar, &auth, "/", &json_reply(&json!({})), later(3601));
        assert!(
            form(&calls[0]).ends_with("refresh_token=a%3Bb%2C%20c%2541%3D%22%5C"),
            "{}",
            form(&calls[0])
        );
    }
}

#[test]
fn rules_go_by_the_claim_that_lists_groups() {
    let rules = json!([{"require": {"groups": ["staff"]}}]);
    let auth = oidc_site(
        json!({"groupsClaim": "roles", "usernameClaim": "upn"}),
        json!({"rules": rules}),
        json!({}),
    );
    for (claims, passes) in [
        (json!({"roles": ["x", "staff"], "groups": []}), true),
        (json!({"roles": "staff"}), true),
        (json!({"roles": ["x"], "groups": ["staff"]}), false),
        (json!({"cognito:groups": ["staff"]}), false),
    ] {
        let mut all = claims.clone();
        all["upn"] = json!("jane@corp");
        let jar = signed_in(&auth, all, json!({}));
        match jar.ask(&auth, "/", NAVIGATION, NOW) {
            Step::Decided(auth_core::Decision::Forward(passed)) => {
                assert!(passes, "{claims}");
                let viewer = viewer_of(passed);
                assert_eq!(viewer.username(), Some("jane@corp"));
            }
            step => assert!(!passes && response(step).status == 403, "{claims}"),
        }
    }
    let auth = oidc_site(json!({}), json!({}), json!({"requiredGroup": "admins"}));
    let (_, answer) = sign_in(&mut Jar::at("site.example"), &auth, json!({}), json!({}));
    assert_eq!((answer.status, answer.reason), (403, Reason::GroupRequired));
}

#[test]
fn a_script_is_told_the_usual_claims() {
    let auth = site();
    let jar = signed_in(&auth, json!({"email_verified": true}), json!({}));
    let answer = response(jar.ask(&auth, "/_portcullis/session", NAVIGATION, NOW));
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        told["claims"],
        json!({
            "sub": "248289761001", "preferred_username": "jane", "email": "jane@example.com", "email_verified": true,
            "groups": ["staff"],
        })
    );
}

#[test]
fn keys_are_fetched_from_the_address_that_is_configured_and_need_not_say_their_use() {
    let auth = oidc_site(json!({}), json!({"sealedSession": false}), json!({"jwks": null}));
    let mut jar = Jar::at("site.example");
    let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
    let Step::Call(pending) = jar.ask(&auth, &callback(&sent), NAVIGATION, NOW) else {
        panic!("no token request")
    };
    let token = id_token(json!({"nonce": sent_to(&sent, "nonce")}));
    let Step::Call(pending) = pending.resume(Ok(json_reply(&json!({"id_token": token}))), NOW, &mut Rng) else {
        panic!("no fetch of keys")
    };
    assert_eq!(pending.call().url, "https://keys.example/jwks");
    let mut keys = jwks();
    for key in keys["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("use");
    }
    let answer = response(pending.resume(Ok(json_reply(&keys)), NOW, &mut Rng));
    assert_eq!(answer.reason, Reason::SignedIn);
}
