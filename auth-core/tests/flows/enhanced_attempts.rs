//! The enhanced profile's sign-in: parallel attempts, deep links, callbacks that are not this browser's, no loops.

use auth_core::{Authenticator, CallPurpose, HttpReply, Reason, Response, Step, UnixTime};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, NAVIGATION, callback, sent_to, tokens_for},
    fixture::{NOW, Rng, json_reply, reason, response, set_cookies, site, token},
};

fn enhanced(overrides: Value) -> Authenticator {
    let mut all = overrides;
    all["profile"] = json!("enhanced");
    site(all)
}

fn after(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

fn location(response: &Response) -> &str {
    response.headers.first("location").unwrap_or_default()
}

fn refused(error: &str) -> HttpReply {
    HttpReply {
        status: 400,
        ..json_reply(&json!({"error": error}))
    }
}

#[test]
fn a_sign_in_goes_to_the_provider_with_a_short_state_a_challenge_and_a_nonce() {
    let auth = enhanced(json!({}));
    let answer = Browser::default().navigate(&auth, "/deep?x=1", NOW);
    assert_eq!(answer.status, 302);
    assert!(location(&answer).starts_with("https://login.example/oauth2/authorize?redirect_uri="));
    assert_eq!(sent_to(&answer, "state").len(), 32);
    assert_eq!(sent_to(&answer, "code_challenge").len(), 43);
    assert_eq!(sent_to(&answer, "nonce").len(), 22);
    assert_eq!(answer.headers.first("cache-control"), Some("no-store"));
}

/// A form that was posted is not posted to the provider: what follows a 303 is a GET.
#[test]
fn pain_04_a_posted_form_is_answered_by_303_and_a_program_by_401() {
    let auth = enhanced(json!({}));
    let browser = Browser::default();
    for (method, status) in [("GET", 302), ("HEAD", 302), ("POST", 303), ("PUT", 303)] {
        let answer = response(browser.ask(&auth, method, "/form", NAVIGATION, NOW));
        assert_eq!(answer.status, status, "{method}");
    }
    let answer = response(browser.ask(&auth, "POST", "/form", &[("sec-fetch-mode", "cors")], NOW));
    assert_eq!(answer.status, 401);
    assert!(answer.headers.first("set-cookie").is_none() && answer.headers.first("location").is_none());
}

/// T-CSRF-6: five tabs opened at once, none of which knows of the others.
/// Path and query do not tell of it: an adapter that knows says what the target was.
#[test]
fn a_question_mark_that_nothing_follows_is_part_of_the_deep_link() {
    for (profile, sent, back) in [
        ("enhanced", "/deep?", "/deep?"),
        ("enhanced", "/deep", "/deep"),
        ("enhanced", "/other?", "/deep"),
        ("enhanced", "https://evil.example/?", "/deep"),
        ("reference", "/deep?", "/deep"),
    ] {
        let auth = site(json!({"profile": profile}));
        let mut browser = Browser::default();
        let fields = [NAVIGATION, &[(":path", sent)]].concat();
        let away = response(browser.ask(&auth, "GET", "/deep", &fields, NOW));
        browser.keep(&away);
        let tokens = match profile {
            "enhanced" => tokens_for(&away, json!({})),
            _ => json_reply(&json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "r"})),
        };
        let end = browser.come_back(&auth, &callback(&away), tokens, NOW);
        assert_eq!(
            location(&end),
            format!("https://site.example{back}"),
            "{profile} {sent}"
        );
    }
}

#[test]
fn pain_02_five_tabs_at_once_all_end_signed_in_at_their_own_deep_links() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    let alone = Browser::default();
    let tabs: Vec<Response> = (0..5)
        .map(|tab| response(alone.ask(&auth, "GET", &format!("/tab/{tab}?a=b"), NAVIGATION, NOW)))
        .collect();
    for tab in &tabs {
        browser.keep(tab);
    }
    for (number, tab) in tabs.iter().enumerate() {
        let answer = browser.come_back(&auth, &callback(tab), tokens_for(tab, json!({})), NOW);
        assert_eq!(answer.reason, Reason::SignedIn, "{number}");
        assert_eq!(location(&answer), format!("https://site.example/tab/{number}?a=b"));
    }
    assert!(browser.passes(&auth, "/", NOW));
    assert!(!browser.cookies().contains("attempt"), "{}", browser.cookies());
}

