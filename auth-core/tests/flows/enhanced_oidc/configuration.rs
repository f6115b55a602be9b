//! What is said of a provider that is not described as it has to be.

use serde_json::json;

use super::provider::{oidc_config, read};

#[test]
fn a_provider_that_is_not_wholly_described_is_refused_key_by_key() {
    let none = || json!({});
    for (oidc, enhancements, others, expected) in [
        (
            json!({"tokenEndpoint": null, "jwksUri": null}),
            none(),
            none(),
            "enhancements.oidc.jwksUri: found nothing",
        ),
        (
            json!({"issuer": null}),
            none(),
            none(),
            "enhancements.oidc.issuer: found nothing",
        ),
        (
            json!({"issuer": "https://id.example/?a"}),
            none(),
            none(),
            "enhancements.oidc.issuer: found \"https://id.example/?a\"",
        ),
        (
            json!({"tokenEndpoint": "http://id.example/token"}),
            none(),
            none(),
            "enhancements.oidc.tokenEndpoint: found",
        ),
        (
            json!({"tokenEndpoint": "http://127.0.0.1/token"}),
            none(),
            none(),
            "with insecureLoopbackHttp",
        ),
        (
            json!({"tokenendpoint": "x"}),
            none(),
            none(),
            "did you mean tokenEndpoint?",
        ),
        (
            json!({"usernameClaim": ""}),
            none(),
            none(),
            "enhancements.oidc.usernameClaim: found \"\"",
        ),
        (
            json!({"tokenEndpointAuthMethod": "private_key_jwt"}),
            none(),
            none(),
            "one of client_secret_basic, client_secret_post, none",
        ),
        (
            json!({"tokenEndpointAuthMethod": "client_secret_post"}),
            none(),
            none(),
            "none, because there is no clientSecret",
        ),
        (
            none(),
            none(),
            json!({"oauthScopes": ["email"]}),
            "oauthScopes: found a list without openid",
        ),
        (
            none(),
            json!({"parallelSignIns": false}),
            none(),
            "enhancements.parallelSignIns: found false",
        ),
        (
            none(),
            json!({"inPlaceRefresh": false}),
            none(),
            "enhancements.inPlaceRefresh: found false",
        ),
        (
            none(),
            json!({"thoroughSignOut": false}),
            none(),
            "enhancements.thoroughSignOut: found false",
        ),
        (
            none(),
            json!({"sealedSession": false, "sessionLifetime": {"idleSecs": 900}}),
            none(),
            "enhancements.sessionLifetime: found limits without a sealed session",
        ),
        (
            none(),
            none(),
            json!({"profile": "reference"}),
            "the reference profile speaks to Cognito alone",
        ),
    ] {
        let found = read(&oidc_config(oidc, enhancements, others)).unwrap_err();
        assert!(found.contains(expected), "{expected}\n---\n{found}");
    }
    let mut text = oidc_config(none(), none(), none());
    text["enhancements"]["oidc"] = json!("https://id.example");
    assert!(
        read(&text)
            .unwrap_err()
            .contains("enhancements.oidc: found \"https://id.example\", expected an object")
    );
}

#[test]
fn keys_about_a_user_pool_are_not_read_and_that_is_said() {
    let config = read(&oidc_config(
        json!({}),
        json!({}),
        json!({"userPoolArn": "no arn at all", "cognitoAuthDomain": "x"}),
    ))
    .unwrap();
    assert_eq!(
        config.warnings(),
        ["userPoolArn, cognitoAuthDomain: not read, because enhancements.oidc names the provider"]
    );
}
