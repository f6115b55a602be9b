use dev_idp::{DevIdp, Endpoint, Lifetimes, Overrides, RefreshRotation, Running, Settings};
use serde_json::Value;

use crate::browser::{
    Browser, CALLBACK, CHALLENGE, VERIFIER, assert_error, part, post_form, settings, start, verifies,
};
use crate::client::{Request, Response};

async fn redeem(idp: &Running, changes: &[(&str, &str)], code: &str) -> Response {
    let mut form = std::collections::BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    form.extend(changes.iter().copied());
    form.retain(|_, value| !value.is_empty());
    post_form(idp, "/oauth2/token", None, &form.into_iter().collect::<Vec<_>>()).await
}

async fn refresh(idp: &Running, token: &str) -> Response {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "web"),
        ("refresh_token", token),
    ];
    post_form(idp, "/oauth2/token", None, &form).await
}

fn text<'a>(reply: &'a Value, member: &str) -> &'a str {
    reply[member].as_str().unwrap()
}

#[tokio::test]
async fn a_code_is_redeemed_for_three_tokens() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[("nonce", "n-1")]).await;
    let response = redeem(&idp, &[], &code).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json;charset=UTF-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let reply = response.json().await;
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"]),
        (&"Bearer".into(), &3600.into())
    );
    assert!(text(&reply, "refresh_token").len() > 1000);
    for token in ["id_token", "access_token"] {
        assert!(verifies(text(&reply, token), &idp.jwks()), "{token}");
    }
    let (id, access) = (part(text(&reply, "id_token"), 1), part(text(&reply, "access_token"), 1));
    assert_eq!(id["nonce"], "n-1");
    assert_eq!(access["scope"], "openid email");
    assert_eq!((&id["origin_jti"], &id["sub"]), (&access["origin_jti"], &access["sub"]));
    assert_ne!(id["jti"], access["jti"]);
}

#[tokio::test]
async fn a_code_works_once() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[]).await;
    assert_eq!(redeem(&idp, &[], &code).await.status(), 200);
    assert_error(redeem(&idp, &[], &code).await, "invalid_grant").await;
}

#[tokio::test]
async fn a_code_expires_after_five_minutes() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[]).await;
    idp.set_clock_offset(301);
    assert_error(redeem(&idp, &[], &code).await, "invalid_grant").await;
}

#[tokio::test]
async fn what_does_not_match_the_authorization_request_is_an_invalid_grant() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    for changes in [
        ("code_verifier", "another-verifier-of-at-least-forty-three-chars"),
        ("code_verifier", CHALLENGE),
        ("code_verifier", ""),
        ("redirect_uri", "https://app.example/parseauth/"),
        ("code", "00000000-0000-4000-8000-000000000000"),
    ] {
        let code = browser.code(&[]).await;
        assert_error(redeem(&idp, &[changes], &code).await, "invalid_grant").await;
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_an_invalid_grant() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = browser.code(&without).await;
    assert_error(redeem(&idp, &[], &code).await, "invalid_grant").await;
    let code = browser.code(&without).await;
    assert_eq!(redeem(&idp, &[("code_verifier", "")], &code).await.status(), 200);
}

#[tokio::test]
async fn another_clients_code_is_an_invalid_grant() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[("client_id", "vault")]).await;
    assert_error(redeem(&idp, &[], &code).await, "invalid_grant").await;
}

#[tokio::test]
async fn malformed_requests_are_invalid() {
    let idp = start().await;
    for changes in [
        ("grant_type", ""),
        ("client_id", ""),
        ("code", ""),
        ("redirect_uri", ""),
    ] {
        assert_error(redeem(&idp, &[changes], "x").await, "invalid_request").await;
    }
    let twice = [
        ("grant_type", "refresh_token"),
        ("client_id", "web"),
        ("client_id", "web"),
    ];
    assert_error(post_form(&idp, "/oauth2/token", None, &twice).await, "invalid_request").await;
    let url = format!("{}/oauth2/token", idp.url());
    let body = "grant_type=refresh_token&client_id=web&refresh_token=x";
    let as_json = Request::post(url).json(body);
    assert_error(as_json.send().await, "invalid_request").await;
}

#[tokio::test]
async fn grant_types_are_told_apart() {
    let idp = start().await;
    assert_error(
        redeem(&idp, &[("grant_type", "password")], "x").await,
        "unsupported_grant_type",
    )
    .await;
    assert_error(
        redeem(&idp, &[("grant_type", "client_credentials")], "x").await,
        "unauthorized_client",
    )
    .await;
}