/// T-CSRF-6: of fifty at least the last five succeed, and what comes back stays below 4 KB.
#[test]
fn fifty_parallel_sign_ins_leave_the_last_five_and_less_than_4_kb() {
    for long in [1, 200, 700, 4_000] {
        let auth = enhanced(json!({}));
        let mut browser = Browser::default();
        let target = |number: usize| format!("/{number}?{}", "q".repeat(long));
        let sent: Vec<Response> = (0..50)
            .map(|number| response(Browser::default().ask(&auth, "GET", &target(number), NAVIGATION, NOW)))
            .collect();
        for answer in &sent {
            browser.keep(answer);
        }
        assert!(browser.cookies().len() < 4096, "{}", browser.cookies().len());
        let last = if (138..800).contains(&(long + 4)) { 2 } else { 5 };
        for (number, answer) in sent.iter().enumerate().skip(50 - last) {
            let mut browser = browser.clone();
            let end = browser.come_back(&auth, &callback(answer), tokens_for(answer, json!({})), NOW);
            let expected = if long > 800 {
                format!("/{number}")
            } else {
                target(number)
            };
            assert_eq!(location(&end), format!("https://site.example{expected}"));
        }
        // The next request that begins one brings the number down.
        browser.navigate(&auth, "/next", NOW);
        assert!(browser.jar.len() <= 5);
    }
}

