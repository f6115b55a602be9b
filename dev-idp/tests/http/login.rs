use crate::browser::{Browser, CALLBACK, authorization, between, location, params, start};

#[tokio::test]
async fn the_right_password_leads_back_to_the_application() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    let response = browser.sign_in(&authorization(&[]), "alice", "wonderland 1").await;
    assert!(location(&response).starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!(params(location(&response))["state"], "s t+a/t=e");
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_get_one_and_the_same_message() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    for (username, password) in [("alice", "wrong"), ("mallory", "wonderland 1"), ("alice", ""), ("", "")] {
        let response = browser.sign_in(&authorization(&[]), username, password).await;
        assert_eq!(response.status(), 200);
        let page = response.text().await;
        assert_eq!(
            between(&page, "role=\"alert\">", "<"),
            "Incorrect username or password."
        );
        assert!(!browser.cookies.contains_key("dev-idp-session"));
    }
}

#[tokio::test]
async fn a_form_without_its_token_signs_nobody_in() {
    let idp = start().await;
    let path = format!("/login?{}", authorization(&[]));
    let credentials = [("username", "alice"), ("password", "wonderland 1")];

    let response = Browser::new(&idp).post(&path, &credentials).await;
    assert!(response.text().await.contains("The form had expired"));

    let mut browser = Browser::new(&idp);
    browser.get(&path).await;
    let response = browser
        .post(&path, &[("_csrf", "guess"), credentials[0], credentials[1]])
        .await;
    assert!(response.text().await.contains("The form had expired"));
    let response = browser
        .post(&path, &[("_csrf", ""), credentials[0], credentials[1]])
        .await;
    assert!(response.text().await.contains("The form had expired"));
    assert!(!browser.cookies.contains_key("dev-idp-session"));
}

#[tokio::test]
async fn the_page_escapes_what_the_request_brings() {
    let idp = start().await;
    let nasty = "\"><img src=x onerror=alert(1)>'&";
    let query = authorization(&[("login_hint", nasty), ("state", nasty)]) + "&x='b";
    let mut browser = Browser::new(&idp);
    let page = browser.get(&format!("/login?{query}")).await.text().await;
    assert!(!page.contains("<img") && page.contains("&amp;x=&#39;b\">"), "{page}");
    assert!(
        page.contains("value=\"&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;\""),
        "{page}"
    );
    let page = browser.sign_in(&query, nasty, "x").await.text().await;
    assert!(!page.contains("<img") && page.contains("&lt;img"), "{page}");
}

#[tokio::test]
async fn the_page_may_run_and_load_nothing() {
    let idp = start().await;
    let response = Browser::new(&idp).get(&format!("/login?{}", authorization(&[]))).await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(
        policy.contains("form-action 'self' https://app.example http://localhost:*;"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["cache-control"], "no-store");

    let page = response.text().await;
    let style = between(&page, "<style>", "</style>");
    let digest = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
}

#[tokio::test]
async fn the_hint_and_the_last_try_fill_the_user_name() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    let query = authorization(&[("login_hint", "bob@corp.example")]);
    let page = browser.get(&format!("/login?{query}")).await.text().await;
    assert!(page.contains("value=\"bob@corp.example\""));
    assert_eq!(
        page.matches("required autofocus autocomplete=\"current-password\"")
            .count(),
        1
    );
    let page = browser.sign_in(&query, "alice", "wrong").await.text().await;
    assert!(page.contains("value=\"alice\"") && !page.contains("wrong"));
}
