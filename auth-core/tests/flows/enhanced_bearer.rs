//! Bearer tokens: programs with a token in the Authorization header.

use auth_core::{Access, Authenticator, CallPurpose, Capabilities, Config, Reason, Step, json::Json};
use serde_json::{Value, json};

use crate::fixture::{
    self, CLIENT, ISSUER, NOW, Rng, config, forward, get_with, json_reply, jwks, reason, response, token, token_of,
};

fn site(enhancements: Value) -> Authenticator {
    site_with(json!({}), enhancements)
}

fn site_with(mut overrides: Value, enhancements: Value) -> Authenticator {
    overrides["profile"] = json!("enhanced");
    overrides["enhancements"] = enhancements;
    let json = Json::parse(config(overrides).to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::EDGE)
}

/// An access token of a machine's client, as the client credentials grant gives it.
fn access_token(overrides: Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "sub": CLIENT, "scope": "api/read api/list",
        "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs(), "version": 2
    });
    for (name, value) in overrides.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    token_of(&claims)
}

fn ask(auth: &Authenticator, path: &str, authorization: &[&str], cookie: &str) -> Step {
    let fields: Vec<(&str, &str)> = authorization.iter().map(|&value| ("authorization", value)).collect();
    get_with(auth, path, &[cookie], &fields, NOW)
}

fn bearing(auth: &Authenticator, token: &str) -> Reason {
    reason(ask(auth, "/", &[&format!("Bearer {token}")], ""))
}

#[test]
fn bearer_tokens_count_for_nothing_unless_they_are_switched_on() {
    for auth in [site(json!({})), site(json!({"bearerTokens": false}))] {
        for token in [token(json!({})), access_token(json!({}))] {
            assert_eq!(bearing(&auth, &token), Reason::SessionAbsent);
        }
    }
}

#[test]
fn id_and_access_tokens_of_the_client_pass_and_are_remembered() {
    let auth = site(json!({"bearerTokens": true}));
    for token in [token(json!({})), access_token(json!({}))] {
        assert_eq!(bearing(&auth, &token), Reason::BearerVerified);
        assert_eq!(bearing(&auth, &token), Reason::BearerKnown);
    }
    assert_eq!(
        reason(ask(&auth, "/", &[&format!("bEARER   {} ", token(json!({})))], "")),
        Reason::BearerKnown
    );
}

#[test]
fn a_machine_has_no_user_and_is_told_apart() {
    let auth = site(json!({"bearerTokens": true}));
    let passed = forward(ask(&auth, "/", &[&format!("Bearer {}", access_token(json!({})))], ""));
    let Access::Session(machine) = passed.access else {
        panic!("nobody")
    };
    assert_eq!(
        (machine.username(), machine.email(), machine.groups().count()),
        (None, None, 0)
    );
    assert_eq!(machine.subject(), Some(CLIENT));
    assert!(!machine.is_id_token());
}

/// T-JWT-3: tokens of others, and tokens that never end.
#[test]
fn t_jwt_3_a_token_for_another_audience_or_without_an_end_is_refused() {
    let auth = site(json!({"bearerTokens": true}));
    for (wrong, expected) in [
        (access_token(json!({"client_id": "other"})), Reason::TokenAudience),
        (access_token(json!({"client_id": null})), Reason::TokenAudience),
        (
            access_token(json!({"client_id": null, "aud": CLIENT})),
            Reason::TokenAudience,
        ),
        (access_token(json!({"client_id": [CLIENT]})), Reason::TokenAudience),
        (access_token(json!({"token_use": null})), Reason::TokenUse),
        (access_token(json!({"token_use": "refresh"})), Reason::TokenUse),
        (access_token(json!({"token_use": "id"})), Reason::TokenAudience),
        (
            access_token(json!({"iss": "https://evil.example"})),
            Reason::TokenIssuer,
        ),
        (access_token(json!({"iss": null})), Reason::TokenIssuer),
        (access_token(json!({"exp": null})), Reason::TokenMalformed),
        (access_token(json!({"exp": "never"})), Reason::TokenMalformed),
        (access_token(json!({"exp": NOW.as_secs() - 1})), Reason::TokenExpired),
        (
            access_token(json!({"nbf": NOW.as_secs() + 1})),
            Reason::TokenNotYetValid,
        ),
        (token(json!({"aud": "other"})), Reason::TokenAudience),
        (token(json!({"aud": [CLIENT]})), Reason::TokenAudience),
        (token(json!({"token_use": "access"})), Reason::TokenAudience),
        (token(json!({"exp": 1})), Reason::TokenExpired),
        (fixture::foreign_token(), Reason::TokenSignature),
        ("a.b.c".to_owned(), Reason::TokenMalformed),
        (String::new(), Reason::TokenMalformed),
        ("x".repeat(8193), Reason::TokenMalformed),
        (format!("{} x", token(json!({}))), Reason::TokenMalformed),
    ] {
        assert_eq!(bearing(&auth, &wrong), expected, "{wrong}");
    }
}

