//! Attacks on the flow itself: forged callbacks, redirects elsewhere, injection into headers and pages.

use auth_core::{CallPurpose, Reason, Step};
use proptest::prelude::*;
use serde_json::json;

use crate::fixture::{NOW, Rng, get, json_reply, reason, response, set_cookies, site, token};

/// What a browser knows after being sent to sign in: the state, and its cookies.
struct Attempt {
    state: String,
    cookies: String,
}

fn attempt(auth: &auth_core::Authenticator, target: &str) -> Attempt {
    let answer = response(get(auth, target, &[], NOW));
    let location = answer.headers.first("location").unwrap();
    let state = location
        .split("state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .unwrap()
        .to_owned();
    let cookies: Vec<&str> = set_cookies(&answer)
        .into_iter()
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    Attempt {
        state,
        cookies: cookies.join("; "),
    }
}

#[test]
fn a_sign_in_returns_to_its_deep_link_byte_for_byte() {
    let auth = site(json!({}));
    let target = "/a%2520b/c+d?x=1+2&y=%C3%A9&&z=a=b?#";
    let attempt = attempt(&auth, target);
    let step = get(
        &auth,
        &format!("/parseauth?code=c&state={}", attempt.state),
        &[&attempt.cookies],
        NOW,
    );
    let Step::Call(pending) = step else {
        panic!("no token request")
    };
    assert_eq!(pending.call().purpose, CallPurpose::TokenExchange);
    assert_eq!(pending.call().url, "https://login.example/oauth2/token");
    let tokens = json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "r"});
    let answer = response(pending.resume(Ok(json_reply(&tokens)), NOW, &mut Rng));
    assert_eq!(answer.reason, Reason::SignedIn);
    assert_eq!(
        answer.headers.first("location"),
        Some(&*format!("https://site.example{target}"))
    );
}

/// T-CSRF-1, T-CSRF-2, T-CSRF-3
#[test]
fn a_callback_that_this_browser_did_not_begin_costs_no_token_request() {
    let auth = site(json!({}));
    let mine = attempt(&auth, "/");
    let other = attempt(&auth, "/");
    let foreign = attempt(
        &site(json!({"nonceSigningSecret": "another secret of 32 characters.."})),
        "/",
    );
    for (query, cookies, expected) in [
        (format!("code=c&state={}", mine.state), "", Reason::NonceMissing),
        (
            format!("code=c&state={}", mine.state),
            &*other.cookies,
            Reason::NonceMismatch,
        ),
        (
            format!("code=c&state={}", foreign.state),
            &*foreign.cookies,
            Reason::NonceSignature,
        ),
        (format!("state={}", mine.state), &*mine.cookies, Reason::CallbackInvalid),
        ("code=c".to_owned(), &*mine.cookies, Reason::CallbackInvalid),
        (
            format!("code=c&code=d&state={}", mine.state),
            &*mine.cookies,
            Reason::CallbackInvalid,
        ),
        (
            format!("code=c&state={0}&state={0}", mine.state),
            &*mine.cookies,
            Reason::CallbackInvalid,
        ),
        (
            format!("code=c&state={}&error=a&error=b", mine.state),
            &*mine.cookies,
            Reason::ProviderError,
        ),
        ("code=c&state=eyJ9".to_owned(), &*mine.cookies, Reason::StateInvalid),
    ] {
        let outcome = reason(get(&auth, &format!("/parseauth?{query}"), &[cookies], NOW));
        assert_eq!(outcome, expected, "{query}");
    }
}

/// T-CRYPTO-1
#[test]
fn no_answer_shows_the_signature_that_was_expected() {
    let auth = site(json!({}));
    let mine = attempt(&auth, "/");
    let hmac = mine
        .cookies
        .split("nonce-hmac=")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap()
        .to_owned();
    let forged = mine.cookies.replace(&hmac, "forged");
    let answer = response(get(
        &auth,
        &format!("/parseauth?code=c&state={}", mine.state),
        &[&forged],
        NOW,
    ));
    assert_eq!(answer.reason, Reason::NonceSignature);
    assert!(!answer.body.contains(&hmac));
}

#[test]
fn nothing_that_waits_for_a_call_shows_its_secrets() {
    let auth = site(json!({"clientSecret": "client-secret-value"}));
    let mine = attempt(&auth, "/");
    let step = get(
        &auth,
        &format!("/parseauth?code=the-code&state={}", mine.state),
        &[&mine.cookies],
        NOW,
    );
    let shown = format!("{step:?}{auth:?}");
    for secret in ["client-secret-value", "the-code", "0123456789abcdef"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// T-COOKIE-5
#[test]
fn every_cookie_is_secure_and_names_its_path() {
    let auth = site(json!({"cookieCompatibility": "amplify", "mode": "staticSiteMode"}));
    let mine = attempt(&auth, "/");
    let Step::Call(pending) = get(
        &auth,
        &format!("/parseauth?code=c&state={}", mine.state),
        &[&mine.cookies],
        NOW,
    ) else {
        panic!("no token request")
    };
    let tokens = json!({"id_token": token(json!({})), "access_token": "a", "refresh_token": "r"});
    let answer = response(pending.resume(Ok(json_reply(&tokens)), NOW, &mut Rng));
    let cookies = set_cookies(&answer);
    assert_eq!(cookies.len(), 11);
    for cookie in cookies {
        for attribute in ["; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }
}

proptest! {
    /// T-REDIR-2: whatever the query says, no redirect leaves our origin and the provider's.
    #[test]
    fn no_redirect_leaves_our_origin(path in ".{0,40}", query in ".{0,80}", cookie in ".{0,80}") {
        let auth = site(json!({}));
        for base in ["/", "/parseauth", "/refreshauth", "/signout"] {
            let target = if base == "/" { format!("/{path}") } else { base.to_owned() };
            let cookies = [cookie.as_str(), "ID-TOKEN=x.e30.x; REFRESH-TOKEN=r"];
            if let Step::Decided(decision) = get(&auth, &format!("{target}?{query}"), &cookies, NOW) {
                let auth_core::Decision::Respond(answer) = decision else { panic!("forwarded") };
                if let Some(location) = answer.headers.first("location") {
                    let rest = location
                        .strip_prefix("https://site.example")
                        .or_else(|| location.strip_prefix("https://login.example"));
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')), "{}", location);
                }
            }
        }
    }

    /// A refresh returns to a path on our own host, whatever it was asked for.
    #[test]
    fn a_refresh_returns_to_our_own_host(requested in ".{0,60}") {
        let auth = site(json!({}));
        let cookie = format!("ID-TOKEN={}", token(json!({"exp": 1})));
        let answer = response(get(&auth, "/", &[&cookie], NOW));
        let location = answer.headers.first("location").unwrap();
        let nonce = location.rsplit("nonce=").next().unwrap();
        let encoded: String = requested.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let jar: Vec<&str> = set_cookies(&answer).into_iter().filter_map(|cookie| cookie.split(';').next()).collect();
        let cookies = format!("{cookie}; REFRESH-TOKEN=r; {}", jar.join("; "));
        let step = get(&auth, &format!("/refreshauth?requestedUri={encoded}&nonce={nonce}"), &[&cookies], NOW);
        let Step::Call(pending) = step else { panic!("no token request") };
        let tokens = json!({"id_token": token(json!({})), "access_token": "a"});
        let answer = response(pending.resume(Ok(json_reply(&tokens)), NOW, &mut Rng));
        let expected = if requested.starts_with('/') { requested } else { format!("/{requested}") };
        prop_assert_eq!(answer.headers.first("location"), Some(&*format!("https://site.example{expected}")));
    }
}
