//! Cookies in the enhanced profile: several of one name, of several users, too many, and how they are written.

use auth_core::{Access, Authenticator, Reason};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    fixture::{CLIENT, NOW, foreign_token, forward, reason, site, token},
    jar::{Jar, all_set_cookies},
};

fn enhanced(overrides: Value) -> Authenticator {
    let mut all = overrides;
    all["profile"] = json!("enhanced");
    if all.get("cookieCompatibility").is_none() {
        all["cookieCompatibility"] = json!("amplify");
    }
    site(all)
}

fn prefixed(name: &str) -> String {
    format!("CognitoIdentityServiceProvider.{CLIENT}.{name}")
}

/// A browser with cookies of these names and values, all for the whole host.
fn with_cookies<'c>(pairs: impl IntoIterator<Item = (&'c str, String)>) -> Jar {
    let mut jar = Jar::at("app.example.com");
    for (name, value) in pairs {
        jar.set(
            "app.example.com",
            "/",
            &format!("{}={value}; Path=/; Secure", prefixed(name)),
        );
    }
    jar
}

/// T-COOKIE-1: a cookie planted for a longer path comes first, one planted by a sister domain may. Either way the
/// session is found, and the planted one is gone with the answer.
#[test]
fn pain_12_t_cookie_1_of_two_cookies_of_one_name_the_good_one_holds_in_either_order() {
    let auth = enhanced(json!({}));
    for planted in [
        "Path=/deep/link; Secure",
        "Path=/deep; Secure",
        "Path=/deep/; Domain=app.example.com",
        "Path=/; Domain=example.com; Secure",
        "Path=/; Domain=.example.com",
    ] {
        for planted_first in [true, false] {
            let mut jar = Jar::at("app.example.com");
            let plant = format!("{}={}; {planted}", prefixed("jane.idToken"), foreign_token());
            if planted_first {
                jar.set("app.example.com", "/", &plant);
            }
            let good = token(json!({"jti": planted}));
            for (name, value) in [("LastAuthUser", "jane"), ("jane.idToken", &good)] {
                jar.set(
                    "app.example.com",
                    "/",
                    &format!("{}={value}; Path=/; Secure", prefixed(name)),
                );
            }
            jar.set("app.example.com", "/", &plant);
            assert_eq!(jar.kept.len(), 3);
            let sent = jar.cookies("/deep/link");
            let (_, first) = sent.split_once("jane.idToken=").unwrap();
            let hidden = first.starts_with(&good);
            let passed = forward(jar.ask(&auth, "/deep/link", NAVIGATION, NOW));
            jar.keep("/deep/link", &passed.response_cookies);
            if hidden {
                continue;
            }
            let again = forward(jar.ask(&auth, "/deep/link", NAVIGATION, NOW));
            assert_eq!(again.response_cookies, Vec::<String>::new(), "{planted} {:?}", jar.kept);
            assert_eq!(jar.one("jane.idToken").value, good, "{planted}");
        }
    }
}

/// The planted cookie holds the place of our own, and the session stands elsewhere: it is put where it belongs.
#[test]
fn a_session_out_of_its_place_is_put_there() {
    let auth = enhanced(json!({}));
    let good = token(json!({}));
    let mut jar = with_cookies([("LastAuthUser", "jane".to_owned()), ("jane.idToken", foreign_token())]);
    let domain = format!(
        "{}={good}; Path=/; Domain=example.com; Secure",
        prefixed("jane.idToken")
    );
    jar.set("app.example.com", "/", &domain);
    let passed = forward(jar.ask(&auth, "/", NAVIGATION, NOW));
    jar.keep("/", &passed.response_cookies);
    let kept = jar.one("jane.idToken");
    assert_eq!(
        (kept.value.as_str(), kept.domain.as_str()),
        (good.as_str(), "app.example.com")
    );
}

