//! Secrets stay where they belong (T-LEAK-3).

use dev_idp::{Endpoint, Fault, Overrides};
use serde_json::json;

use crate::support::{
    browser::Browser,
    http::Request,
    origin::{Answer, Origin},
    site::{ALICE, BOB, CLIENT_SECRET, NONCE_SECRET, Plan},
};

const ORIGIN_SECRET: &str = "only-for-the-origin-9917";
const QUERY_SECRET: &str = "in-the-query-5561";

/// T-LEAK-3: the whole flow at the most talkative level, good and bad ways alike.
#[test]
fn pain_21_nothing_secret_is_ever_logged() {
    for level in ["trace", "debug"] {
        let origin = Origin::start(|asked| match asked.target() {
            "/broken" => Answer::Last(b"nonsense".to_vec()),
            _ => Answer::ok("content"),
        });
        let settings = json!({
            "kind": "custom", "url": origin.url(), "headers": { "x-secret": ORIGIN_SECRET },
        });
        let mut site = Plan::bare()
            .confidential()
            .origin(settings)
            .auth("logLevel", "debug")
            .top("log", json!({ "level": level, "format": "json" }))
            .variable("RUST_LOG", "trace")
            .start();
        let mut browser = Browser::new();
        browser.sign_in(&site.url(&format!("/page?token={QUERY_SECRET}")), ALICE.0, ALICE.1);
        browser.get(&site.url("/broken"));
        browser.tamper(".idToken", |_| site.tokens(ALICE.0, &Overrides::expired()).id_token);
        browser.open(&site.url(&format!("/page?token={QUERY_SECRET}")));
        browser.get(&site.url(&format!("/parseauth?error=x&error_description={QUERY_SECRET}")));
        site.idp.rotate_keys(dev_idp::OldKeys::StayPublished);
        let mut bob = Browser::new();
        bob.sign_in(&site.url("/"), BOB.0, BOB.1);
        site.idp.faults().set(Endpoint::Token, Fault::Garbage);
        Browser::new().sign_in(&site.url("/"), BOB.0, BOB.1);
        site.idp.faults().set(Endpoint::Token, Fault::invalid_grant());
        bob.tamper(".idToken", |_| site.tokens(BOB.0, &Overrides::expired()).id_token);
        bob.clear(&site.idp.addr().ip().to_string());
        bob.open(&site.url("/"));
        browser.open(&site.url("/signout"));
        site.ask(&Request::get("/").header("Authorization", format!("Bearer {QUERY_SECRET}")));
        site.raw(format!("GET /?{QUERY_SECRET} HTTP/1.1\r\nHost: {QUERY_SECRET}\r\nCookie: a={QUERY_SECRET}\r\nContent-Length: x\r\n\r\n").as_bytes());

        let mut secrets: Vec<String> = [CLIENT_SECRET, NONCE_SECRET, ORIGIN_SECRET, QUERY_SECRET]
            .map(str::to_owned)
            .to_vec();
        for browser in [&browser, &bob] {
            secrets.extend(browser.secrets.iter().filter(|secret| secret.len() > 12).cloned());
        }
        for asked in site.idp.requests().of(Endpoint::Token) {
            for field in ["code", "refresh_token", "code_verifier"] {
                secrets.extend(asked.field(field));
            }
            secrets.extend(asked.authorization.map(|text| text.replace("Basic ", "")));
        }
        assert!(secrets.len() > 30, "the test sees what passes: {}", secrets.len());
        site.process.signal(crate::support::process::Signal::Terminate);
        assert_eq!(site.process.end().code(), Some(0));
        let said = site.process.output();
        assert!(said.lines().count() > 10, "{said}");
        for secret in secrets {
            assert!(!said.contains(&secret), "{secret} at {level} in {said}");
            // A token's signed part alone is as bad.
            if let Some((_, signature)) = secret.rsplit_once('.').filter(|(_, signature)| signature.len() > 40) {
                assert!(!said.contains(signature), "a signature at {level}");
            }
        }
    }
}

/// T-LEAK-6
#[test]
fn after_the_callback_the_address_holds_no_code() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    browser.sign_in(&site.url("/page.html?a=b"), ALICE.0, ALICE.1);
    let here = browser.here();
    assert_eq!(here.to_string(), site.url("/page.html?a=b"));
    assert_eq!(here.param("code"), None);
}

#[test]
fn every_answer_of_ours_is_kept_by_no_cache() {
    let site = Plan::directory().auth("requiredGroup", "readers").start();
    let bob = site.session_with(BOB.0, &Overrides::none());
    let expired = site.session_with(ALICE.0, &Overrides::expired());
    for (what, response) in [
        ("sign-in", site.get("/", "")),
        ("refresh", site.get("/", &expired)),
        ("not authorized", site.get("/", &bob)),
        ("callback", site.get("/parseauth?code=a&state=b", "")),
        ("signed out", site.get("/signout", "")),
        ("sign-out", site.get("/signout", &bob)),
        ("refresh issue", site.get("/refreshauth", &bob)),
        ("bad request", site.get("/%00", &bob)),
    ] {
        assert_eq!(
            response.header("cache-control"),
            Some("no-store"),
            "{what}: {response:?}"
        );
    }
}
