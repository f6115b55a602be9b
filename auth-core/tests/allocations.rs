//! A known session costs no allocation, whatever it came in.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use auth_core::{
    Authenticator, Capabilities, Config, Decision, Entropy, NoHeaders, Reason, Request, Scheme, Step, UnixTime,
    json::Json,
};
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_795_323_600);
const TOKEN: &str = include_str!("../../fuzz/entries/session.jwt");
const JWKS: &str = include_str!("keys/jwks.json");

struct Zeros;

impl Entropy for Zeros {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
    }
}

fn site(overrides: Value) -> Authenticator {
    let mut config = json!({
        "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
        "jwks": serde_json::from_str::<Value>(JWKS).unwrap(), "clientId": "c", "clientSecret": "",
        "oauthScopes": ["openid"], "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth",
        "redirectPathSignOut": "/", "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout",
        "mode": "spaMode", "cookieSettings": null, "cookieCompatibility": "amplify", "additionalCookies": {},
        "requiredGroup": "", "httpHeaders": {}, "logLevel": "none",
        "nonceSigningSecret": "0123456789abcdef0123456789abcdef"
    });
    for (key, value) in overrides.as_object().unwrap() {
        config[key] = value.clone();
    }
    let json = Json::parse(config.to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::PROXY)
}

fn ask(auth: &Authenticator, cookies: &[&str]) -> Decision {
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path: "/page",
        query: "",
        cookies,
        headers: &NoHeaders,
    };
    match auth.begin(&request, NOW, &mut Zeros) {
        Step::Decided(decision) => decision,
        Step::Call(pending) => panic!("{pending:?}"),
    }
}

fn plain_cookies() -> String {
    let prefix = "CognitoIdentityServiceProvider.c.";
    let token = TOKEN.trim();
    format!("theme=dark; {prefix}u.accessToken=x; {prefix}LastAuthUser=u; {prefix}u.idToken={token}")
}

fn allocations(auth: &Authenticator, cookies: &str) -> u64 {
    drop(ask(auth, &[cookies]));
    allocations_of(auth, cookies, Reason::SessionKnown)
}

fn allocations_of(auth: &Authenticator, cookies: &str, expected: Reason) -> u64 {
    let mut reason = None;
    let counted = allocation_counter::measure(|| reason = Some(ask(auth, &[cookies]).reason()));
    assert_eq!(reason, Some(expected));
    counted.count_total
}

/// The enhanced profile may look at more than one token, but does so only where the first is not good.
#[test]
fn a_session_seen_for_the_first_time_allocates_as_much_in_either_profile() {
    let of_profile = |profile: &str| {
        let auth = site(json!({"profile": profile}));
        allocations_of(&auth, &plain_cookies(), Reason::SessionVerified)
    };
    assert_eq!(of_profile("enhanced"), of_profile("reference"));
}

#[test]
fn a_known_session_in_plain_cookies_allocates_nothing_in_either_profile() {
    for profile in ["reference", "enhanced"] {
        assert_eq!(
            allocations(&site(json!({"profile": profile})), &plain_cookies()),
            0,
            "{profile}"
        );
    }
}

#[test]
fn a_known_sealed_session_allocates_nothing() {
    let auth = site(json!({"profile": "enhanced", "enhancements": {"sealedSession": true}}));
    let Decision::Forward(taken_over) = ask(&auth, &[&plain_cookies()]) else {
        panic!("the token is good")
    };
    let mut cookies = taken_over.response_cookies.iter();
    let sealed = cookies.find(|cookie| cookie.starts_with("__Host-portcullis=")).unwrap();
    let pair = sealed.split(';').next().unwrap();
    assert_eq!(allocations(&auth, &format!("theme=dark; {pair}")), 0);
}
