use dev_idp::{OldKeys, Overrides};
use serde_json::json as value;

use crate::browser::{start, verifies};
use crate::client::Request;

#[tokio::test]
async fn the_key_set_is_served_under_both_paths() {
    let idp = start().await;
    for url in [idp.jwks_url(), format!("{}/.well-known/jwks.json", idp.url())] {
        let response = Request::get(url).send().await;
        assert_eq!(response.headers()["content-type"], "application/json;charset=UTF-8");
        assert_eq!(response.json().await, idp.jwks());
    }
    let other = format!("{}/us-east-1_Other/.well-known/jwks.json", idp.url());
    assert_eq!(Request::get(other).send().await.status(), 404);
}

#[tokio::test]
async fn new_tokens_need_the_new_keys_after_a_rotation() {
    let idp = start().await;
    let (old_set, old_token) = (idp.jwks(), idp.mint_id_token("alice", &Overrides::none()).unwrap());
    idp.rotate_keys(OldKeys::StayPublished);
    let token = idp.mint_id_token("alice", &Overrides::none()).unwrap();
    assert!(!verifies(&token, &old_set) && verifies(&token, &idp.jwks()));
    assert!(verifies(&old_token, &idp.jwks()));
    idp.rotate_keys(OldKeys::Withdrawn);
    assert!(!verifies(&old_token, &idp.jwks()) && !verifies(&token, &idp.jwks()));
}

#[tokio::test]
async fn discovery_names_the_endpoints() {
    let idp = start().await;
    let url = format!("{}/us-east-1_DevPool01/.well-known/openid-configuration", idp.url());
    let configuration = Request::get(url).send().await.json().await;
    assert_eq!(configuration["issuer"], idp.issuer());
    assert_eq!(configuration["jwks_uri"], idp.jwks_url());
    assert_eq!(configuration["token_endpoint"], format!("{}/oauth2/token", idp.url()));
}

#[tokio::test]
async fn health_answers_and_unknown_paths_do_not() {
    let idp = start().await;
    for (path, status) in [("/healthz", 200), ("/nothing", 404), ("/_dev/faults", 404)] {
        assert_eq!(
            Request::get(format!("{}{path}", idp.url())).send().await.status(),
            status,
            "{path}"
        );
    }
    assert_eq!(
        Request::get(format!("{}/oauth2/token", idp.url()))
            .send()
            .await
            .status(),
        405
    );
}

#[tokio::test]
async fn user_info_describes_the_bearer_of_an_access_token() {
    let idp = start().await;
    let session = idp.mint_session("bob", "web", &Overrides::none()).unwrap();
    let url = format!("{}/oauth2/userInfo", idp.url());
    let response = Request::get(&url).bearer(&session.access_token).send().await;
    let expected = value!({
        "sub": "bob-sub", "email": "bob@corp.example", "email_verified": "true", "username": "bob",
    });
    assert_eq!(response.json().await, expected);

    for token in [
        &*session.id_token,
        &session.refresh_token,
        "x",
        &session.access_token[..900],
    ] {
        let response = Request::get(&url).bearer(token).send().await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    assert_eq!(Request::get(&url).send().await.status(), 401);
    idp.set_clock_offset(3601);
    let expired = Request::get(&url).bearer(&session.access_token).send().await;
    assert_eq!(expired.status(), 401);
}
