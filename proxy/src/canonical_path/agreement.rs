//! The core decides upon the path as it was sent, and the origin gets the canonical one: they have to be the same path.

use auth_core::{Authenticator, Capabilities, Config, NoHeaders, Reason, Request, RuleTrace, Scheme, json::Json};
use proptest::prelude::*;

use super::CanonicalPath;

const CONFIGURATION: &str = r#"{
    "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
    "jwks": {"keys": []}, "clientId": "client", "clientSecret": "", "oauthScopes": ["openid"],
    "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
    "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
    "cookieCompatibility": "amplify", "httpHeaders": {}, "nonceSigningSecret": "0123456789abcdef0123456789abcdef",
    "profile": "enhanced",
    "enhancements": {"rules": [
        {"under": ["/a/b"], "require": "deny"},
        {"paths": ["/a/*.x", "/**/é"], "require": {"groups": ["g"]}},
        {"under": ["/a"], "require": "public"},
        {"paths": ["/**b"], "require": "signedIn"}
    ]}
}"#;

fn trace(authenticator: &Authenticator, path: &str) -> RuleTrace {
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query: "",
        cookies: &[],
        headers: &NoHeaders,
    };
    authenticator.trace_rules(&request).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// T-PATH-2: whatever is admitted is decided upon as what is forwarded, or refused for its ambiguity.
    #[test]
    fn a_rule_sees_the_path_that_is_forwarded(
        raw in "/(a|b|é|x|\\.|/|;|%|%61|%2[eEfF]|%2[35]|%3[bBfF]|%5[cC]|%C3%A9|%c3|%00|\\\\|/a/|/b|\\.x){0,8}"
    ) {
        let json = Json::parse(CONFIGURATION.as_bytes()).unwrap();
        let authenticator = Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::PROXY);
        if let Ok(path) = CanonicalPath::parse(&raw) {
            let decided = trace(&authenticator, &raw);
            for forwarded in [path.as_str(), path.preserved()] {
                prop_assert_eq!(&decided, &trace(&authenticator, forwarded), "{} as {}", raw, forwarded);
            }
        } else {
            // What the proxy refuses, the core does not take for anybody's either.
            prop_assert_eq!(trace(&authenticator, &raw).outcome, Reason::PathAmbiguous, "{}", raw);
        }
    }
}
