//! What is said of a provider that is not described as it has to be.

use serde_json::{Value, json};

use super::provider::{oidc_config, read};

#[test]
fn a_provider_that_is_not_wholly_described_is_refused_key_by_key() {
    let none = || json!({});
    let refused = |oidc: Value, enhancements: Value, others: Value, expected: &str| {
        let found = read(&oidc_config(oidc, enhancements, others)).unwrap_err();
        assert!(found.contains(expected), "{expected}\n---\n{found}");
    };
    for (oidc, expected) in [
        (
            json!({"tokenEndpoint": null, "jwksUri": null}),
            "enhancements.oidc.jwksUri: found nothing",
        ),
        (json!({"issuer": null}), "enhancements.oidc.issuer: found nothing"),
        (
            json!({"issuer": "https://id.example/?a"}),
            "enhancements.oidc.issuer: found \"https://id.example/?a\"",
        ),
        (
            json!({"tokenEndpoint": "http://id.example/token"}),
            "enhancements.oidc.tokenEndpoint: found",
        ),
        (
            json!({"tokenEndpoint": "http://127.0.0.1/token"}),
            "with insecureLoopbackHttp",
        ),
        (json!({"tokenendpoint": "x"}), "did you mean tokenEndpoint?"),
        (
            json!({"usernameClaim": ""}),
            "enhancements.oidc.usernameClaim: found \"\"",
        ),
        (
            json!({"tokenEndpointAuthMethod": "private_key_jwt"}),
            "one of client_secret_basic, client_secret_post, none",
        ),
        (
            json!({"tokenEndpointAuthMethod": "client_secret_post"}),
            "none, because there is no clientSecret",
        ),
    ] {
        refused(oidc, none(), none(), expected);
    }
    for (enhancements, expected) in [
        (
            json!({"parallelSignIns": false}),
            "enhancements.parallelSignIns: found false",
        ),
        (
            json!({"inPlaceRefresh": false}),
            "enhancements.inPlaceRefresh: found false",
        ),
        (
            json!({"thoroughSignOut": false}),
            "enhancements.thoroughSignOut: found false",
        ),
        (
            json!({"sealedSession": false, "sessionLifetime": {"idleSecs": 900}}),
            "enhancements.sessionLifetime: found limits without a sealed session",
        ),
    ] {
        refused(none(), enhancements, none(), expected);
    }
    for (others, expected) in [
        (
            json!({"oauthScopes": ["email"]}),
            "oauthScopes: found a list without openid",
        ),
        (
            json!({"profile": "reference"}),
            "the reference profile speaks to Cognito alone",
        ),
    ] {
        refused(none(), none(), others, expected);
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
