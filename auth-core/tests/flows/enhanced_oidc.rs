//! An OpenID provider other than Cognito: what is asked of it, and what its sessions are like here.

use auth_core::{
    Access, Authenticator, CallPurpose, Capabilities, Config, Forward, HttpCall, HttpReply, Reason, Response, Step,
    UnixTime, json::Json,
};
use serde_json::{Value, json};

use crate::{
    browser::{NAVIGATION, callback, sent_to},
    fixture::{CLIENT, KID, NOW, Rng, config, forward, json_reply, response, sign},
    jar::{Jar, all_set_cookies},
};

pub(crate) const ISSUER: &str = "https://id.example/realms/main";
const SESSION: &str = "__Host-portcullis";

/// The configuration of a site that signs in at `id.example`; `null` takes a key out.
pub(crate) fn oidc_config(oidc: Value, enhancements: Value, others: Value) -> Value {
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

fn merge(object: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            object[key] = value.clone();
        }
    }
}

pub(crate) fn read(config: &Value) -> Result<Config, String> {
    let json = Json::parse(config.to_string().as_bytes()).unwrap();
    Config::from_json(&json).map_err(|error| error.to_string())
}

pub(crate) fn oidc_site(oidc: Value, enhancements: Value, others: Value) -> Authenticator {
    let config = read(&oidc_config(oidc, enhancements, others)).unwrap();
    Authenticator::new(config, Capabilities::PROXY)
}

fn edge_site() -> Authenticator {
    let config = oidc_config(json!({}), json!({}), json!({}));
    let json = Json::parse(config.to_string().as_bytes()).unwrap();
    Authenticator::new(Config::as_deployed(&json).unwrap(), Capabilities::EDGE)
}

fn site() -> Authenticator {
    oidc_site(json!({}), json!({}), json!({}))
}

/// The claims of an id token as another provider than Cognito makes them; `null` takes one out.
pub(crate) fn oidc_claims(overrides: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "preferred_username": "jane",
        "email": "jane@example.com", "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs(), "groups": ["staff"],
    });
    merge(&mut claims, &overrides);
    claims
}

pub(crate) fn id_token(overrides: Value) -> String {
    sign(
        &json!({"alg": "RS256", "kid": KID, "typ": "JWT"}),
        &oidc_claims(overrides),
        "signing-a",
    )
}

const fn later(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

/// Signs in; the calls that were made, and the answer to the callback.
fn sign_in(jar: &mut Jar, auth: &Authenticator, claims: Value, reply: Value) -> (Vec<HttpCall>, Response) {
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

fn signed_in(auth: &Authenticator, claims: Value, reply: Value) -> Jar {
    let mut jar = Jar::at("site.example");
    let (_, answer) = sign_in(&mut jar, auth, claims, reply);
    assert_eq!(answer.reason, Reason::SignedIn);
    jar
}

fn pass(jar: &mut Jar, auth: &Authenticator, now: UnixTime) -> Forward {
    let passed = forward(jar.ask(auth, "/", NAVIGATION, now));
    jar.keep("/", &passed.response_cookies);
    passed
}

/// A request during which each call gets this reply; the calls, and what became of it.
fn asked(jar: &Jar, auth: &Authenticator, target: &str, reply: &HttpReply, now: UnixTime) -> (Vec<HttpCall>, Step) {
    let mut calls = Vec::new();
    let mut step = jar.ask(auth, target, NAVIGATION, now);
    while let Step::Call(pending) = step {
        calls.push(pending.call().clone());
        step = pending.resume(Ok(reply.clone()), now, &mut Rng);
    }
    (calls, step)
}

fn form(call: &HttpCall) -> &str {
    call.form.as_ref().unwrap().expose()
}

#[test]
fn a_sign_in_goes_by_the_endpoints_and_leaves_one_sealed_cookie() {
    let auth = site();
    let mut jar = Jar::at("site.example");
    let sent = jar.navigate(&auth, "/deep/link", &json_reply(&json!({})), NOW);
    let location = sent.headers.first("location").unwrap();
    assert!(location.starts_with("https://id.example/authorize?"), "{location}");
    assert_eq!(sent_to(&sent, "scope"), "openid%20email%20profile");
    assert_eq!(sent_to(&sent, "code_challenge_method"), "S256");
    let mut jar = Jar::at("site.example");
    let (calls, answer) = sign_in(&mut jar, &auth, json!({}), json!({}));
    assert_eq!(
        answer.headers.first("Location"),
        Some("https://site.example/deep/link?a=%20b")
    );
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].purpose, CallPurpose::TokenExchange);
    assert_eq!(calls[0].url, "https://id.example/token");
    assert!(
        jar.names().iter().all(|name| !name.contains("Token")),
        "{:?}",
        jar.names()
    );
    let passed = pass(&mut jar, &auth, NOW);
    let Access::Session(viewer) = &passed.access else {
        panic!("public")
    };
    assert_eq!(
        (viewer.username(), viewer.email(), viewer.subject(), viewer.groups()),
        (
            Some("jane"),
            Some("jane@example.com"),
            Some("248289761001"),
            &["staff".to_owned()][..]
        )
    );
    assert_eq!(viewer.claim("iss").and_then(Json::as_str), Some(ISSUER));
    assert!(viewer.claim("token_use").is_none() && viewer.is_id_token());
}

