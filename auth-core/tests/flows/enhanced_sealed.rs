//! Sealed sessions: one cookie in place of the tokens, what it survives and what it does not.

use auth_core::{
    Access, Authenticator, Capabilities, Claim, Config, Forward, Reason, Scheme, Step, UnixTime, json::Json,
};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    fixture::{CLIENT, NOW, Rng, base64, config, forward, get, reason, response, site, token},
    jar::{Jar, all_set_cookies},
};

const NAME: &str = "__Host-portcullis";

fn sealed_with(overrides: Value, sealed: Value) -> Authenticator {
    let mut all = overrides;
    all["profile"] = json!("enhanced");
    all["cookieCompatibility"] = json!("amplify");
    all["enhancements"] = sealed;
    site(all)
}

fn sealed() -> Authenticator {
    sealed_with(json!({}), json!({"sealedSession": true}))
}

fn signed_in(auth: &Authenticator) -> Jar {
    let mut jar = Jar::at("site.example");
    let answer = jar.sign_in(auth, json!({}), NOW);
    assert_eq!(answer.reason, Reason::SignedIn);
    jar
}

fn id_token_of(passed: &Forward) -> Option<String> {
    match &passed.access {
        Access::Session(viewer) => viewer.token().map(|token| token.expose().to_string()),
        Access::Public => panic!("public"),
    }
}

#[test]
fn a_sign_in_leaves_one_cookie_that_tells_nothing() {
    let auth = sealed();
    let mut jar = signed_in(&auth);
    assert_eq!(
        jar.names().iter().filter(|name| !name.ends_with("hops")).count(),
        1,
        "{:?}",
        jar.names()
    );
    let value = &jar.one(NAME).value;
    let claims = base64(b"jane@example.com");
    assert!(!value.contains("jane") && !value.contains(&claims[..10]) && !value.contains("refresh"));
    let passed = jar.pass(&auth, NOW);
    assert_eq!(passed.reason, Reason::SessionVerified);
    let Access::Session(viewer) = &passed.access else {
        panic!()
    };
    assert_eq!(
        (viewer.email(), viewer.subject(), viewer.username()),
        (Some("jane@example.com"), Some("s"), Some("jane"))
    );
    let issuer = viewer.claim("iss").and_then(Claim::as_str);
    assert!(issuer.is_some_and(|issuer| issuer.starts_with("https://cognito-idp.")));
    assert_eq!(viewer.claim("aud").and_then(Claim::as_str), Some(CLIENT));
    assert_eq!(jar.pass(&auth, NOW).reason, Reason::SessionKnown);
}

/// Cognito's refresh tokens have about 1,800 characters, its id tokens about 1,000.
#[test]
fn a_session_of_cognitos_size_takes_one_cookie_far_below_what_its_tokens_take() {
    let refresh = [
        base64(&[1; 70]),
        base64(&[2; 256]),
        base64(&[3; 12]),
        base64(&[4; 960]),
        base64(&[5; 16]),
    ]
    .join(".");
    assert!(refresh.len() > 1700, "{}", refresh.len());
    let claims = json!({
        "sub": "0d1e2f3a-4b5c-4d7e-8f90-a1b2c3d4e5f6", "cognito:groups": ["readers", "writers"],
        "event_id": "1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809", "origin_jti": "aa11bb22-cc33-4d44-8e55-ff6600778899",
        "at_hash": "Kp3yQm9sX1dFvB7zN2cTbA", "auth_time": NOW.as_secs(), "email_verified": true,
        "jti": "99887766-5544-4332-a110-ffeeddccbbaa", "name": "Jane Doe",
    });
    let mut sizes = Vec::new();
    for settings in [
        json!({"sealedSession": true}),
        json!({"sealedSession": {"keepIdToken": true}}),
        json!({}),
    ] {
        let auth = sealed_with(json!({}), settings);
        let mut jar = Jar::at("site.example");
        let reply = json!({"refresh_token": refresh, "access_token": "x".repeat(1050)});
        jar.sign_in_with(&auth, claims.clone(), reply, NOW);
        sizes.push(jar.cookies("/").len());
    }
    println!(
        "cookies: sealed {}, sealed with the id token {}, plain {}",
        sizes[0], sizes[1], sizes[2]
    );
    assert!(sizes[0] < 2700 && sizes[1] < 3300 && sizes[2] > 4000, "{sizes:?}");
}