/// What the images and scripts of a page ask for begins nothing: their answers set no cookie.
#[test]
fn only_navigations_begin_a_sign_in() {
    let auth = enhanced(json!({}));
    for fields in [
        &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")][..],
        &[("accept", "application/json")],
        &[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch")],
        &[("upgrade", "websocket")],
    ] {
        let answer = response(Browser::default().ask(&auth, "GET", "/x", fields, NOW));
        assert_eq!(answer.status, 401);
        assert!(answer.headers.first("set-cookie").is_none());
    }
}

/// T-LEAK-6 and T-COOKIE-5
#[test]
fn the_end_of_a_sign_in_is_a_clean_address_with_session_cookies_and_without_the_attempts() {
    let auth = enhanced(json!({"cookieCompatibility": "amplify", "mode": "staticSiteMode"}));
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/deep", NOW);
    let attempt = set_cookies_of(&sent);
    assert_eq!(attempt.len(), 1);
    for attribute in [
        "__Host-portcullis-attempt-",
        "; Secure",
        "; HttpOnly",
        "; Path=/",
        "; SameSite=Lax",
    ] {
        assert!(attempt[0].contains(attribute), "{}", attempt[0]);
    }
    let answer = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
    assert_eq!((answer.status, location(&answer)), (302, "https://site.example/deep"));
    assert_eq!(answer.headers.first("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.headers.first("cache-control"), Some("no-store"));
    assert!(browser.jar.keys().all(|name| !name.contains("attempt")));
    assert!(
        browser
            .jar
            .contains_key("CognitoIdentityServiceProvider.client.jane.idToken")
    );
    assert!(browser.passes(&auth, "/deep", NOW));
}

fn set_cookies_of(response: &Response) -> Vec<&str> {
    let fields = response.headers.iter();
    fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value)
        .collect()
}

/// T-CSRF-1, T-CSRF-2, T-CSRF-3: none of these costs a token request.
#[test]
fn pain_09_a_callback_that_this_browser_did_not_begin_redeems_nothing() {
    let auth = enhanced(json!({}));
    let mut mine = Browser::default();
    let sent = mine.navigate(&auth, "/mine", NOW);
    let mut other = Browser::default();
    let theirs = other.navigate(&auth, "/theirs", NOW);
    let (my_state, their_state) = (sent_to(&sent, "state"), sent_to(&theirs, "state"));
    let forged = format!("{}{}", &my_state[..31], if my_state.ends_with('A') { 'B' } else { 'A' });
    for (query, expected, status) in [
        (format!("code=c&state={their_state}"), Reason::SignInRestarted, 302),
        (format!("code=c&state={forged}"), Reason::SignInRestarted, 302),
        ("code=c".to_owned(), Reason::SignInRestarted, 302),
        (format!("code=c&code=d&state={my_state}"), Reason::CallbackInvalid, 400),
        (
            format!("code=c&state={my_state}&state={my_state}"),
            Reason::CallbackInvalid,
            400,
        ),
        (
            format!("error=a&error=b&state={my_state}"),
            Reason::CallbackInvalid,
            400,
        ),
        (format!("state={my_state}"), Reason::CallbackInvalid, 400),
        ("error=access_denied".to_owned(), Reason::StateMissing, 400),
        (String::new(), Reason::StateMissing, 400),
        ("code=c&state=eyJ9".to_owned(), Reason::StateInvalid, 400),
    ] {
        let answer = response(mine.ask(&auth, "GET", &format!("/parseauth?{query}"), NAVIGATION, NOW));
        assert_eq!((answer.reason, answer.status), (expected, status), "{query}");
        if status == 302 {
            assert!(location(&answer).starts_with("https://login.example/"), "{query}");
        }
    }
    let elsewhere = enhanced(json!({"clientId": "another"}));
    let answer = response(mine.ask(&elsewhere, "GET", &callback(&sent), NAVIGATION, NOW));
    assert_eq!(answer.reason, Reason::SignInRestarted);
}

/// T-CSRF-1: the same callback once more, and one that comes a day too late.
#[test]
fn a_replayed_callback_redeems_nothing_and_goes_on_with_the_session() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/deep", NOW);
    browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
    let again = browser.navigate(&auth, &callback(&sent), NOW);
    assert_eq!(
        (again.reason, location(&again)),
        (Reason::SessionKept, "https://site.example/")
    );
    let mut late = Browser::default();
    let sent = late.navigate(&auth, "/late", NOW);
    let answer = late.navigate(&auth, &callback(&sent), after(86_401));
    assert_eq!(answer.reason, Reason::SignInRestarted);
    let end = late.come_back(
        &auth,
        &callback(&answer),
        tokens_for(&answer, json!({"exp": 2_000_000_000})),
        after(86_402),
    );
    assert_eq!(location(&end), "https://site.example/late");
}

/// T-CSRF-4: a code of the attacker's own sign-in, put into the victim's callback.
#[test]
fn an_injected_code_brings_a_token_with_another_nonce_and_no_cookie() {
    let auth = enhanced(json!({}));
    let mut victim = Browser::default();
    let sent = victim.navigate(&auth, "/", NOW);
    let attackers = Browser::default().navigate(&auth, "/", NOW);
    for reply in [
        tokens_for(&attackers, json!({"sub": "attacker"})),
        json_reply(&json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "r"})),
    ] {
        let mut victim = victim.clone();
        let answer = victim.come_back(&auth, &callback(&sent), reply, NOW);
        assert_eq!((answer.reason, answer.status), (Reason::NonceClaim, 400));
        assert!(set_cookies_of(&answer).is_empty());
        assert!(!victim.passes(&auth, "/", NOW));
    }
}