#[test]
fn the_client_proves_itself_as_it_is_told_to() {
    let secret = json!({"clientSecret": "s3cret/with:colon"});
    let call = |oidc: Value, others: Value| {
        let auth = oidc_site(oidc, json!({}), others);
        let (calls, _) = sign_in(&mut Jar::at("site.example"), &auth, json!({}), json!({}));
        let header = calls[0].authorization.as_ref().map(|header| header.expose().clone());
        (header, form(&calls[0]).to_owned())
    };
    let (header, body) = call(json!({}), secret.clone());
    // client:s3cret%2Fwith%3Acolon (RFC 6749, section 2.3.1)
    assert_eq!(
        header.as_deref(),
        Some("Basic Y2xpZW50OnMzY3JldCUyRndpdGglM0Fjb2xvbg==")
    );
    assert!(!body.contains("client_id"), "{body}");
    let (header, body) = call(json!({"tokenEndpointAuthMethod": "client_secret_post"}), secret);
    assert_eq!(header, None);
    assert!(
        body.contains("client_id=client&client_secret=s3cret%2Fwith%3Acolon&"),
        "{body}"
    );
    for method in [json!(null), json!("none")] {
        let (header, body) = call(json!({"tokenEndpointAuthMethod": method}), json!({}));
        assert_eq!(header, None);
        assert!(
            body.contains("client_id=client&") && !body.contains("client_secret"),
            "{body}"
        );
    }
}

#[test]
fn an_answer_that_names_another_issuer_is_not_redeemed() {
    let auth = site();
    for (issuer, is_redeemed) in [
        ("https%3A%2F%2Fid.example%2Frealms%2Fmain", true),
        ("https%3A%2F%2Fid.example%2Frealms%2Fother", false),
        ("", false),
        ("https%3A%2F%2Fid.example%2Frealms%2Fmain&iss=x", false),
    ] {
        let mut jar = Jar::at("site.example");
        let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
        let step = jar.ask(&auth, &format!("{}&iss={issuer}", callback(&sent)), NAVIGATION, NOW);
        match step {
            Step::Call(_) => assert!(is_redeemed, "{issuer}"),
            Step::Decided(decision) => {
                assert!(!is_redeemed, "{issuer}");
                assert_eq!(decision.reason(), Reason::CallbackInvalid);
            }
        }
    }
}

/// T-CSRF-4
#[test]
fn t_csrf_4_an_id_token_of_another_sign_in_signs_nobody_in() {
    let auth = site();
    for nonce in [json!(null), json!("another"), json!(7)] {
        let mut jar = Jar::at("site.example");
        let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
        let reply = json_reply(&json!({"id_token": id_token(json!({"nonce": nonce})), "access_token": "a"}));
        let answer = jar.navigate(&auth, &callback(&sent), &reply, NOW);
        assert_eq!(answer.reason, Reason::NonceClaim, "{nonce}");
    }
}

#[test]
fn a_token_with_nothing_but_what_is_required_signs_in() {
    let auth = site();
    let bare = json!({"preferred_username": null, "email": null, "groups": null});
    let mut jar = signed_in(&auth, bare, json!({"refresh_token": null, "expires_in": null}));
    let Access::Session(viewer) = pass(&mut jar, &auth, NOW).access else {
        panic!("public")
    };
    assert_eq!((viewer.username(), viewer.email()), (Some("248289761001"), None));
}

#[test]
fn without_a_refresh_token_the_end_of_the_session_is_one_sign_in() {
    let auth = site();
    let jar = signed_in(&auth, json!({}), json!({"refresh_token": null}));
    let (calls, step) = asked(&jar, &auth, "/", &json_reply(&json!({})), later(3601));
    assert!(calls.is_empty());
    let answer = response(step);
    assert_eq!(answer.status, 302);
    assert!(
        answer
            .headers
            .first("Location")
            .unwrap()
            .starts_with("https://id.example/authorize?")
    );
}

