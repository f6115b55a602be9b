//! The token endpoint down, slow or lying: an answer always comes, and it is the right one.

use std::time::Duration;

use dev_idp::{Endpoint, Fault, Overrides};
use serde_json::json;

use crate::support::{
    browser::Browser,
    http::Response,
    origin::{CONTENT, nobody},
    runtime::wait,
    site::{ALICE, Plan, Site},
};

/// The answer to a callback while the token endpoint does that.
fn callback(site: &Site, fault: Fault) -> (Browser, Response) {
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html")).text();
    let back = browser.submit(&page, ALICE.0, ALICE.1);
    site.idp.faults().set(Endpoint::Token, fault);
    let response = browser.get(back.location());
    site.idp.faults().clear_all();
    (browser, response)
}

fn page(fault: Fault) -> (u16, String, String) {
    let site = Plan::directory().start();
    let (browser, response) = callback(&site, fault);
    assert!(browser.cookie(".idToken").is_none());
    assert!(!response.text().contains(CONTENT));
    response.page()
}

fn issue(reason: &str) -> (u16, String, String) {
    (200, "sign-in-issue".into(), reason.into())
}

#[test]
fn errors_of_the_token_endpoint_end_at_a_page_that_says_so() {
    for fault in [
        Fault::status(500),
        Fault::status(503),
        Fault::html_status(502),
        Fault::status(429),
        Fault::invalid_grant(),
        Fault::OauthError {
            error: "invalid_client".into(),
        },
        Fault::Redirect {
            location: "http://127.0.0.1:9/".into(),
        },
    ] {
        assert_eq!(page(fault.clone()), issue("token-endpoint"), "{fault:?}");
    }
}

#[test]
fn nonsense_of_the_token_endpoint_ends_at_a_page_that_says_so() {
    for fault in [
        Fault::Garbage,
        Fault::WrongContentType,
        Fault::Close,
        Fault::Reset,
        Fault::Truncated,
        Fault::HugeBody { bytes: 4 << 20 },
    ] {
        assert_eq!(page(fault.clone()), issue("token-endpoint"), "{fault:?}");
    }
}

#[test]
fn a_reply_without_a_usable_id_token_ends_at_a_page_that_says_so() {
    for value in [
        json!(null),
        json!(7),
        json!("text"),
        json!("a.b.c"),
        json!({}),
        json!(".."),
    ] {
        assert_eq!(
            page(Fault::reply("id_token", value.clone())),
            issue("token-reply"),
            "{value}"
        );
    }
    assert_eq!(
        page(Fault::IdToken(Overrides::none().without_claim("cognito:username"))),
        issue("token-reply")
    );
}

#[test]
fn a_failure_that_passes_is_not_noticed() {
    let site = Plan::directory().start();
    for fault in [Fault::status(500), Fault::Close, Fault::Garbage] {
        site.idp.faults().times(Endpoint::Token, 1, fault.clone());
        let page = Browser::new().sign_in(&site.url("/page.html"), ALICE.0, ALICE.1);
        assert_eq!(page.text(), format!("page.html {CONTENT}"), "{fault:?}");
    }
}

#[test]
fn a_slow_reply_is_waited_for() {
    let site = Plan::directory().start();
    site.idp
        .faults()
        .times(Endpoint::Token, 1, Fault::delay(Duration::from_millis(700)));
    let page = Browser::new().sign_in(&site.url("/page.html"), ALICE.0, ALICE.1);
    assert_eq!(page.text(), format!("page.html {CONTENT}"));
}

/// T-DOS-5: while one viewer waits for the provider, others are served.
#[test]
fn a_token_endpoint_that_never_answers_is_given_up_and_holds_up_nobody_else() {
    // Each takes the whole time that a sign-in may; together they take it once.
    std::thread::scope(|scope| {
        for fault in [Fault::Hang, Fault::Stalled] {
            scope.spawn(move || give_up(fault));
        }
    });
}

fn give_up(fault: Fault) {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html")).text();
    let back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
    site.idp.faults().set(Endpoint::Token, fault.clone());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || browser.get(&back).page());
        wait(site.idp.requests().wait_for(Endpoint::Token, 1));
        for _ in 0..50 {
            assert_eq!(site.get("/page.html", &site.session()).status, 200);
        }
        assert_eq!(waiting.join().unwrap(), issue("token-endpoint"), "{fault:?}");
    });
    let tried = site.idp.requests().count(Endpoint::Token);
    assert!((2..=5).contains(&tried), "{fault:?}: {tried} attempts");
}

#[test]
fn a_provider_that_is_not_there_ends_at_a_page_that_says_so() {
    let site = Plan::directory()
        .auth("cognitoAuthDomain", nobody().to_string())
        .start();
    let mut browser = Browser::new();
    let start = browser.get(&site.url("/page.html"));
    let state = crate::support::url::Url::parse(start.location())
        .param("state")
        .unwrap();
    let response = browser.get(&site.url(&format!("/parseauth?code=c&state={state}")));
    assert_eq!(response.page(), issue("token-endpoint"));
    let refused = site.metric("portcullis_logins_total{result=\"failure\",site=\"app\"}");
    assert_eq!(refused, 1.0);
}

/// T-CRYPTO-1, T-LEAK-2
#[test]
fn a_page_about_a_failure_shows_no_secret() {
    let site = Plan::directory().confidential().start();
    let (browser, response) = callback(
        &site,
        Fault::OauthError {
            error: "invalid_grant".into(),
        },
    );
    let text = response.text();
    for secret in browser
        .secrets
        .iter()
        .map(String::as_str)
        .chain([crate::support::site::CLIENT_SECRET, crate::support::site::NONCE_SECRET])
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn who_is_signed_in_already_is_sent_back_instead_of_shown_an_error() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html?a=1")).text();
    let back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
    let done = browser.get(&back);
    assert_eq!(done.location(), site.url("/page.html?a=1"));
    // The back button: the same callback again.
    let again = browser.open(&back);
    assert_eq!((again.status, browser.here().path()), (200, "/"));
    assert!(again.text().contains(CONTENT), "{again:?}");
}