#[test]
fn the_id_token_is_kept_where_that_is_asked_for_and_absent_otherwise() {
    for (settings, kept) in [
        (json!(true), false),
        (json!({"keepIdToken": true}), true),
        (json!({}), false),
    ] {
        let auth = sealed_with(json!({}), json!({"sealedSession": settings}));
        let mut jar = signed_in(&auth);
        let id_token = id_token_of(&jar.pass(&auth, NOW));
        assert_eq!(id_token.is_some(), kept);
        if let Some(id_token) = id_token {
            assert_eq!(
                reason(get(&site(json!({})), "/", &[&format!("ID-TOKEN={id_token}")], NOW)),
                Reason::SessionVerified
            );
        }
    }
}

/// T-SESS-1: a cookie from before a sign-in, planted or not, is not the one after it.
#[test]
fn t_sess_1_each_sign_in_seals_anew() {
    let auth = sealed();
    let mut jar = signed_in(&auth);
    let before = jar.one(NAME).value.clone();
    jar.sign_in_again(&auth);
    assert_ne!(jar.one(NAME).value, before);
}

/// T-SESS-3: the first secret seals, all of them open, and one that is gone opens nothing.
#[test]
fn t_sess_3_secrets_are_replaced_while_sessions_go_on() {
    let with = |secrets: Value| sealed_with(json!({}), json!({"sealedSession": true, "sessionSecrets": secrets}));
    let (old, new) = ("an-old-secret-of-some-length", "a-new-secret-of-some-length");
    let mut jar = signed_in(&with(json!([old])));
    let both = with(json!([new, old]));
    jar.pass(&both, NOW);
    assert_eq!(
        reason(jar.ask(&with(json!([new])), "/", NAVIGATION, NOW)),
        Reason::SessionSeal
    );
    let mut later = signed_in(&both);
    later.pass(&with(json!([new])), NOW);
    assert_eq!(
        reason(later.ask(&with(json!([old])), "/", NAVIGATION, NOW)),
        Reason::SessionSeal
    );
}

#[test]
fn what_is_sealed_for_one_client_or_scheme_opens_for_no_other() {
    let auth = sealed();
    let jar = signed_in(&auth);
    let value = &jar.one(NAME).value;
    let other = sealed_with(json!({"clientId": "other"}), json!({"sealedSession": true}));
    assert_eq!(
        reason(get(&other, "/", &[&format!("{NAME}={value}")], NOW)),
        Reason::SessionSeal
    );
    // Over https the name without the prefix counts for nothing: anybody could have planted it.
    assert_eq!(
        reason(get(&auth, "/", &[&format!("portcullis={value}")], NOW)),
        Reason::SessionAbsent
    );
    let mut plain = Jar {
        scheme: Scheme::Http,
        ..Jar::at("localhost")
    };
    plain.kept.clone_from(&jar.kept);
    assert_eq!(reason(plain.ask(&auth, "/", NAVIGATION, NOW)), Reason::SessionAbsent);
    plain.kept.clear();
    plain.set("localhost", "/", &format!("portcullis={value}; Path=/"));
    assert_eq!(reason(plain.ask(&auth, "/", NAVIGATION, NOW)), Reason::SessionSeal);
}

#[test]
fn over_plain_http_on_this_machine_the_cookie_has_neither_prefix_nor_secure() {
    let auth = sealed();
    let mut jar = Jar {
        scheme: Scheme::Http,
        ..Jar::at("localhost")
    };
    let answer = jar.sign_in(&auth, json!({}), NOW);
    let cookies = all_set_cookies(&answer);
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("portcullis=")).unwrap();
    assert!(
        !cookie.contains("Secure") && cookie.contains("HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    forward(jar.ask(&auth, "/", NAVIGATION, NOW));
}

/// What was changed, cut or made up opens nothing, and costs no call.
#[test]
fn a_changed_cookie_is_no_session() {
    let auth = sealed();
    let value = signed_in(&auth).one(NAME).value.clone();
    for at in (0..value.len()).step_by(7) {
        let mut changed = value.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            reason(get(&auth, "/", &[&format!("{NAME}={changed}")], NOW)),
            Reason::SessionSeal,
            "{at}"
        );
        let cut = &value[..at];
        let step = get(&auth, "/", &[&format!("{NAME}={cut}")], NOW);
        assert!(
            matches!(reason(step), Reason::SessionSeal | Reason::SessionAbsent),
            "{at}"
        );
    }
}