#[test]
fn the_new_id_token_is_verified_before_any_cookie_is_set() {
    let auth = enhanced(json!({"requiredGroup": "g"}));
    for (claims, expected, status) in [
        (
            json!({"cognito:groups": ["g"], "aud": "other"}),
            Reason::TokenUnverified,
            502,
        ),
        (
            json!({"cognito:groups": ["g"], "iss": "https://evil.example"}),
            Reason::TokenUnverified,
            502,
        ),
        (json!({"cognito:groups": ["g"], "exp": 1}), Reason::ClockSkew, 502),
        (
            json!({"cognito:groups": ["g"], "nbf": NOW.as_secs() + 500}),
            Reason::ClockSkew,
            502,
        ),
        (json!({"cognito:groups": ["h"]}), Reason::GroupRequired, 403),
    ] {
        let mut browser = Browser::default();
        let sent = browser.navigate(&auth, "/", NOW);
        let answer = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, claims.clone()), NOW);
        assert_eq!((answer.reason, answer.status), (expected, status), "{claims}");
        assert!(set_cookies_of(&answer).is_empty());
    }
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/", NOW);
    let forged = json!({"id_token": crate::fixture::foreign_token(), "access_token": "a", "refresh_token": "r"});
    let answer = browser.come_back(&auth, &callback(&sent), json_reply(&forged), NOW);
    assert_eq!(answer.reason, Reason::TokenUnverified);
}

#[test]
fn keys_that_are_not_known_yet_are_fetched_before_the_session_begins() {
    let auth = enhanced(json!({"jwks": {"keys": []}}));
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/deep", NOW);
    let Step::Call(exchange) = browser.ask(&auth, "GET", &callback(&sent), NAVIGATION, NOW) else {
        panic!("no token request")
    };
    assert_eq!(exchange.call().purpose, CallPurpose::TokenExchange);
    let Step::Call(keys) = exchange.resume(Ok(tokens_for(&sent, json!({}))), NOW, &mut Rng) else {
        panic!("no keys fetched")
    };
    assert_eq!(keys.call().purpose, CallPurpose::KeySet);
    let answer = response(keys.resume(Ok(json_reply(&crate::fixture::jwks())), NOW, &mut Rng));
    assert_eq!(answer.reason, Reason::SignedIn);
}

/// A browser that keeps no cookie at all is sent to the provider twice, then told.
#[test]
fn without_cookies_a_sign_in_is_begun_anew_once_and_then_explained() {
    let auth = enhanced(json!({}));
    let forgetful = || Browser::default();
    let first = forgetful().navigate(&auth, "/deep", NOW);
    let second = forgetful().navigate(&auth, &callback(&first), NOW);
    assert_eq!((second.reason, second.status), (Reason::SignInRestarted, 302));
    let third = forgetful().navigate(&auth, &callback(&second), NOW);
    assert_eq!((third.reason, third.status), (Reason::AttemptMissing, 400));
    assert!(third.body.contains("attempt-missing") && third.body.contains("Cookies may be blocked"));
}

/// The reference goes round for ever when the session's cookies are not kept.
#[test]
fn pain_01_a_browser_that_drops_the_sessions_cookies_is_told_after_three_sign_ins() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    for round in 0..3 {
        let sent = browser.navigate(&auth, "/deep", NOW);
        assert_eq!(sent.status, 302, "{round}");
        browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
        browser.jar.retain(|name, _| name.contains("portcullis-"));
    }
    let told = browser.navigate(&auth, "/deep", NOW);
    assert_eq!((told.reason, told.status), (Reason::LoopCookies, 429));
    assert_eq!(told.headers.first("retry-after"), Some("60"));
    assert_eq!(browser.navigate(&auth, "/deep", after(61)).status, 302);
}

/// The page names what is wrong with the session each time.
#[test]
fn a_loop_names_its_cause() {
    for (claims, expected) in [
        (json!({"nbf": NOW.as_secs() + 30}), Reason::LoopClock),
        (json!({"aud": "other"}), Reason::LoopToken),
    ] {
        let auth = enhanced(json!({"enhancements": {"inPlaceRefresh": false}}));
        let mut browser = Browser::default();
        for _ in 0..3 {
            let sent = browser.navigate(&auth, "/", NOW);
            browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
            browser.jar.insert("ID-TOKEN".to_owned(), token(claims.clone()));
        }
        assert_eq!(browser.navigate(&auth, "/", NOW).reason, expected);
    }
}

