//! Tokens that are larger than a cookie: under Elasticsearch's names in several, under AWS Amplify's in one.

use auth_core::{Authenticator, Reason, Step};
use serde_json::{Value, json};

use crate::{
    browser::{NAVIGATION, callback, sent_to},
    fixture::{NOW, Rng, forward, json_reply, reason, site, token},
    jar::{Jar, all_set_cookies},
};

fn elasticsearch(enhancements: Value) -> Authenticator {
    site(json!({"profile": "enhanced", "cookieCompatibility": "elasticsearch", "enhancements": enhancements}))
}

fn large(bytes: usize) -> String {
    "0123456789abcdef".repeat(bytes / 16)
}

/// A browser with a session whose id token takes two cookies and whose refresh token takes three.
fn signed_in(auth: &Authenticator) -> Jar {
    let mut jar = Jar::at("site.example");
    let reply = json!({"refresh_token": large(8000)});
    let answer = jar.sign_in_with(auth, json!({"large": large(4000)}), reply, NOW);
    assert_eq!(answer.reason, Reason::SignedInOverBudget);
    jar
}

fn tokens_in(jar: &Jar) -> Vec<&str> {
    let mut names: Vec<&str> = jar.names();
    names.retain(|name| name.contains("-TOKEN"));
    names.sort_unstable();
    names
}

const ALL: [&str; 6] = [
    "ACCESS-TOKEN",
    "ID-TOKEN",
    "ID-TOKEN.1",
    "REFRESH-TOKEN",
    "REFRESH-TOKEN.1",
    "REFRESH-TOKEN.2",
];

/// T-COOKIE-4
#[test]
fn t_cookie_4_a_session_larger_than_its_cookies_is_kept_in_several_and_stays_known() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    assert_eq!(tokens_in(&jar), ALL);
    for kept in &jar.kept {
        assert!(kept.name.len() + kept.value.len() < 3900, "{}", kept.name);
    }
    assert_eq!(jar.pass(&auth, NOW).reason, Reason::SessionKnown);
    let passed = jar.pass(&auth, NOW);
    assert_eq!(passed.response_cookies, Vec::<String>::new());
}

/// T-COOKIE-4: the budget counts them all; with room enough nothing is said.
#[test]
fn t_cookie_4_parts_count_for_the_budget() {
    let auth = elasticsearch(json!({"cookieBudgetBytes": 16_384}));
    let mut jar = Jar::at("site.example");
    let reply = json!({"refresh_token": large(8000)});
    let answer = jar.sign_in_with(&auth, json!({"large": large(4000)}), reply, NOW);
    assert_eq!(answer.reason, Reason::SignedIn);
}

/// T-COOKIE-4: a token endpoint is asked with the whole refresh token, and a smaller session leaves nothing of the
/// larger one behind.
#[test]
fn t_cookie_4_a_renewal_joins_the_refresh_token_and_drops_what_a_shorter_session_needs_no_more() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    let later = NOW.after(std::time::Duration::from_secs(7200));
    let Step::Call(pending) = jar.ask(&auth, "/", NAVIGATION, later) else {
        panic!("no call");
    };
    assert!(pending.call().form.as_ref().unwrap().expose().contains(&large(8000)));
    let fresh = token(json!({"iat": later.as_secs(), "exp": later.as_secs() + 3600}));
    let reply = json_reply(&json!({"id_token": fresh, "access_token": "a", "refresh_token": "short"}));
    let passed = forward(pending.resume(Ok(reply), later, &mut Rng));
    jar.keep("/", &passed.response_cookies);
    assert_eq!(tokens_in(&jar), ["ACCESS-TOKEN", "ID-TOKEN", "REFRESH-TOKEN"]);
    assert_eq!(jar.pass(&auth, later).reason, Reason::SessionKnown);
    assert_eq!(jar.one("REFRESH-TOKEN").value, "short");
}

/// T-COOKIE-4: a renewal that keeps the refresh token keeps all of its parts.
#[test]
fn t_cookie_4_a_renewal_without_rotation_leaves_the_refresh_tokens_parts_alone() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    let later = NOW.after(std::time::Duration::from_secs(7200));
    let Step::Call(pending) = jar.ask(&auth, "/", NAVIGATION, later) else {
        panic!("no call");
    };
    let fresh = token(json!({"iat": later.as_secs(), "exp": later.as_secs() + 3600, "large": large(4000)}));
    let reply = json_reply(&json!({"id_token": fresh, "access_token": "a"}));
    let passed = forward(pending.resume(Ok(reply), later, &mut Rng));
    jar.keep("/", &passed.response_cookies);
    assert_eq!(tokens_in(&jar), ALL);
}

