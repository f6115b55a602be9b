//! Such a provider: its endpoints, its tokens, and a site that signs in there.

use auth_core::{
    Access, Authenticator, Capabilities, Config, Forward, HttpCall, HttpReply, Reason, Response, Step, UnixTime,
    VerifiedIdToken, json::Json,
};
use serde_json::{Value, json};

use crate::{
    browser::{NAVIGATION, callback, sent_to},
    fixture::{CLIENT, KID, NOW, Rng, config, json_reply, response, sign},
    jar::{Jar, all_set_cookies},
};

pub(super) const ISSUER: &str = "https://id.example/realms/main";
pub(super) const SESSION: &str = "__Host-portcullis";

/// The configuration of a site that signs in at `id.example`; `null` takes a key out.
pub(super) fn oidc_config(oidc: Value, enhancements: Value, others: Value) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "authorizationEndpoint": "https://id.example/authorize",
        "tokenEndpoint": "https://id.example/token",
        "jwksUri": "https://keys.example/jwks",
        "endSessionEndpoint": "https://id.example/end",
        "revocationEndpoint": "https://id.example/revoke",
    });
    merge(&mut provider, &oidc);
    let mut all = config(json!({
        "profile": "enhanced", "cookieCompatibility": "amplify", "mode": "staticSiteMode",
        "oauthScopes": ["openid", "email", "profile"],
    }));
    all["enhancements"] = enhancements;
    all["enhancements"]["oidc"] = provider;
    merge(&mut all, &json!({"userPoolArn": null, "cognitoAuthDomain": null}));
    merge(&mut all, &others);
    all
}

pub(super) fn merge(object: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            object[key] = value.clone();
        }
    }
}

pub(super) fn read(config: &Value) -> Result<Config, String> {
    let json = Json::parse(config.to_string().as_bytes()).unwrap();
    Config::from_json(&json).map_err(|error| error.to_string())
}

pub(super) fn oidc_site(oidc: Value, enhancements: Value, others: Value) -> Authenticator {
    let config = read(&oidc_config(oidc, enhancements, others)).unwrap();
    Authenticator::new(config, Capabilities::PROXY)
}

pub(super) fn edge_site() -> Authenticator {
    let config = oidc_config(json!({}), json!({}), json!({}));
    let json = Json::parse(config.to_string().as_bytes()).unwrap();
    Authenticator::new(Config::as_deployed(&json).unwrap(), Capabilities::EDGE)
}

pub(super) fn site() -> Authenticator {
    oidc_site(json!({}), json!({}), json!({}))
}

/// The claims of an id token as another provider than Cognito makes them; `null` takes one out.
pub(super) fn oidc_claims(overrides: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "preferred_username": "jane",
        "email": "jane@example.com", "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs(), "groups": ["staff"],
    });
    merge(&mut claims, &overrides);
    claims
}

pub(super) fn id_token(overrides: Value) -> String {
    sign(
        &json!({"alg": "RS256", "kid": KID, "typ": "JWT"}),
        &oidc_claims(overrides),
        "signing-a",
    )
}

pub(super) const fn later(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

/// Signs in; the calls that were made, and the answer to the callback.
pub(super) fn sign_in(jar: &mut Jar, auth: &Authenticator, claims: Value, reply: Value) -> (Vec<HttpCall>, Response) {
    let sent = jar.navigate(auth, "/deep/link?a=%20b", &json_reply(&json!({})), NOW);
    let mut claims = claims;
    claims["nonce"] = json!(sent_to(&sent, "nonce"));
    let mut tokens = json!({
        "id_token": id_token(claims), "access_token": "opaque;access, token", "refresh_token": "refresh",
        "token_type": "Bearer", "expires_in": 300,
    });
    merge(&mut tokens, &reply);
    let mut calls = Vec::new();
    let mut step = jar.ask(auth, &callback(&sent), NAVIGATION, NOW);
    while let Step::Call(pending) = step {
        calls.push(pending.call().clone());
        step = pending.resume(Ok(json_reply(&tokens)), NOW, &mut Rng);
    }
    let answer = response(step);
    jar.keep("/parseauth", &all_set_cookies(&answer));
    (calls, answer)
}

pub(super) fn signed_in(auth: &Authenticator, claims: Value, reply: Value) -> Jar {
    let mut jar = Jar::at("site.example");
    let (_, answer) = sign_in(&mut jar, auth, claims, reply);
    assert_eq!(answer.reason, Reason::SignedIn);
    jar
}

/// A request during which each call gets this reply; the calls, and what became of it.
pub(super) fn asked(
    jar: &Jar,
    auth: &Authenticator,
    target: &str,
    reply: &HttpReply,
    now: UnixTime,
) -> (Vec<HttpCall>, Step) {
    let mut calls = Vec::new();
    let mut step = jar.ask(auth, target, NAVIGATION, now);
    while let Step::Call(pending) = step {
        calls.push(pending.call().clone());
        step = pending.resume(Ok(reply.clone()), now, &mut Rng);
    }
    (calls, step)
}

pub(super) fn form(call: &HttpCall) -> &str {
    call.form.as_ref().unwrap().expose()
}

/// Who has passed.
pub(super) fn viewer_of(passed: Forward) -> VerifiedIdToken {
    match passed.access {
        Access::Session(viewer) => viewer,
        Access::Public => panic!("public"),
    }
}