/// The reference sends such a browser back and forth without end: its token is stale, its refresh token refused, and
/// so is the code.
#[test]
fn a_stale_session_whose_refresh_and_code_are_refused_ends_in_a_page() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    browser.jar.insert("ID-TOKEN".to_owned(), token(json!({"exp": 1})));
    browser
        .jar
        .insert("spa-auth-edge-refresh".to_owned(), "failed".to_owned());
    let first = browser.navigate(&auth, "/deep", NOW);
    let second = browser.come_back(&auth, &callback(&first), refused("invalid_grant"), NOW);
    assert_eq!((second.reason, second.status), (Reason::SignInRestarted, 302));
    let third = browser.come_back(&auth, &callback(&second), refused("invalid_grant"), NOW);
    assert_eq!((third.reason, third.status), (Reason::CodeRefused, 400));
}

/// A code that has been used by a click before: the session is there, and so is the deep link.
#[test]
fn a_used_code_with_a_good_session_goes_on_to_the_deep_link() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/deep?a", NOW);
    let mut twice = browser.clone();
    let end = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
    twice.keep(&end);
    let attempt = browser_attempt(&sent);
    twice.jar.insert(attempt.0, attempt.1);
    let answer = twice.come_back(&auth, &callback(&sent), refused("invalid_grant"), NOW);
    assert_eq!(
        (answer.reason, location(&answer)),
        (Reason::SessionKept, "https://site.example/deep?a")
    );
}

fn browser_attempt(sent: &Response) -> (String, String) {
    let cookie = set_cookies_of(sent)[0].split(';').next().unwrap().to_owned();
    let (name, value) = cookie.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}

/// A site that is being upgraded: what the reference profile began, the enhanced one ends.
#[test]
fn a_sign_in_that_the_reference_profile_began_completes() {
    let (old, new) = (site(json!({})), enhanced(json!({})));
    let mut browser = Browser::default();
    let sent = response(browser.ask(&old, "GET", "/deep", NAVIGATION, NOW));
    assert_eq!(set_cookies(&sent).len(), 3);
    browser.keep(&sent);
    let tokens = json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "r"});
    let answer = browser.come_back(&new, &callback(&sent), json_reply(&tokens), NOW);
    assert_eq!(
        (answer.reason, location(&answer)),
        (Reason::SignedIn, "https://site.example/deep")
    );
    // Without its cookies it is begun anew, and keeps its deep link.
    let mut forgetful = Browser::default();
    let anew = forgetful.navigate(&new, &callback(&sent), NOW);
    assert_eq!(anew.reason, Reason::SignInRestarted);
    let end = forgetful.come_back(&new, &callback(&anew), tokens_for(&anew, json!({})), NOW);
    assert_eq!(location(&end), "https://site.example/deep");
}

#[test]
fn with_parallel_sign_ins_switched_off_the_references_cookies_are_used() {
    let auth = enhanced(json!({"enhancements": {"parallelSignIns": false}}));
    let answer = response(Browser::default().ask(&auth, "GET", "/", NAVIGATION, NOW));
    assert_eq!((answer.status, set_cookies(&answer).len()), (307, 3));
    assert_eq!(
        reason(Browser::default().ask(&auth, "GET", "/parseauth?code=c&state=eyJ9", NAVIGATION, NOW)),
        Reason::StateInvalid
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any request target that RFC 9112 allows comes back byte for byte, as long as its cookie holds it.
    #[test]
    fn pain_08_a_deep_link_survives_sign_in_byte_for_byte(path in "/[!-\"$->@-~]{0,300}", query in "[!-\"$-~]{1,300}") {
        let auth = enhanced(json!({}));
        prop_assume!(auth.config().endpoint_of(&path) == auth_core::Endpoint::Protected);
        let target = format!("{path}?{query}");
        let mut browser = Browser::default();
        let sent = browser.navigate(&auth, &target, NOW);
        let end = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
        prop_assert_eq!(location(&end), format!("https://site.example{target}"));
    }
}