#[test]
fn a_session_is_renewed_and_a_new_id_token_counts() {
    let auth = oidc_site(json!({}), json!({}), json!({"clientSecret": "s"}));
    let mut jar = signed_in(&auth, json!({}), json!({}));
    let new = json!({"exp": NOW.as_secs() + 7200, "groups": ["other"], "iat": NOW.as_secs() + 3601});
    let reply = json_reply(&json!({"id_token": id_token(new), "access_token": "b", "refresh_token": "rotated"}));
    let (calls, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(form(&calls[0]), "grant_type=refresh_token&refresh_token=refresh");
    assert_eq!(calls[0].url, "https://id.example/token");
    let passed = forward(step);
    assert_eq!(passed.reason, Reason::Refreshed);
    jar.keep("/", &passed.response_cookies);
    let Access::Session(viewer) = pass(&mut jar, &auth, later(3700)).access else {
        panic!("public")
    };
    assert_eq!(viewer.groups(), ["other"]);
    let (calls, _) = asked(&jar, &auth, "/", &reply, later(7201));
    assert!(form(&calls[0]).ends_with("refresh_token=rotated"));
}

#[test]
fn at_the_edge_a_session_is_renewed_on_the_way_round_by_the_refresh_path() {
    let auth = edge_site();
    let mut jar = signed_in(&auth, json!({}), json!({}));
    assert_eq!(pass(&mut jar, &auth, NOW).reason, Reason::SessionVerified);
    let sent = response(jar.ask(&auth, "/page", NAVIGATION, later(3601)));
    assert_eq!((sent.status, sent.reason), (307, Reason::SessionExpired));
    jar.keep("/page", &all_set_cookies(&sent));
    let target = sent.headers.first("Location").unwrap();
    let target = target.strip_prefix("https://site.example").unwrap();
    for id in [Some(id_token(json!({"exp": NOW.as_secs() + 7200}))), None] {
        let mut jar = jar.clone();
        let mut tokens = json!({"access_token": "b", "expires_in": 3600});
        merge(&mut tokens, &json!({"id_token": id}));
        let (calls, step) = asked(&jar, &auth, target, &json_reply(&tokens), later(3601));
        assert_eq!(calls[0].url, "https://id.example/token");
        let back = response(step);
        assert_eq!(back.headers.first("Location"), Some("https://site.example/page"));
        jar.keep("/refreshauth", &all_set_cookies(&back));
        assert_eq!(pass(&mut jar, &auth, later(3700)).reason, Reason::SessionVerified);
    }
}

/// OpenID Connect Core, section 12.2: the id token is optional there.
#[test]
fn a_renewal_without_an_id_token_prolongs_a_sealed_session_by_the_access_tokens_life() {
    let auth = site();
    let mut jar = signed_in(&auth, json!({}), json!({}));
    for (at, expires_in, good_for) in [
        (3601, json!(600), 600),
        (5000, json!(null), 300),
        (6000, json!(1e9), 86_400),
    ] {
        let mut reply = json!({"access_token": format!("a{at}"), "token_type": "Bearer"});
        merge(&mut reply, &json!({"expires_in": expires_in}));
        let (_, step) = asked(&jar, &auth, "/", &json_reply(&reply), later(at));
        let passed = forward(step);
        assert_eq!(passed.reason, Reason::Refreshed);
        let Access::Session(viewer) = &passed.access else {
            panic!("public")
        };
        assert_eq!((viewer.username(), viewer.token().is_none()), (Some("jane"), true));
        jar.keep("/", &passed.response_cookies);
        assert_eq!(pass(&mut jar, &auth, later(at + 1)).reason, Reason::SessionVerified);
        let (calls, _) = asked(&jar, &auth, "/", &json_reply(&reply), later(at + good_for + 1));
        assert_eq!(calls.len(), 1, "still good");
    }
}

#[test]
fn sessions_that_were_prolonged_are_told_apart() {
    let auth = site();
    let credential = |access_token: &str| {
        let jar = signed_in(&auth, json!({}), json!({}));
        let reply = json_reply(&json!({"access_token": access_token, "expires_in": 60}));
        let passed = forward(asked(&jar, &auth, "/", &reply, later(3601)).1);
        match &passed.access {
            Access::Session(viewer) => viewer.credential().expose().to_string(),
            Access::Public => panic!("public"),
        }
    };
    let (one, other) = (credential("one"), credential("other"));
    assert!(one != other && one.len() > 40 && !one.contains("one"), "{one}");
}

#[test]
fn a_renewal_without_an_id_token_ends_a_session_of_plain_cookies_in_a_sign_in() {
    let auth = oidc_site(
        json!({}),
        json!({"sealedSession": false}),
        json!({"cookieSettings": {"refreshToken": "Path=/; Secure; HttpOnly"}}),
    );
    let jar = signed_in(&auth, json!({}), json!({}));
    let reply = json_reply(&json!({"access_token": "a", "expires_in": 600}));
    let (calls, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(calls.len(), 1);
    let answer = response(step);
    assert_eq!((answer.status, answer.reason), (302, Reason::SessionNotRefreshable));
    assert!(
        answer
            .headers
            .first("Location")
            .unwrap()
            .starts_with("https://id.example/authorize?")
    );
    // A reply without any token is no reply.
    let (_, step) = asked(&jar, &auth, "/", &json_reply(&json!({"ok": true})), later(3700));
    assert_eq!(response(step).status, 503);
}

/// T-JWT-6
#[test]
fn t_jwt_6_a_renewal_that_brings_another_subject_ends_the_session() {
    let auth = site();
    let jar = signed_in(&auth, json!({}), json!({}));
    let other = id_token(json!({"sub": "another", "exp": NOW.as_secs() + 7200}));
    let reply = json_reply(&json!({"id_token": other, "access_token": "a"}));
    let (_, step) = asked(&jar, &auth, "/", &reply, later(3601));
    assert_eq!(response(step).reason, Reason::TokenSubject);
}

#[test]
fn plain_cookies_hold_names_and_tokens_that_no_cookie_could_hold_as_they_are() {
    let auth = oidc_site(
        json!({}),
        json!({"sealedSession": false}),
        json!({"cookieSettings": {"refreshToken": "Path=/; Secure; HttpOnly"}, "clientId": "a b/c@d"}),
    );
    for user in ["jane;x=1", "jäne@ex ample", "a%2fb", "\"q\"", "a,b"] {
        let claims = json!({"preferred_username": user, "aud": "a b/c@d"});
        let mut jar = signed_in(&auth, claims, json!({"refresh_token": "a;b, c%41=\"\\"}));
        for name in jar.names() {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"=;, \"".contains(&byte)),
                "{name}"
            );
        }
        // Nobody reads the access token.
        assert!(
            jar.names()
                .iter()
                .all(|name| !name.ends_with("accessToken") && !name.ends_with("userData"))
        );
        let Access::Session(viewer) = pass(&mut jar, &auth, NOW).access else {
            panic!("public")
        };
        assert_eq!(viewer.username(), Some(user));
        let (calls, _) = asked(&jar, &auth, "/", &json_reply(&json!({})), later(3601));
        assert!(
            form(&calls[0]).ends_with("refresh_token=a%3Bb%2C%20c%2541%3D%22%5C"),
            "{}",
            form(&calls[0])
        );
    }
}

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

