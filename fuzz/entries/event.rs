//! A CloudFront event, given to a function of each role.

use std::time::Duration;

use auth_core::{CallError, HttpCall, HttpReply};
use auth_driver::HttpClient;
use edge_adapter::{Function, MAX_GENERATED_BYTES, Role};
use serde::de::IgnoredAny;
use serde_json::Value;

const CONFIGURATION: &str = r#"{"userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
    "jwks": {"keys": []}, "clientId": "c", "clientSecret": "", "oauthScopes": ["openid"],
    "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
    "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
    "cookieSettings": null, "cookieCompatibility": "amplify", "additionalCookies": {}, "requiredGroup": "",
    "httpHeaders": {"X-A": "1"}, "logLevel": "none", "nonceSigningSecret": "0123456789abcdef0123456789abcdef"}"#;

/// There is no network.
struct NoNetwork;

impl HttpClient for NoNetwork {
    async fn send(&self, _: &HttpCall) -> Result<HttpReply, CallError> {
        Err(CallError::Connect("there is no network".to_owned()))
    }
}

pub(crate) fn run(data: &[u8]) {
    let Ok(event) = std::str::from_utf8(data) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
    for role in Role::ALL {
        let function = Function::new(role, CONFIGURATION.as_bytes(), NoNetwork);
        let function = function.unwrap_or_else(|error| panic!("{error}"));
        // No time is left, so that nothing is tried twice.
        if let Ok(answer) = runtime.block_on(function.answer(event, Duration::ZERO)) {
            check(role, event, answer.get());
        }
    }
}

/// What must hold of every answer: it is an object; a viewer's request does not pass without a session;
/// what is generated fits; and what passes through a function for the origin lacks nothing.
fn check(role: Role, event: &str, answer: &str) {
    assert!(answer.starts_with('{') && serde_json::from_str::<IgnoredAny>(answer).is_ok());
    // Numbers that fit no double and nesting without end pass as text, but cannot be compared.
    let Ok(answered) = serde_json::from_str::<Value>(answer) else {
        return;
    };
    match role {
        Role::HttpHeaders => keeps_all(event, "response", &answered),
        Role::RewriteTrailingSlash => keeps_all(event, "request", &answered),
        _ => {
            assert!(answered["status"].is_string(), "{answer}");
            assert!(answer.len() <= MAX_GENERATED_BYTES);
        }
    }
}

fn keeps_all(event: &str, part: &str, answered: &Value) {
    let Ok(event) = serde_json::from_str::<Value>(event) else {
        return;
    };
    let Some(given) = event["Records"][0]["cf"][part].as_object() else {
        return;
    };
    for (name, value) in given {
        if name != "headers" && name != "uri" {
            assert_eq!(answered.get(name), Some(value));
        }
    }
}