/// T-JWT-3: what is good in one place is not good in the other.
#[test]
fn t_jwt_3_an_access_token_is_no_session_and_memories_are_apart() {
    let auth = site(json!({"bearerTokens": {"tokens": ["access"]}}));
    let (id, access) = (token(json!({})), access_token(json!({})));
    assert_eq!(bearing(&auth, &access), Reason::BearerVerified);
    assert_eq!(
        reason(ask(&auth, "/", &[], &format!("ID-TOKEN={access}"))),
        Reason::TokenUse
    );
    assert_eq!(
        reason(ask(&auth, "/", &[], &format!("ID-TOKEN={id}"))),
        Reason::SessionVerified
    );
    assert_eq!(bearing(&auth, &id), Reason::TokenUse);
    let auth = site(json!({"bearerTokens": {"tokens": ["id"]}}));
    assert_eq!(bearing(&auth, &access), Reason::TokenUse);
    assert_eq!(bearing(&auth, &id), Reason::BearerVerified);
}

#[test]
fn only_listed_clients_count() {
    let auth = site(json!({"bearerTokens": {"clients": ["machine", "other"]}}));
    assert_eq!(
        bearing(&auth, &access_token(json!({"client_id": "machine"}))),
        Reason::BearerVerified
    );
    assert_eq!(bearing(&auth, &token(json!({"aud": "other"}))), Reason::BearerVerified);
    assert_eq!(bearing(&auth, &access_token(json!({}))), Reason::TokenAudience);
}

