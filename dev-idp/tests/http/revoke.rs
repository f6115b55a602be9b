use dev_idp::Overrides;

use crate::browser::{assert_error, post_form, start};
use crate::client::Request;

#[tokio::test]
async fn a_revoked_refresh_token_is_an_invalid_grant_and_its_access_token_too() {
    let idp = start().await;
    let session = idp.mint_session("alice", "vault", &Overrides::none()).unwrap();
    let form = [("token", &*session.refresh_token)];
    let response = post_form(&idp, "/oauth2/revoke", Some("vault:hush"), &form).await;
    assert_eq!((response.status().as_u16(), &*response.text().await), (200, ""));

    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*session.refresh_token),
    ];
    assert_error(
        post_form(&idp, "/oauth2/token", Some("vault:hush"), &form).await,
        "invalid_grant",
    )
    .await;
    let user_info = Request::get(format!("{}/oauth2/userInfo", idp.url())).bearer(&session.access_token);
    assert_eq!(user_info.send().await.status(), 401);
}

#[tokio::test]
async fn an_unknown_token_is_no_error() {
    let idp = start().await;
    let form = [("client_id", "web"), ("token", "unknown")];
    assert_eq!(post_form(&idp, "/oauth2/revoke", None, &form).await.status(), 200);
}

#[tokio::test]
async fn bad_revocations_are_refused() {
    let idp = start().await;
    let session = idp.mint_session("alice", "vault", &Overrides::none()).unwrap();
    let revoke = |form: Vec<(&'static str, String)>| {
        let idp = &idp;
        async move {
            let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post_form(idp, "/oauth2/revoke", None, &form).await
        }
    };
    assert_error(revoke(vec![("client_id", "web".into())]).await, "invalid_request").await;
    assert_error(revoke(vec![("token", "x".into())]).await, "invalid_request").await;
    assert_error(
        revoke(vec![("client_id", "nobody".into()), ("token", "x".into())]).await,
        "invalid_client",
    )
    .await;
    let foreign = vec![("client_id", "web".into()), ("token", session.refresh_token.clone())];
    assert_error(revoke(foreign).await, "invalid_client").await;
    let access = vec![("client_id", "web".into()), ("token", session.access_token)];
    assert_error(revoke(access).await, "unsupported_token_type").await;

    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*session.refresh_token),
    ];
    let reply = post_form(&idp, "/oauth2/token", Some("vault:hush"), &form)
        .await
        .json()
        .await;
    assert!(
        reply.get("id_token").is_some(),
        "the session outlives refused revocations"
    );
}