/// T-COOKIE-2: a last user who has no cookies any more, or none said, hides nobody's session.
#[test]
fn t_cookie_2_a_missing_or_stale_last_user_hides_no_session() {
    let auth = enhanced(json!({}));
    let good = token(json!({}));
    for last in [None, Some("gone"), Some("")] {
        let last = last.map(|user| ("LastAuthUser", user.to_owned()));
        let mut jar = with_cookies(last.into_iter().chain([("jane.idToken", good.clone())]));
        let passed = forward(jar.ask(&auth, "/", NAVIGATION, NOW));
        jar.keep("/", &passed.response_cookies);
        assert_eq!(jar.one("LastAuthUser").value, "jane");
        assert_eq!(
            forward(jar.ask(&auth, "/", NAVIGATION, NOW)).response_cookies,
            Vec::<String>::new()
        );
    }
}

/// What was seen before does not decide which of several good tokens holds.
#[test]
fn the_token_that_the_names_lead_to_holds_before_others_known_or_not() {
    let auth = enhanced(json!({}));
    let [encoded, plain] = ["encoded", "plain"].map(|jti| token(json!({"jti": jti, "cognito:username": "j@x"})));
    let jar = with_cookies([
        ("j%40x.idToken", encoded),
        ("j@x.idToken", plain.clone()),
        ("LastAuthUser", "j%40x".to_owned()),
    ]);
    for expected in [Reason::SessionVerified, Reason::SessionKnown] {
        let passed = forward(jar.ask(&auth, "/", NAVIGATION, NOW));
        assert_eq!(passed.reason, expected);
        let Access::Session(session) = passed.access else {
            panic!("somebody is signed in")
        };
        assert_eq!(**session.credential().expose(), *plain);
        assert_eq!(passed.response_cookies, Vec::<String>::new());
    }
}

#[test]
fn nobody_becomes_someone_else_because_a_session_ran_out() {
    let auth = enhanced(json!({}));
    let expired = token(json!({"exp": NOW.as_secs() - 1}));
    let bobs = token(json!({"cognito:username": "bob", "sub": "b"}));
    let jar = with_cookies([
        ("bob.idToken", bobs),
        ("LastAuthUser", "jane".to_owned()),
        ("jane.idToken", expired),
    ]);
    let found = reason(jar.ask(&auth, "/", NAVIGATION, NOW));
    assert!(
        matches!(found, Reason::SessionExpired | Reason::SessionNotRefreshable),
        "{found:?}"
    );
}

/// T-COOKIE-2: what other users left is gone when the next one has signed in.
#[test]
fn pain_28_a_sign_in_leaves_cookies_of_no_other_user() {
    let auth = enhanced(json!({}));
    let mut jar = with_cookies([
        ("LastAuthUser", "bob".to_owned()),
        ("bob.idToken", foreign_token()),
        ("bob.accessToken", "x".to_owned()),
        ("bob.userData", "x".to_owned()),
        ("old%40x.idToken", "x".to_owned()),
    ]);
    jar.set(
        "app.example.com",
        "/",
        &format!("{}=x; Path=/parseauth", prefixed("bob.idToken")),
    );
    jar.sign_in(&auth, json!({}), NOW);
    assert_eq!(jar.one("LastAuthUser").value, "jane");
    let others: Vec<&str> = jar
        .names()
        .into_iter()
        .filter(|name| name.contains("bob") || name.contains("old"))
        .collect();
    assert_eq!(others, Vec::<&str>::new());
    assert!(
        forward(jar.ask(&auth, "/", NAVIGATION, NOW))
            .response_cookies
            .is_empty()
    );
}