/// T-COOKIE-4: no token endpoint is asked, and no session ended, with what two generations make together.
#[test]
fn t_cookie_4_parts_of_two_generations_are_no_refresh_token() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    let other = {
        let mut jar = Jar::at("site.example");
        jar.sign_in_with(
            &auth,
            json!({}),
            json!({"refresh_token": large(8000).replace('0', "x")}),
            NOW,
        );
        jar.one("REFRESH-TOKEN.1").value.clone()
    };
    for kept in &mut jar.kept {
        if kept.name == "REFRESH-TOKEN.1" {
            kept.value.clone_from(&other);
        }
    }
    let later = NOW.after(std::time::Duration::from_secs(7200));
    assert_eq!(
        reason(jar.ask(&auth, "/", NAVIGATION, later)),
        Reason::SessionNotRefreshable
    );
}

/// T-COOKIE-6: parts are expired like any cookie of ours, and the whole refresh token is revoked.
#[test]
fn t_cookie_6_a_sign_out_leaves_no_part_and_revokes_the_whole_token() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    let Step::Call(pending) = jar.ask(&auth, "/signout", NAVIGATION, NOW) else {
        panic!("nothing is revoked");
    };
    assert!(pending.call().form.as_ref().unwrap().expose().contains(&large(8000)));
    let Step::Decided(auth_core::Decision::Respond(answer)) = pending.resume(Ok(json_reply(&json!({}))), NOW, &mut Rng)
    else {
        panic!("no answer");
    };
    jar.keep("/signout", &all_set_cookies(&answer));
    assert_eq!(tokens_in(&jar), Vec::<&str>::new());
}

/// T-COOKIE-6: a sign-out does not see cookies that are for the refresh path alone.
#[test]
fn t_cookie_6_a_sign_out_expires_parts_that_it_cannot_see() {
    let refresh = "Path=/refreshauth; Secure; HttpOnly; SameSite=Lax";
    let auth = site(json!({"profile": "enhanced", "cookieSettings": {"refreshToken": refresh}}));
    let mut jar = signed_in(&auth);
    assert_eq!(tokens_in(&jar), ALL);
    // Without the id token nothing says that there is a session, and the sign-out goes no other way.
    jar.kept.retain(|kept| kept.path != "/");
    jar.navigate(&auth, "/signout", &json_reply(&json!({})), NOW);
    assert_eq!(tokens_in(&jar), Vec::<&str>::new());
}

/// T-COOKIE-1: a part that a sister domain has planted stands in nobody's way.
#[test]
fn t_cookie_1_a_planted_part_does_not_hide_the_sessions_own() {
    let auth = elasticsearch(json!({}));
    let mut jar = signed_in(&auth);
    let mut planted = jar.kept.clone();
    planted.retain(|kept| kept.name == "ID-TOKEN.1");
    for kept in &mut planted {
        kept.value = "999999~planted".to_owned();
        kept.path = "/deep".to_owned();
    }
    jar.kept.splice(0..0, planted);
    let passed = forward(jar.ask(&auth, "/deep/link", NAVIGATION, NOW));
    assert_eq!(passed.reason, Reason::SessionKnown);
}

#[test]
fn amplify_finds_each_token_in_one_cookie_and_the_reference_profile_writes_none_in_parts() {
    for (profile, names) in [("enhanced", "amplify"), ("reference", "elasticsearch")] {
        let auth = site(json!({"profile": profile, "cookieCompatibility": names}));
        let mut jar = Jar::at("site.example");
        let sent = jar.navigate(&auth, "/", &json_reply(&json!({})), NOW);
        let mut claims = json!({"large": large(8000)});
        if profile == "enhanced" {
            claims["nonce"] = json!(sent_to(&sent, "nonce"));
        }
        let tokens = json!({"id_token": token(claims), "access_token": "a", "refresh_token": large(8000)});
        let answer = jar.navigate(&auth, &callback(&sent), &json_reply(&tokens), NOW);
        let set = all_set_cookies(&answer);
        assert!(set.iter().any(|cookie| cookie.len() > 8000));
        let names = set.iter().filter_map(|cookie| cookie.split('=').next());
        assert_eq!(names.filter(|name| name.ends_with(".1")).count(), 0);
    }
}