#[tokio::test]
async fn a_confidential_client_proves_itself() {
    let idp = start().await;
    let session = idp.mint_session("alice", "vault", &Overrides::none()).unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*session.refresh_token),
    ];
    assert_eq!(
        post_form(&idp, "/oauth2/token", Some("vault:hush"), &form)
            .await
            .status(),
        200
    );
    let in_body = [form[0], form[1], ("client_id", "vault"), ("client_secret", "hush")];
    assert_eq!(post_form(&idp, "/oauth2/token", None, &in_body).await.status(), 200);

    for basic in ["vault:wrong", "vault:", "vault", "web:", "web:hush", "nobody:hush"] {
        assert_error(
            post_form(&idp, "/oauth2/token", Some(basic), &form).await,
            "invalid_client",
        )
        .await;
    }
    let other_in_body = [form[0], form[1], ("client_id", "web")];
    assert_error(
        post_form(&idp, "/oauth2/token", Some("vault:hush"), &other_in_body).await,
        "invalid_client",
    )
    .await;
    let without_secret = [form[0], form[1], ("client_id", "vault")];
    assert_error(
        post_form(&idp, "/oauth2/token", None, &without_secret).await,
        "invalid_client",
    )
    .await;
    let with_secret = [form[0], form[1], ("client_id", "web"), ("client_secret", "hush")];
    assert_error(
        post_form(&idp, "/oauth2/token", None, &with_secret).await,
        "invalid_client",
    )
    .await;
}

#[tokio::test]
async fn a_refresh_renews_the_tokens_and_keeps_the_sign_in() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[]).await;
    let first = redeem(&idp, &[], &code).await.json().await;
    idp.set_clock_offset(1800);
    let second = refresh(&idp, text(&first, "refresh_token")).await.json().await;
    assert!(second.get("refresh_token").is_none(), "{second}");
    let (before, after) = (part(text(&first, "id_token"), 1), part(text(&second, "id_token"), 1));
    assert_eq!(
        (&before["origin_jti"], &before["auth_time"]),
        (&after["origin_jti"], &after["auth_time"])
    );
    assert_ne!(before["jti"], after["jti"]);
    assert!(after["exp"].as_i64() >= before["exp"].as_i64().map(|exp| exp + 1800));
}

#[tokio::test]
async fn a_refresh_token_serves_its_client_and_its_time() {
    let idp = DevIdp::start(Settings {
        lifetimes: Lifetimes {
            refresh_seconds: 600,
            ..Lifetimes::default()
        },
        ..settings()
    })
    .await
    .unwrap();
    let foreign = idp.mint_session("alice", "vault", &Overrides::none()).unwrap();
    assert_error(refresh(&idp, &foreign.refresh_token).await, "invalid_grant").await;
    assert_error(refresh(&idp, "unknown").await, "invalid_grant").await;
    let own = idp.mint_session("alice", "web", &Overrides::none()).unwrap();
    assert_eq!(refresh(&idp, &own.refresh_token).await.status(), 200);
    idp.set_clock_offset(601);
    assert_error(refresh(&idp, &own.refresh_token).await, "invalid_grant").await;
}

#[tokio::test]
async fn rotation_replaces_the_refresh_token() {
    let rotation = RefreshRotation::On { grace_seconds: 0 };
    let idp = DevIdp::start(Settings { rotation, ..settings() }).await.unwrap();
    let session = idp.mint_session("alice", "web", &Overrides::none()).unwrap();
    let reply = refresh(&idp, &session.refresh_token).await.json().await;
    assert_ne!(text(&reply, "refresh_token"), session.refresh_token);
    assert_error(refresh(&idp, &session.refresh_token).await, "invalid_grant").await;
    assert_eq!(refresh(&idp, text(&reply, "refresh_token")).await.status(), 200);
}

#[tokio::test]
async fn without_the_openid_scope_there_is_no_id_token() {
    let idp = start().await;
    let code = Browser::new(&idp).code(&[("scope", "email")]).await;
    let reply = redeem(&idp, &[], &code).await.json().await;
    assert!(
        reply.get("id_token").is_none() && reply.get("access_token").is_some(),
        "{reply}"
    );
}

#[tokio::test]
async fn requests_are_recorded_and_counted() {
    let idp = start().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "a b")];
    post_form(&idp, "/oauth2/token", Some("vault:hush"), &form).await;
    idp.requests().wait_for(Endpoint::Token, 1).await;
    assert_eq!(
        (
            idp.requests().count(Endpoint::Token),
            idp.requests().count(Endpoint::Revoke)
        ),
        (1, 0)
    );
    let request = idp.requests().of(Endpoint::Token).remove(0);
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/oauth2/token"));
    assert_eq!(
        request.content_type.as_deref(),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.authorization.as_deref(), Some("Basic dmF1bHQ6aHVzaA=="));
    assert_eq!(request.body, "grant_type=refresh_token&refresh_token=a+b");
    assert_eq!(request.field("refresh_token").as_deref(), Some("a b"));
}