#[test]
fn rules_go_by_the_claim_that_lists_groups() {
    let rules = json!([{"require": {"groups": ["staff"]}}]);
    let auth = oidc_site(
        json!({"groupsClaim": "roles", "usernameClaim": "upn"}),
        json!({"rules": rules}),
        json!({}),
    );
    for (claims, passes) in [
        (json!({"roles": ["x", "staff"], "groups": []}), true),
        (json!({"roles": "staff"}), true),
        (json!({"roles": ["x"], "groups": ["staff"]}), false),
        (json!({"cognito:groups": ["staff"]}), false),
    ] {
        let mut all = claims.clone();
        all["upn"] = json!("jane@corp");
        let jar = signed_in(&auth, all, json!({}));
        match jar.ask(&auth, "/", NAVIGATION, NOW) {
            Step::Decided(auth_core::Decision::Forward(passed)) => {
                assert!(passes, "{claims}");
                let Access::Session(viewer) = passed.access else {
                    panic!("public")
                };
                assert_eq!(viewer.username(), Some("jane@corp"));
            }
            step => assert!(!passes && response(step).status == 403, "{claims}"),
        }
    }
    let auth = oidc_site(json!({}), json!({}), json!({"requiredGroup": "admins"}));
    let (_, answer) = sign_in(&mut Jar::at("site.example"), &auth, json!({}), json!({}));
    assert_eq!((answer.status, answer.reason), (403, Reason::GroupRequired));
}

