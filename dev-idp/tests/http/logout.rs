use crate::browser::{Browser, CALLBACK, SIGNED_OUT, authorization, location, query, start};

#[tokio::test]
async fn signing_out_ends_the_session_on_both_sides() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    browser.code(&[]).await;
    let session = browser.cookies["dev-idp-session"].clone();
    let path = format!("/logout?{}", query(&[("client_id", "web"), ("logout_uri", SIGNED_OUT)]));
    let response = browser.get(&path).await;
    assert_eq!(location(&response), SIGNED_OUT);
    assert!(!browser.cookies.contains_key("dev-idp-session"));

    browser.cookies.insert("dev-idp-session".into(), session);
    let response = browser.get(&format!("/oauth2/authorize?{}", authorization(&[]))).await;
    assert!(
        location(&response).starts_with("/login?"),
        "the old cookie is worth nothing"
    );
}

#[tokio::test]
async fn signing_out_to_sign_in_again_leads_to_the_page() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    browser.code(&[]).await;
    let response = browser.get(&format!("/logout?{}", authorization(&[]))).await;
    assert_eq!(location(&response), format!("/login?{}", authorization(&[])));
    assert!(!browser.cookies.contains_key("dev-idp-session"));
}

#[tokio::test]
async fn an_unregistered_destination_is_refused_and_the_session_stays() {
    let idp = start().await;
    let mut browser = Browser::new(&idp);
    browser.code(&[]).await;
    for pairs in [
        vec![("client_id", "web"), ("logout_uri", "https://evil.example/")],
        vec![("client_id", "web"), ("logout_uri", CALLBACK)],
        vec![("client_id", "nobody"), ("logout_uri", SIGNED_OUT)],
        vec![("logout_uri", SIGNED_OUT)],
        vec![("client_id", "web")],
        vec![
            ("client_id", "web"),
            ("redirect_uri", "https://evil.example/"),
            ("response_type", "code"),
        ],
        vec![
            ("client_id", "web"),
            ("logout_uri", SIGNED_OUT),
            ("logout_uri", "https://evil.example/"),
        ],
    ] {
        let response = browser.get(&format!("/logout?{}", query(&pairs))).await;
        assert_eq!(response.status(), 400, "{pairs:?}");
        assert!(browser.cookies.contains_key("dev-idp-session"));
    }
}