/// T-COOKIE-4: all parts or nothing, and nothing is done for what cannot be ours.
#[test]
fn t_cookie_4_a_session_in_parts_is_read_whole_or_not_at_all() {
    let auth = sealed();
    let mut jar = Jar::at("site.example");
    jar.sign_in_with(
        &auth,
        json!({"large": "x".repeat(3000)}),
        json!({"refresh_token": "r!".repeat(1500)}),
        NOW,
    );
    let parts: Vec<(String, String)> = jar
        .kept
        .iter()
        .filter(|kept| kept.name == NAME || kept.name.starts_with("__Host-portcullis."))
        .map(|kept| (kept.name.clone(), kept.value.clone()))
        .collect();
    assert_eq!(parts.len(), 3, "{:?}", jar.names());
    let ask = |parts: &[(String, String)]| {
        let pairs: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        get(&auth, "/", &[&pairs.join("; ")], NOW)
    };
    forward(ask(&parts));
    assert_eq!(forward(ask(&parts)).reason, Reason::SessionKnown);
    let first = |value: String| {
        let mut changed = parts.clone();
        changed[0].1 = value;
        changed
    };
    let (_, part) = parts[0].1.split_once('~').unwrap();
    let mut shorter = parts.clone();
    shorter[2].1.pop();
    let mut longer = parts.clone();
    longer[2].1.push('A');
    let mut swapped = parts.clone();
    swapped[1].1 = parts[2].1.clone();
    let mut empty = parts.clone();
    empty[1].1.clear();
    for bad in [
        parts[..2].to_vec(),
        parts[1..].to_vec(),
        vec![parts[0].clone(), parts[2].clone()],
        first(format!("2~{part}")),
        first(format!("4~{part}")),
        first(format!("99999999~{part}")),
        first(format!("03~{part}")),
        first(format!("-1~{part}")),
        first(format!("~{part}")),
        first(part.to_owned()),
        first("3~".to_owned()),
        first(format!("3~{}", "A".repeat(1 << 20))),
        shorter,
        longer,
        swapped,
        empty,
    ] {
        let found = reason(ask(&bad));
        assert!(
            matches!(found, Reason::SessionSeal | Reason::SessionAbsent),
            "{found:?}"
        );
    }
}

#[test]
fn t_cookie_4_a_session_that_fits_exactly_and_one_that_fits_no_more() {
    let mut counts = Vec::new();
    for length in (2695..2715).chain(5540..5565) {
        let auth = sealed();
        let mut jar = Jar::at("site.example");
        jar.sign_in_with(&auth, json!({}), json!({"refresh_token": "!".repeat(length)}), NOW);
        counts.push((
            length,
            jar.one_length(NAME),
            jar.one_length("__Host-portcullis.1"),
            jar.one_length("__Host-portcullis.2"),
        ));
        forward(jar.ask(&auth, "/", NAVIGATION, NOW));
    }
    for boundary in [(3800, 0, 0), (3809, 8, 0), (3809, 3807, 0), (3809, 3807, 8)] {
        let near = |(_, one, two, three): &(usize, usize, usize, usize)| {
            one.abs_diff(boundary.0) < 2 && two.abs_diff(boundary.1) < 2 && three.abs_diff(boundary.2) < 2
        };
        assert!(counts.iter().any(near), "{boundary:?} {counts:?}");
    }
    // Far beyond what four cookies hold, the tokens have their own.
    let auth = sealed();
    let mut jar = Jar::at("site.example");
    jar.sign_in_with(&auth, json!({}), json!({"refresh_token": "!".repeat(12_000)}), NOW);
    assert!(
        jar.names().iter().any(|name| name.ends_with(".idToken")),
        "{:?}",
        jar.names()
    );
}

/// A viewer who comes with tokens stays signed in and leaves with a sealed session.
#[test]
fn a_session_in_plain_cookies_is_taken_over() {
    let auth = sealed();
    let mut jar = Jar::at("site.example");
    let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
    for (name, value) in [
        ("LastAuthUser", "jane"),
        ("jane.idToken", &*token(json!({}))),
        ("jane.accessToken", "a"),
        ("jane.refreshToken", "the-refresh-token"),
        ("jane.userData", "u"),
        ("bob.idToken", "x"),
    ] {
        jar.set("site.example", "/", &format!("{prefix}.{name}={value}; Path=/; Secure"));
    }
    jar.set("site.example", "/", "theme=dark; Path=/");
    let passed = jar.pass(&auth, NOW);
    assert!(id_token_of(&passed).is_some(), "this once the token itself was brought");
    assert_eq!(jar.names(), [NAME, "theme"]);
    assert_eq!(jar.pass(&auth, NOW).response_cookies, Vec::<String>::new());
    let Step::Call(call) = jar.ask(&auth, "/signout", NAVIGATION, NOW) else {
        panic!("no revocation")
    };
    assert!(
        call.call()
            .form
            .as_ref()
            .unwrap()
            .expose()
            .contains("the-refresh-token")
    );
}