#[test]
fn a_script_is_told_the_usual_claims() {
    let auth = site();
    let jar = signed_in(&auth, json!({"email_verified": true}), json!({}));
    let answer = response(jar.ask(&auth, "/_portcullis/session", NAVIGATION, NOW));
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        told["claims"],
        json!({
            "sub": "248289761001", "preferred_username": "jane", "email": "jane@example.com", "email_verified": true,
            "groups": ["staff"],
        })
    );
}

#[test]
fn keys_are_fetched_from_the_address_that_is_configured_and_need_not_say_their_use() {
    let auth = oidc_site(json!({}), json!({"sealedSession": false}), json!({"jwks": null}));
    let mut jar = Jar::at("site.example");
    let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
    let Step::Call(pending) = jar.ask(&auth, &callback(&sent), NAVIGATION, NOW) else {
        panic!("no token request")
    };
    let token = id_token(json!({"nonce": sent_to(&sent, "nonce")}));
    let Step::Call(pending) = pending.resume(Ok(json_reply(&json!({"id_token": token}))), NOW, &mut Rng) else {
        panic!("no fetch of keys")
    };
    assert_eq!(pending.call().url, "https://keys.example/jwks");
    let mut keys = crate::fixture::jwks();
    for key in keys["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("use");
    }
    let answer = response(pending.resume(Ok(json_reply(&keys)), NOW, &mut Rng));
    assert_eq!(answer.reason, Reason::SignedIn);
}

#[test]
fn a_provider_that_is_not_wholly_described_is_refused_key_by_key() {
    let problems = |oidc: Value, enhancements: Value, others: Value| {
        read(&oidc_config(oidc, enhancements, others)).err().unwrap_or_default()
    };
    let none = json!({});
    for (found, expected) in [
        (
            problems(
                json!({"tokenEndpoint": null, "jwksUri": null}),
                none.clone(),
                none.clone(),
            ),
            "enhancements.oidc.jwksUri: found nothing",
        ),
        (
            problems(json!({"issuer": null}), none.clone(), none.clone()),
            "enhancements.oidc.issuer: found nothing",
        ),
        (
            problems(json!({"issuer": "https://id.example/?a"}), none.clone(), none.clone()),
            "enhancements.oidc.issuer: found \"https://id.example/?a\"",
        ),
        (
            problems(
                json!({"tokenEndpoint": "http://id.example/token"}),
                none.clone(),
                none.clone(),
            ),
            "enhancements.oidc.tokenEndpoint: found",
        ),
        (
            problems(
                json!({"tokenEndpoint": "http://127.0.0.1/token"}),
                none.clone(),
                none.clone(),
            ),
            "with insecureLoopbackHttp",
        ),
        (
            problems(json!({"tokenendpoint": "x"}), none.clone(), none.clone()),
            "did you mean tokenEndpoint?",
        ),
        (
            problems(json!({"usernameClaim": ""}), none.clone(), none.clone()),
            "enhancements.oidc.usernameClaim: found \"\"",
        ),
        (
            problems(
                json!({"tokenEndpointAuthMethod": "private_key_jwt"}),
                none.clone(),
                none.clone(),
            ),
            "one of client_secret_basic, client_secret_post, none",
        ),
        (
            problems(
                json!({"tokenEndpointAuthMethod": "client_secret_post"}),
                none.clone(),
                none.clone(),
            ),
            "none, because there is no clientSecret",
        ),
        (
            problems(none.clone(), none.clone(), json!({"oauthScopes": ["email"]})),
            "oauthScopes: found a list without openid",
        ),
        (
            problems(none.clone(), json!({"parallelSignIns": false}), none.clone()),
            "enhancements.parallelSignIns: found false",
        ),
        (
            problems(none.clone(), json!({"inPlaceRefresh": false}), none.clone()),
            "enhancements.inPlaceRefresh: found false",
        ),
        (
            problems(none.clone(), json!({"thoroughSignOut": false}), none.clone()),
            "enhancements.thoroughSignOut: found false",
        ),
        (
            problems(
                none.clone(),
                json!({"sealedSession": false, "sessionLifetime": {"idleSecs": 900}}),
                none.clone(),
            ),
            "enhancements.sessionLifetime: found limits without a sealed session",
        ),
        (
            problems(none.clone(), none.clone(), json!({"profile": "reference"})),
            "the reference profile speaks to Cognito alone",
        ),
    ] {
        assert!(found.contains(expected), "{expected}\n---\n{found}");
    }
    let mut text = oidc_config(none.clone(), none.clone(), none.clone());
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
