//! The site that inputs are thrown at.

use auth_core::{Authenticator, Capabilities, Config, Decision, Entropy, Response, UnixTime, json::Json};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_795_323_600);

/// Zeros: a fuzz run must do the same for the same input.
pub(crate) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
    }
}

pub(crate) fn site(jwks: &str) -> Authenticator {
    site_with(jwks, "")
}

/// The same with more keys, each behind a comma.
pub(crate) fn site_with(jwks: &str, more: &str) -> Authenticator {
    let text = format!(
        r#"{{"userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
        "jwks": {jwks}, "clientId": "c", "clientSecret": "", "oauthScopes": ["openid"],
        "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
        "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
        "cookieSettings": null, "cookieCompatibility": "amplify", "additionalCookies": {{}}, "requiredGroup": "",
        "httpHeaders": {{}}, "logLevel": "none", "nonceSigningSecret": "0123456789abcdef0123456789abcdef"{more}}}"#
    );
    let config = Json::parse(text.as_bytes())
        .ok()
        .and_then(|json| Config::from_json(&json).ok());
    Authenticator::new(
        config.unwrap_or_else(|| panic!("the configuration is right")),
        Capabilities::PROXY,
    )
}

/// What must hold of every answer: it stays on our origin or goes to the provider, and is no error.
pub(crate) fn check(decision: &Decision) {
    let Decision::Respond(Response { status, headers, .. }) = decision else {
        panic!("a made-up request was forwarded");
    };
    assert!(matches!(status, 200 | 307));
    if let Some(location) = headers.first("location") {
        let rest = ["https://site.example", "https://login.example"]
            .iter()
            .find_map(|origin| location.strip_prefix(origin));
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            "{location}"
        );
    }
}