/// T-COOKIE-3: a user name is any text; it comes back whole and hurts no other cookie.
#[test]
fn t_cookie_3_a_user_name_may_hold_any_character() {
    let auth = enhanced(json!({}));
    for user in [
        "a@b.c",
        "a+b",
        "a/b",
        "50%",
        "100%41",
        "a;b",
        "a b",
        "ünï",
        "日本",
        "a=b",
        "\"q\"",
        "a,b",
        "a\tb",
        ".",
        "LastAuthUser",
    ] {
        let mut jar = Jar::at("app.example.com");
        jar.sign_in(&auth, json!({"cognito:username": user}), NOW);
        let passed = forward(jar.ask(&auth, "/", NAVIGATION, NOW));
        assert!(passed.response_cookies.is_empty(), "{user}");
        jar.navigate(&auth, "/signout", &crate::fixture::json_reply(&json!({})), NOW);
        assert_eq!(jar.names(), ["__Host-portcullis-signed-out"], "{user}");
    }
}

/// Amplify encodes names that the reference writes as they are; both are found.
#[test]
fn t_cookie_3_a_name_is_found_encoded_and_as_it_is() {
    let auth = enhanced(json!({}));
    for (part, last) in [("j%40x", "j%40x"), ("j@x", "j%40x"), ("j%40x", "j@x"), ("j@x", "j@x")] {
        let value = token(json!({"jti": part, "cognito:username": "j@x"}));
        let jar = with_cookies([("LastAuthUser", last.to_owned()), (&*format!("{part}.idToken"), value)]);
        forward(jar.ask(&auth, "/", NAVIGATION, NOW));
    }
}

/// T-DOS-6: a browser full of made-up tokens costs a bounded number of signatures, and pushes no session out.
#[test]
fn t_dos_6_candidates_are_tried_up_to_a_bound() {
    let auth = enhanced(json!({}));
    let good = token(json!({}));
    forward(
        with_cookies([("LastAuthUser", "jane".to_owned()), ("jane.idToken", good.clone())])
            .ask(&auth, "/", NAVIGATION, NOW),
    );
    let mut many = String::new();
    for number in 0..500 {
        many.push_str(&format!("{}={number}.x.y; ", prefixed("jane.idToken")));
    }
    many.push_str(&format!("{}={good}", prefixed("jane.idToken")));
    let request = |cookies: &str| crate::fixture::get(&auth, "/", &[cookies], NOW);
    assert_eq!(reason(request(&many)), Reason::TokenMalformed);
    assert_eq!(auth.remembered_tokens(), 1);
}

/// What is not needed goes first; what is needed stays, and the sign-in tells.
#[test]
fn pain_13_cookies_stay_within_their_budget_by_leaving_out_what_is_not_needed() {
    let sign_in = |settings: &Value, application: usize| {
        let auth = enhanced(json!({"enhancements": settings}));
        let mut jar = Jar::at("app.example.com");
        for (name, length) in [("one", application / 2), ("two", application - application / 2)] {
            jar.set(
                "app.example.com",
                "/",
                &format!("{name}={}; Path=/", "x".repeat(length)),
            );
        }
        let reply = json!({"access_token": "x".repeat(1000), "refresh_token": "x".repeat(1800)});
        let answer = jar.sign_in_with(&auth, json!({}), reply, NOW);
        forward(jar.ask(&auth, "/", NAVIGATION, NOW));
        (jar, answer.reason)
    };
    let bytes = |jar: &Jar, suffix: &str| -> usize {
        let ours = jar
            .kept
            .iter()
            .filter(|kept| !kept.name.starts_with("__Host-") && kept.name.ends_with(suffix));
        ours.map(|kept| kept.name.len() + kept.value.len() + 3).sum()
    };
    let (all, _) = sign_in(&json!({}), 0);
    // The names `one` and `two` are among them already.
    let room = 8192 - bytes(&all, "");
    let (data, scopes, access) = (
        bytes(&all, "userData"),
        bytes(&all, "tokenScopesString"),
        bytes(&all, "accessToken"),
    );
    let both = &["userData", "tokenScopesString"][..];
    let three = &["userData", "tokenScopesString", "accessToken"][..];
    for (application, settings, left_out, within) in [
        (0, json!({}), &[][..], true),
        (room, json!({}), &[], true),
        (room + 1, json!({}), &both[..1], true),
        (room + data, json!({}), &both[..1], true),
        (room + data + 1, json!({}), both, true),
        (room + data + scopes + 1, json!({}), both, false),
        (
            room + data + scopes + 1,
            json!({"accessTokenCookie": "withinBudget"}),
            three,
            true,
        ),
        (
            room + data + scopes + access + 1,
            json!({"accessTokenCookie": "withinBudget"}),
            three,
            false,
        ),
        (0, json!({"accessTokenCookie": "drop"}), &three[2..], true),
        (room + 1, json!({"cookieBudgetBytes": false}), &[], true),
        (room + 1, json!({"cookieBudgetBytes": 16384}), &[], true),
    ] {
        let (jar, reason) = sign_in(&settings, application);
        let expected = if within {
            Reason::SignedIn
        } else {
            Reason::SignedInOverBudget
        };
        assert_eq!(reason, expected, "{application} {settings}");
        for suffix in three {
            let is_left_out = bytes(&jar, suffix) == 0;
            assert_eq!(
                is_left_out,
                left_out.contains(suffix),
                "{suffix} {application} {settings}"
            );
        }
    }
}

