//! Complaints of the reference's users that no other module of these tests is about.

use auth_core::{Access, CallError, Decision, Reason, Step};
use serde_json::json;

use crate::{
    browser::{Browser, NAVIGATION, callback, tokens_for},
    fixture::{NOW, Rng, response, site, token},
};

/// Cold starts that fetched keys, and providers far away, ended in an error page of CloudFront's.
#[test]
fn pain_15_known_keys_are_not_fetched_and_a_provider_that_is_too_slow_ends_in_a_page() {
    let auth = site(json!({"profile": "enhanced"}));
    let mut browser = Browser::default();
    browser.jar.insert("ID-TOKEN".to_owned(), token(json!({})));
    let Step::Decided(Decision::Forward(forward)) = browser.ask(&auth, "GET", "/", NAVIGATION, NOW) else {
        panic!("a call, or no access")
    };
    assert!(matches!(forward.access, Access::Session(_)));

    let mut browser = Browser::default();
    let begun = browser.navigate(&auth, "/page", NOW);
    let Step::Call(pending) = browser.ask(&auth, "GET", &callback(&begun), NAVIGATION, NOW) else {
        panic!("no token request")
    };
    let answer = response(pending.resume(Err(CallError::Timeout), NOW, &mut Rng));
    assert_eq!((answer.status, answer.reason), (504, Reason::ProviderTimeout));
    assert!(answer.body.contains("/page"), "the way on: {}", answer.body);
}

/// Tokens that any script could read, without anybody having asked for that.
#[test]
fn pain_23_scripts_read_tokens_only_where_that_is_asked_for_and_warned_of() {
    let warned = |mode: &str| {
        let auth = site(json!({"profile": "enhanced", "mode": mode, "cookieCompatibility": "amplify"}));
        let mut browser = Browser::default();
        let begun = browser.navigate(&auth, "/", NOW);
        let done = browser.come_back(&auth, &callback(&begun), tokens_for(&begun, json!({})), NOW);
        let cookies = done.headers.iter().filter(|(name, _)| *name == "Set-Cookie");
        let tokens: Vec<&str> = cookies
            .map(|(_, cookie)| cookie)
            .filter(|cookie| cookie.contains("Token="))
            .collect();
        assert_eq!(tokens.len(), 3, "{tokens:?}");
        let hidden = tokens.iter().all(|cookie| cookie.contains("HttpOnly"));
        let warnings = auth.config().warnings();
        (
            hidden,
            warnings.iter().any(|warning| warning.contains("can read the tokens")),
        )
    };
    assert_eq!(warned("staticSiteMode"), (true, false));
    assert_eq!(warned("spaMode"), (false, true));
}
