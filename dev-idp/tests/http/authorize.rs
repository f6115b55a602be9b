use crate::browser::{Browser, CALLBACK, authorization, location, params, start};

#[tokio::test]
async fn without_a_session_the_request_goes_to_the_sign_in_page_unchanged() {
    let idp = start().await;
    let query = authorization(&[
        ("lang", "de"),
        ("identity_provider", "COGNITO"),
        ("login_hint", "alice"),
    ]);
    let response = Browser::new(&idp).get(&format!("/oauth2/authorize?{query}")).await;
    assert_eq!(location(&response), format!("/login?{query}"));
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_session_goes_straight_through_with_a_new_code_and_the_state() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    let first = browser.code(&[]).await;
    let response = browser
        .get(&format!("/oauth2/authorize?{}", authorization(&[("prompt", "none")])))
        .await;
    assert!(location(&response).starts_with(&format!("{CALLBACK}?code=")));
    let back = params(location(&response));
    assert_eq!(back["state"], "s t+a/t=e");
    assert_ne!(back["code"], first);
}

#[tokio::test]
async fn prompt_login_shows_the_page_in_spite_of_a_session() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    browser.code(&[]).await;
    let response = browser
        .get(&format!("/oauth2/authorize?{}", authorization(&[("prompt", "login")])))
        .await;
    assert!(location(&response).starts_with("/login?"));
}

#[tokio::test]
async fn prompt_none_without_a_session_is_login_required() {
    let idp = start().await;
    let query = authorization(&[("prompt", "none")]);
    let response = Browser::new(&idp).get(&format!("/oauth2/authorize?{query}")).await;
    let back = params(location(&response));
    assert_eq!((&*back["error"], &*back["state"]), ("login_required", "s t+a/t=e"));
}

#[tokio::test]
async fn a_forged_session_cookie_is_no_session() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    browser.cookies.insert("dev-idp-session".into(), "guess".into());
    let response = browser.get(&format!("/oauth2/authorize?{}", authorization(&[]))).await;
    assert!(location(&response).starts_with("/login?"));
}

#[tokio::test]
async fn what_leaves_the_redirect_in_doubt_is_answered_by_a_page() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    let queries = [
        authorization(&[("client_id", "nobody")]),
        authorization(&[("client_id", "")]),
        authorization(&[("redirect_uri", "")]),
        authorization(&[("redirect_uri", "https://app.example/parseauth/")]),
        authorization(&[("redirect_uri", "https://evil.example/parseauth")]),
        authorization(&[("redirect_uri", "http://localhost:80@evil.example/cb")]),
        authorization(&[]) + "&redirect_uri=https%3A%2F%2Fevil.example",
    ];
    for query in queries {
        for path in ["/oauth2/authorize", "/login"] {
            let response = browser.get(&format!("{path}?{query}")).await;
            assert_eq!(response.status(), 400, "{path}?{query}");
            assert!(response.headers().get("location").is_none());
            assert!(!response.text().await.contains("evil.example"));
        }
    }
}

#[tokio::test]
async fn other_errors_go_back_to_the_client() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    for (changes, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "unsupported_response_type"),
        (("scope", "openid admin"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("prompt", "maybe"), "invalid_request"),
    ] {
        let response = browser
            .get(&format!("/oauth2/authorize?{}", authorization(&[changes])))
            .await;
        assert!(location(&response).starts_with(CALLBACK), "{changes:?}");
        let back = params(location(&response));
        assert_eq!((&*back["error"], &*back["state"]), (error, "s t+a/t=e"), "{changes:?}");
    }
}