#[test]
fn scopes_are_asked_of_access_tokens_and_by_rules() {
    let auth = site(json!({"bearerTokens": {"scopes": ["api/read", "api/write"], "allScopes": ["api/list"]}}));
    assert_eq!(bearing(&auth, &access_token(json!({}))), Reason::BearerVerified);
    assert_eq!(bearing(&auth, &token(json!({}))), Reason::BearerVerified);
    for scope in [
        json!("api/read"),
        json!("api/list"),
        json!("api/readx api/list"),
        json!(""),
        json!(null),
    ] {
        assert_eq!(
            bearing(&auth, &access_token(json!({ "scope": scope }))),
            Reason::ScopeRequired,
            "{scope}"
        );
    }
    let auth = site(json!({
        "bearerTokens": true,
        "rules": [
            {"under": ["/write"], "require": [{"scopes": ["api/write"]}, {"groups": ["editors"]}]},
            {"require": {"allScopes": ["api/read", "api/list"]}},
        ],
    }));
    let asked = |path: &str, token: &str| reason(ask(&auth, path, &[&format!("Bearer {token}")], ""));
    assert_eq!(asked("/", &access_token(json!({}))), Reason::BearerVerified);
    assert_eq!(asked("/write/x", &access_token(json!({}))), Reason::ScopeRequired);
    assert_eq!(
        asked("/write/x", &access_token(json!({"scope": "api/write"}))),
        Reason::BearerVerified
    );
    assert_eq!(
        asked("/write/x", &token(json!({"cognito:groups": ["editors"]}))),
        Reason::BearerVerified
    );
    let answer = response(ask(
        &auth,
        "/write/x",
        &[&format!("Bearer {}", access_token(json!({})))],
        "",
    ));
    assert_eq!(answer.status, 403);
    let challenge = answer.headers.first("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
}

#[test]
fn a_bearer_token_decides_alone_whatever_the_cookies_say() {
    let auth = site(json!({"bearerTokens": true}));
    let cookie = format!("ID-TOKEN={}", token(json!({})));
    assert_eq!(reason(ask(&auth, "/", &[], &cookie)), Reason::SessionVerified);
    let answer = response(ask(&auth, "/", &["Bearer x.y.z"], &cookie));
    assert_eq!((answer.status, answer.reason), (401, Reason::TokenMalformed));
    let challenge = answer.headers.first("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
        "{challenge}"
    );
    assert_eq!(answer.headers.first("location"), None);
    assert_eq!(answer.headers.first("cache-control"), Some("no-store"));
    // Another scheme is the origin's affair.
    assert_eq!(reason(ask(&auth, "/", &["Basic dTpw"], &cookie)), Reason::SessionKnown);
}

#[test]
fn several_authorization_headers_are_refused() {
    let auth = site(json!({"bearerTokens": true}));
    let good = format!("Bearer {}", token(json!({})));
    for pair in [
        [good.as_str(), good.as_str()],
        [&good, "Basic dTpw"],
        ["Basic dTpw", &good],
    ] {
        let answer = response(ask(&auth, "/", &pair, ""));
        assert_eq!((answer.status, answer.reason), (400, Reason::AuthorizationRepeated));
        assert!(
            answer
                .headers
                .first("www-authenticate")
                .unwrap()
                .contains("invalid_request")
        );
    }
}

#[test]
fn rules_hold_for_bearer_tokens_as_for_sessions() {
    let auth = site(json!({
        "bearerTokens": true,
        "rules": [
            {"under": ["/open"], "require": "public"},
            {"under": ["/closed"], "require": "deny"},
            {"require": {"groups": ["staff"]}},
        ],
    }));
    let asked = |path: &str, token: &str| reason(ask(&auth, path, &[&format!("Bearer {token}")], ""));
    let staff = token(json!({"cognito:groups": ["staff"]}));
    assert_eq!(asked("/x", &staff), Reason::BearerVerified);
    assert_eq!(asked("/x", &token(json!({}))), Reason::GroupRequired);
    assert_eq!(asked("/closed", &staff), Reason::RuleDenied);
    assert_eq!(asked("/open", &staff), Reason::BearerKnown);
    assert_eq!(asked("/open", "x.y.z"), Reason::Public);
    assert_eq!(asked("/closed/../open", &staff), Reason::PathAmbiguous);
    // The required group is everybody's.
    let auth = site_with(json!({"requiredGroup": "staff"}), json!({"bearerTokens": true}));
    assert_eq!(bearing(&auth, &staff), Reason::BearerVerified);
    assert_eq!(bearing(&auth, &access_token(json!({}))), Reason::GroupRequired);
}

#[test]
fn an_unknown_key_is_fetched_once_and_never_for_a_public_path() {
    let rules = json!([{"under": ["/open"], "require": "public"}, {"require": "signedIn"}]);
    let enhancements = json!({"bearerTokens": true, "rules": rules});
    let auth = site_with(json!({"jwks": {"keys": []}}), enhancements);
    let authorization = format!("Bearer {}", access_token(json!({})));
    assert_eq!(reason(ask(&auth, "/open", &[&authorization], "")), Reason::Public);
    let Step::Call(pending) = ask(&auth, "/", &[&authorization], "") else {
        panic!("no fetch")
    };
    assert_eq!(pending.call().purpose, CallPurpose::KeySet);
    assert_eq!(
        reason(pending.resume(Ok(json_reply(&jwks())), NOW, &mut Rng)),
        Reason::BearerVerified
    );
    assert_eq!(reason(ask(&auth, "/", &[&authorization], "")), Reason::BearerKnown);
    let unknown = fixture::token_with_header(&json!({"alg": "RS256", "kid": "made-up"}));
    let Step::Call(pending) = ask(&auth, "/", &[&format!("Bearer {unknown}")], "") else {
        panic!("no fetch")
    };
    let answer = response(pending.resume(Ok(json_reply(&jwks())), NOW, &mut Rng));
    assert_eq!((answer.status, answer.reason), (401, Reason::TokenKey));
}

#[test]
fn keys_that_changed_are_asked_again() {
    let auth = site(json!({"bearerTokens": true}));
    let good = access_token(json!({}));
    assert_eq!(bearing(&auth, &good), Reason::BearerVerified);
    assert_eq!(auth.remembered_tokens(), 1);
    let unknown = fixture::token_with_header(&json!({"alg": "RS256", "kid": "made-up"}));
    let Step::Call(pending) = ask(&auth, "/", &[&format!("Bearer {unknown}")], "") else {
        panic!("no fetch")
    };
    let _ = pending.resume(Ok(json_reply(&json!({"keys": []}))), NOW, &mut Rng);
    assert_eq!(auth.remembered_tokens(), 0);
    assert_eq!(bearing(&auth, &good), Reason::TokenKey);
}

#[test]
fn what_bearer_tokens_are_good_is_checked_at_the_start() {
    for wrong in [
        json!("yes"),
        json!({"clients": []}),
        json!({"tokens": []}),
        json!({"tokens": ["refresh"]}),
        json!({"scopes": []}),
        json!({"scope": ["a"]}),
        json!({"passOn": "yes"}),
    ] {
        let json = config(json!({"profile": "enhanced", "enhancements": {"bearerTokens": wrong}}));
        let json = Json::parse(json.to_string().as_bytes()).unwrap();
        assert!(Config::from_json(&json).is_err(), "{wrong}");
    }
    for (bearer, keeps) in [
        (json!(false), false),
        (json!(true), true),
        (json!({"passOn": true}), false),
    ] {
        let auth = site(json!({ "bearerTokens": bearer }));
        assert_eq!(auth.config().keeps_authorization(), keeps, "{bearer}");
    }
}