/// T-COOKIE-5: whatever the flow, a cookie is Secure, says its path, and is for scripts only where that was asked.
#[test]
fn pain_12_pain_23_t_cookie_5_every_cookie_is_secure_for_a_stated_path_and_out_of_reach_of_scripts() {
    for overrides in [
        json!({"mode": "staticSiteMode"}),
        json!({"cookieCompatibility": "elasticsearch", "cookieSettings": {"cognitoEnabled": "HttpOnly"}}),
        json!({"mode": "staticSiteMode", "enhancements": {"sealedSession": true}}),
        json!({"cookieSettings": {"idToken": "HttpOnly", "accessToken": "HttpOnly; Domain=example.com", "refreshToken": "HttpOnly", "nonce": "HttpOnly"}}),
    ] {
        let auth = enhanced(overrides.clone());
        let mut jar = with_cookies([("bob.idToken", foreign_token()), ("LastAuthUser", "bob".to_owned())]);
        let mut cookies = all_set_cookies(&jar.sign_in_again(&auth));
        cookies.extend(all_set_cookies(&jar.navigate(
            &auth,
            "/signout",
            &crate::fixture::json_reply(&json!({})),
            NOW,
        )));
        assert!(cookies.len() > 8);
        for cookie in cookies {
            let has = |wanted: &str| cookie.split(';').skip(1).any(|part| part.trim() == wanted);
            assert!(has("Secure") && has("HttpOnly"), "{cookie}");
            assert!(cookie.contains("; Path=/"), "{cookie}");
            if cookie.starts_with("__Host-") {
                assert!(has("Path=/") && !cookie.contains("Domain"), "{cookie}");
            }
            assert!(cookie.len() < 4096, "{cookie}");
        }
    }
}

#[test]
fn scripts_may_read_tokens_only_where_that_was_asked_for() {
    for (mode, readable) in [("spaMode", true), ("staticSiteMode", false)] {
        let auth = enhanced(json!({"mode": mode}));
        let answer = Jar::at("app.example.com").sign_in(&auth, json!({}), NOW);
        let cookies = all_set_cookies(&answer);
        let id = cookies.iter().find(|cookie| cookie.contains("idToken=e")).unwrap();
        assert_eq!(!id.contains("HttpOnly"), readable, "{id}");
        let warned = auth
            .config()
            .warnings()
            .iter()
            .any(|warning| warning.contains("scripts"));
        assert_eq!(warned, readable, "{:?}", auth.config().warnings());
    }
}

#[test]
fn switched_off_only_the_references_cookie_counts() {
    let auth = enhanced(json!({"enhancements": {"cookieHygiene": false}}));
    let jar = with_cookies([("jane.idToken", token(json!({})))]);
    assert_eq!(reason(jar.ask(&auth, "/", NAVIGATION, NOW)), Reason::SessionAbsent);
}
