//! Signing out there.

use serde_json::json;

use super::provider::{SESSION, asked, form, oidc_site, signed_in, site};
use crate::{
    fixture::{NOW, json_reply, response},
    jar::all_set_cookies,
};

#[test]
fn a_sign_out_revokes_and_ends_the_session_at_the_provider() {
    let auth = oidc_site(json!({}), json!({"sealedSession": {"keepIdToken": true}}), json!({}));
    let jar = signed_in(&auth, json!({}), json!({}));
    let (calls, step) = asked(&jar, &auth, "/signout", &json_reply(&json!({})), NOW);
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].url, "https://id.example/revoke");
    assert_eq!(
        form(&calls[0]),
        "token=refresh&client_id=client&token_type_hint=refresh_token"
    );
    let answer = response(step);
    let location = answer.headers.first("Location").unwrap();
    let rest = location.strip_prefix("https://id.example/end?").unwrap();
    assert!(
        rest.starts_with("post_logout_redirect_uri=https%3A%2F%2Fsite.example%2F&client_id=client&id_token_hint=ey"),
        "{rest}"
    );
    let mut jar = jar;
    jar.keep("/signout", &all_set_cookies(&answer));
    assert!(!jar.names().contains(&SESSION), "{:?}", jar.names());
}

#[test]
fn a_sign_out_without_an_id_token_at_hand_names_the_client_alone() {
    let auth = site();
    let jar = signed_in(&auth, json!({}), json!({"refresh_token": null}));
    let (calls, step) = asked(&jar, &auth, "/signout", &json_reply(&json!({})), NOW);
    assert!(calls.is_empty());
    let answer = response(step);
    let location = answer.headers.first("Location").unwrap();
    assert!(
        location.contains("client_id=client") && !location.contains("id_token_hint"),
        "{location}"
    );
}

#[test]
fn where_the_provider_can_end_nothing_a_sign_out_leads_to_the_landing_page() {
    let auth = oidc_site(
        json!({"endSessionEndpoint": null, "revocationEndpoint": null}),
        json!({}),
        json!({}),
    );
    let mut jar = signed_in(&auth, json!({}), json!({}));
    let (calls, step) = asked(&jar, &auth, "/signout", &json_reply(&json!({})), NOW);
    assert!(calls.is_empty(), "nothing to revoke at");
    let answer = response(step);
    assert_eq!(answer.headers.first("Location"), Some("https://site.example/"));
    jar.keep("/signout", &all_set_cookies(&answer));
    let back = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
    assert_eq!(
        back.headers.first("Location"),
        Some("https://site.example/_portcullis/signed-out")
    );
}
