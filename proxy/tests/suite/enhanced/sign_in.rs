//! Sign-ins at a real identity provider: tabs beside each other, codes for people, and pages that say what is wrong.

use crate::support::{
    browser::Browser,
    http::Request,
    origin::CONTENT,
    site::{ALICE, Plan, Site},
};

fn site() -> Site {
    Plan::directory().auth("profile", "enhanced").start()
}

/// T-LEAK-6
#[test]
fn a_sign_in_ends_at_its_deep_link_with_nothing_left_of_the_way() {
    let site = site();
    let mut browser = Browser::new();
    let target = site.url("/docs/index.html?from=mail&x=a%20b+c%2520");
    let page = browser.sign_in(&target, ALICE.0, ALICE.1);
    assert_eq!((page.status, page.text()), (200, format!("docs/index.html {CONTENT}")));
    assert_eq!(browser.here().to_string(), target);
    assert!(browser.cookie(".idToken").is_some());
    assert!(browser.cookie("portcullis-attempt-0").is_none());
}

#[test]
fn a_question_mark_that_nothing_follows_comes_back_with_the_deep_link() {
    let site = site();
    let mut browser = Browser::new();
    let target = site.url("/page.html?");
    browser.sign_in(&target, ALICE.0, ALICE.1);
    assert_eq!(browser.here().to_string(), target);
}

/// T-CSRF-6
#[test]
fn pain_02_five_tabs_beside_each_other_all_end_at_their_own_pages() {
    let site = site();
    let mut browser = Browser::new();
    let targets: Vec<String> = (0..5).map(|tab| site.url(&format!("/page.html?tab={tab}"))).collect();
    let sent: Vec<String> = targets
        .iter()
        .map(|target| browser.get(target).location().to_owned())
        .collect();
    for (tab, (at, target)) in sent.iter().zip(&targets).enumerate() {
        // The provider asks for the password once.
        let page = match tab {
            0 => browser.sign_in(at, ALICE.0, ALICE.1),
            _ => browser.open(at),
        };
        assert_eq!((page.status, page.text()), (200, format!("page.html {CONTENT}")));
        assert_eq!(browser.here().to_string(), *target);
    }
}

/// What a person is told has its status, its code and the id that the log has; nobody stores it.
#[test]
fn pain_20_a_bad_callback_is_a_400_with_a_code_and_the_requests_id() {
    let site = site();
    let answer = site.get("/parseauth?code=c&state=a&state=b", "");
    assert_eq!(answer.status, 400);
    let id = answer.header("x-request-id").unwrap();
    assert!(
        answer.text().contains(&format!("<code>{id}</code>")),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("<code>callback-invalid</code>"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let german =
        site.ask(&Request::get("/parseauth?code=c&state=a&state=b").header("Accept-Language", "de-AT, en;q=0.5"));
    assert!(german.text().contains("Anmeldung nicht gelungen"));
}