/// Where an answer to a forwarded request can set no cookie, the tokens go on until the next sign-in.
#[test]
fn at_the_edge_plain_cookies_go_on_as_they_are() {
    let overrides = json!({"profile": "enhanced", "enhancements": {"sealedSession": true}});
    let json = Json::parse(config(overrides).to_string().as_bytes()).unwrap();
    let auth = Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::EDGE);
    let passed = forward(get(&auth, "/", &[&format!("ID-TOKEN={}", token(json!({})))], NOW));
    assert!(passed.response_cookies.is_empty());
}

/// The refresh token's cookie may be for the refresh path alone: it is neither lost nor thrown away unseen.
#[test]
fn a_refresh_token_out_of_sight_stays_when_a_session_is_taken_over() {
    let auth = sealed_with(json!({"mode": "staticSiteMode"}), json!({"sealedSession": true}));
    let mut jar = Jar::at("site.example");
    let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
    jar.set(
        "site.example",
        "/",
        &format!("{prefix}.LastAuthUser=jane; Path=/; Secure"),
    );
    jar.set(
        "site.example",
        "/",
        &format!("{prefix}.jane.idToken={}; Path=/; Secure", token(json!({}))),
    );
    jar.set(
        "site.example",
        "/",
        &format!("{prefix}.jane.refreshToken=r; Path=/refreshauth; Secure"),
    );
    jar.pass(&auth, NOW);
    assert_eq!(jar.names(), [&*format!("{prefix}.jane.refreshToken"), NAME]);
}

/// What the seal says was right when it was sealed; whether it is enough is asked again.
#[test]
fn times_groups_and_rules_are_checked_on_a_sealed_session_as_on_any() {
    let auth = sealed();
    let mut jar = signed_in(&auth);
    jar.pass(&auth, NOW);
    let after = UnixTime::from_secs(NOW.as_secs() + 3601);
    let Step::Call(renewal) = jar.ask(&auth, "/", NAVIGATION, after) else {
        panic!("no renewal")
    };
    assert!(
        renewal
            .call()
            .form
            .as_ref()
            .unwrap()
            .expose()
            .contains("a-refresh-token")
    );
    let narrow = sealed_with(json!({"requiredGroup": "readers"}), json!({"sealedSession": true}));
    let answer = response(jar.ask(&narrow, "/", NAVIGATION, NOW));
    assert_eq!((answer.status, answer.reason), (403, Reason::GroupRequired));
}

/// T-LEAK-2: no answer of ours hands out what is sealed.
#[test]
fn t_leak_2_no_answer_shows_a_token_of_a_sealed_session() {
    let auth = sealed();
    let jar = signed_in(&auth);
    for target in [
        "/_portcullis/session",
        "/_portcullis/refresh",
        "/_portcullis/signed-out",
        "/signout",
        "/parseauth",
        "/refreshauth",
    ] {
        let mut step = jar.ask(&auth, target, &[("sec-fetch-mode", "cors")], NOW);
        for _ in 0..4 {
            if let Step::Call(pending) = step {
                step = pending.resume(Err(auth_core::CallError::Timeout), NOW, &mut Rng);
            }
        }
        let shown = format!("{step:?}");
        assert!(
            !shown.contains("a-refresh-token") && !shown.contains("an-access-token"),
            "{target}"
        );
    }
}

#[test]
fn weak_secrets_and_unknown_settings_are_refused_and_no_secret_is_shown() {
    for (settings, path) in [
        (json!({"sealedSession": "yes"}), "enhancements.sealedSession"),
        (
            json!({"sealedSession": {"keep": true}}),
            "enhancements.sealedSession.keep",
        ),
        (
            json!({"sessionSecrets": ["hush-hush"]}),
            "enhancements.sessionSecrets[0]",
        ),
        (
            json!({"sessionSecrets": "hush-hush-hush-hush"}),
            "enhancements.sessionSecrets",
        ),
        (json!({"sessionSecrets": []}), "enhancements.sessionSecrets"),
        (json!({"cookieBudgetBytes": 12}), "enhancements.cookieBudgetBytes"),
        (json!({"accessTokenCookie": "no"}), "enhancements.accessTokenCookie"),
    ] {
        let all = config(json!({"profile": "enhanced", "enhancements": settings}));
        let error = Config::from_json(&Json::parse(all.to_string().as_bytes()).unwrap()).unwrap_err();
        assert!(error.problems.iter().any(|problem| problem.path == path), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
