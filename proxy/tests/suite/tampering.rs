//! Everything that a viewer holds, changed: none of it opens anything.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dev_idp::{Endpoint, Fault, Overrides, Signer};
use serde_json::json;

use crate::support::{
    browser::Browser,
    http::{Request, Response},
    origin::CONTENT,
    site::{ALICE, CLIENT, Plan, Site},
    url::{Url, open_base64url, seal_base64url},
};

/// Flips the lowest bit of a base64url digit that carries eight whole bits with its neighbours.
fn flip(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

/// Cookie headers of sessions that must not open anything, each with what is wrong with it.
pub(crate) fn bad_sessions(site: &Site) -> Vec<(&'static str, String)> {
    let true_one = site.tokens(ALICE.0, &Overrides::none());
    let with = |id_token: String| {
        let mut tokens = true_one.clone();
        tokens.id_token = id_token;
        site.cookies(ALICE.0, &tokens)
    };
    let minted = |overrides: Overrides| with(site.tokens(ALICE.0, &overrides).id_token);
    let parts: Vec<&str> = true_one.id_token.split('.').collect();
    let forged = |header: serde_json::Value, signature: &str| {
        with(format!("{}.{}.{signature}", seal_base64url(&header), parts[1]))
    };
    let kid = open_base64url(parts[0])["kid"].clone();
    let mut claims = open_base64url(parts[1]);
    claims["cognito:groups"] = json!(["admins"]);
    let length = true_one.id_token.len();
    vec![
        ("no session", String::new()),
        ("an empty id token", with(String::new())),
        ("text for an id token", with("open-sesame".into())),
        ("two parts", with(format!("{}.{}", parts[0], parts[1]))),
        ("four parts", with(format!("{}.x", true_one.id_token))),
        ("a flipped bit in the header", with(flip(&true_one.id_token, 9))),
        (
            "a flipped bit in the claims",
            with(flip(&true_one.id_token, parts[0].len() + 40)),
        ),
        (
            "a flipped bit in the signature",
            with(flip(&true_one.id_token, length - 60)),
        ),
        ("a cut signature", with(true_one.id_token[..length - 8].to_owned())),
        (
            "other claims",
            with(format!("{}.{}.{}", parts[0], seal_base64url(&claims), parts[2])),
        ),
        ("alg none", forged(json!({ "alg": "none", "kid": kid }), "")),
        (
            "alg none with a signature",
            forged(json!({ "alg": "none", "kid": kid }), parts[2]),
        ),
        ("alg HS256", forged(json!({ "alg": "HS256", "kid": kid }), parts[2])),
        ("no key id", forged(json!({ "alg": "RS256" }), parts[2])),
        (
            "a key of its own",
            forged(json!({ "alg": "RS256", "jwk": site.idp.jwks()["keys"][0] }), parts[2]),
        ),
        ("a foreign key", minted(Overrides::none().signed_by(Signer::Foreign))),
        (
            "nobody's signature",
            minted(Overrides::none().signed_by(Signer::Nobody)),
        ),
        (
            "another client",
            minted(Overrides::none().claim("aud", "another-client")),
        ),
        ("no client", minted(Overrides::none().without_claim("aud"))),
        (
            "another issuer",
            minted(Overrides::none().claim("iss", "https://evil.example")),
        ),
        ("no issuer", minted(Overrides::none().without_claim("iss"))),
        ("another use", minted(Overrides::none().claim("token_use", "access"))),
        ("the access token", with(true_one.access_token.clone())),
        ("not valid yet", minted(Overrides::none().not_before_in(3600))),
        ("expired", minted(Overrides::expired())),
        ("an expiry in words", minted(Overrides::none().claim("exp", "tomorrow"))),
    ]
}

/// T-LEAK-1, T-JWT-1, T-JWT-2, T-JWT-3
#[test]
fn no_bad_session_gets_a_byte_of_content_by_any_method_path_or_range() {
    let site = Plan::directory().start();
    assert!(site.get("/page.html", &site.session()).text().contains(CONTENT));
    for (what, cookies) in bad_sessions(&site) {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            for target in ["/", "/page.html", "/docs/index.html", "/missing"] {
                let request = Request::new(method, target).header("Cookie", &*cookies);
                refuse(what, &site.ask(&request));
            }
        }
        for (name, value) in [
            ("Range", "bytes=0-3"),
            ("If-None-Match", "*"),
            ("If-Modified-Since", "Sat, 01 Jan 2039 00:00:00 GMT"),
        ] {
            let request = Request::get("/page.html")
                .header("Cookie", &*cookies)
                .header(name, value);
            refuse(what, &site.ask(&request));
        }
    }
}

/// A redirect without a body, or one of our pages: nothing that tells of the origin.
fn refuse(what: &str, response: &Response) {
    assert!(!response.text().contains("origin"), "{what}: {response:?}");
    assert_eq!(response.status, 307, "{what}: {response:?}");
    for name in ["etag", "last-modified", "content-range", "accept-ranges"] {
        assert_eq!(response.header(name), None, "{what}: {response:?}");
    }
}

/// T-LEAK-4
#[test]
fn what_exists_and_what_does_not_look_alike_without_a_session() {
    let site = Plan::directory().start();
    let (there, gone) = (site.get("/page.html", ""), site.get("/nothing.html", ""));
    let shape = |response: &Response| {
        let names: Vec<String> = response.headers.iter().map(|(name, _)| name.clone()).collect();
        (response.status, response.body.clone(), names, response.location().len())
    };
    let padded = |response: &Response, extra: usize| {
        let (status, body, names, length) = shape(response);
        (status, body, names, length - extra)
    };
    // The state holds the path: longer by the four digits that three more bytes take in base64.
    assert_eq!(shape(&there), padded(&gone, 4));
}

/// The bad session of a callback: reason, and how the way back differs.
fn callback(change: impl Fn(&mut Browser, &mut String)) -> (Browser, Site, Response) {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html")).text();
    let mut back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
    change(&mut browser, &mut back);
    let response = browser.get(&back);
    assert!(
        !response
            .names_of_set_cookies()
            .iter()
            .any(|name| name.ends_with("idToken"))
    );
    assert_eq!(
        site.idp.requests().count(Endpoint::Token),
        0,
        "no code is redeemed for {back}"
    );
    (browser, site, response)
}

fn reason(change: impl Fn(&mut Browser, &mut String)) -> (String, String) {
    let (_, _, response) = callback(change);
    let (status, page, reason) = response.page();
    assert_eq!(status, 200);
    (page, reason)
}

fn pair(page: &str, reason: &str) -> (String, String) {
    (page.to_owned(), reason.to_owned())
}

/// The state with another member.
fn restate(back: &mut String, member: &str, value: &str) {
    let state = Url::parse(back).param("state").unwrap();
    let mut opened = open_base64url(&state);
    opened[member] = json!(value);
    let (before, _) = back.split_once("state=").unwrap();
    *back = format!("{before}state={}", seal_base64url(&opened));
}

/// T-CSRF-1
#[test]
fn a_callback_that_another_browser_began_is_not_taken() {
    let result = reason(|browser, _| browser.clear("app.localhost"));
    assert_eq!(result, pair("confirm-sign-in", "nonce-missing"));
}

/// T-CSRF-1
#[test]
fn a_callback_of_an_earlier_attempt_is_not_taken() {
    let result = reason(|browser, _| browser.tamper("-nonce", |nonce| flip(nonce, nonce.len() - 1)));
    assert_eq!(result, pair("confirm-sign-in", "nonce-mismatch"));
}

#[test]
fn a_state_with_another_nonce_is_not_taken() {
    let result = reason(|_, back| restate(back, "nonce", "1700000000Tabcdefghijklmnop"));
    assert_eq!(result, pair("confirm-sign-in", "nonce-mismatch"));
}

#[test]
fn a_nonce_that_we_have_not_signed_is_not_taken() {
    let result = reason(|browser, _| browser.tamper("-nonce-hmac", |hmac| flip(hmac, 3)));
    assert_eq!(result, pair("confirm-sign-in", "nonce-signature"));
}

#[test]
fn a_nonce_and_state_made_up_together_are_not_taken() {
    let result = reason(|browser, back| {
        let made_up = format!("{}Tabcdefghijklmnop", 4_000_000_000_u64);
        browser.tamper("-nonce", |_| made_up.clone());
        restate(back, "nonce", &made_up);
    });
    assert_eq!(result.1, "nonce-signature");
}

#[test]
fn a_state_that_is_none_is_not_taken() {
    for state in ["", "x", "eyJ9", "%00", "bnVsbA"] {
        let result = reason(|_, back| {
            let (before, _) = back.split_once("state=").unwrap();
            *back = format!("{before}state={state}");
        });
        assert_eq!(result.0, "sign-in-issue", "{state}");
        assert!(
            ["state-invalid", "callback-invalid"].contains(&result.1.as_str()),
            "{state}: {result:?}"
        );
    }
}

/// T-CSRF-3
#[test]
fn a_callback_with_a_parameter_twice_or_missing_is_not_taken() {
    let missing = reason(|_, back| *back = back.replace("code=", "cod="));
    assert_eq!(missing, pair("sign-in-issue", "callback-invalid"));
    let twice = reason(|_, back| back.push_str("&code=another"));
    assert_eq!(twice, pair("sign-in-issue", "callback-invalid"));
    let twice = reason(|_, back| {
        let state = Url::parse(back).param("state").unwrap();
        back.push_str(&format!("&state={state}"));
    });
    assert_eq!(twice, pair("sign-in-issue", "callback-invalid"));
}

#[test]
fn a_callback_without_the_code_verifier_is_not_taken() {
    assert_eq!(
        reason(|browser, _| browser.forget("-pkce")),
        pair("sign-in-issue", "pkce-missing")
    );
}

/// T-XSS-1
#[test]
fn what_the_provider_reports_is_shown_escaped() {
    let site = Plan::directory().start();
    let page = site.get(
        "/parseauth?error=%3Cscript%3Ealert(1)%3C/script%3E&error_description=%22%27%3Cimg+src=x%3E",
        "",
    );
    assert_eq!(page.page(), (200, "sign-in-issue".into(), "provider-error".into()));
    assert!(
        !page.text().contains("<script") && !page.text().contains("<img"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("&lt;script&gt;"));
}

/// T-REDIR-1: where a state leads is a path here, whatever it says.
#[test]
fn a_state_with_a_foreign_address_leads_nowhere_else() {
    for uri in [
        "//evil.example",
        "https://evil.example",
        "@evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        ".evil.example",
    ] {
        let site = Plan::directory().start();
        let mut browser = Browser::new();
        let page = browser.open(&site.url("/page.html")).text();
        let mut back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
        restate(&mut back, "requestedUri", uri);
        let response = browser.get(&back);
        assert_eq!(response.status, 307, "{uri}: {response:?}");
        let start = site.url("/");
        assert!(
            response.location().starts_with(&start),
            "{uri}: {}",
            response.location()
        );
    }
}

/// T-CSRF-4: another code verifier does not redeem the code.
#[test]
fn a_code_is_only_redeemed_with_the_verifier_it_was_asked_for_with() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html")).text();
    let back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
    browser.tamper("-pkce", |verifier| flip(verifier, 5));
    let response = browser.get(&back);
    assert_eq!(response.page(), (200, "sign-in-issue".into(), "token-endpoint".into()));
    assert!(browser.cookie(".idToken").is_none());
}

#[test]
fn a_code_is_redeemed_once() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/page.html")).text();
    let back = browser.submit(&page, ALICE.0, ALICE.1).location().to_owned();
    let mut thief = browser.clone();
    assert_eq!(browser.get(&back).location(), site.url("/page.html"));
    assert_eq!(thief.get(&back).page().1, "sign-in-issue");
    assert!(thief.cookie(".idToken").is_none());
}

#[test]
fn a_refresh_that_we_did_not_begin_is_not_carried_out() {
    let site = Plan::directory().start();
    let session = site.session_with(ALICE.0, &Overrides::expired());
    let page = site.get("/refreshauth?requestedUri=%2F&nonce=x", &session).page();
    assert_eq!(page, (200, "refresh-issue".into(), "nonce-missing".into()));
    let cookies = format!("{session}; spa-auth-edge-nonce=1700000000Tabc; spa-auth-edge-nonce-hmac=abc");
    let page = site
        .get("/refreshauth?requestedUri=%2F&nonce=1700000000Tabc", &cookies)
        .page();
    assert_eq!(page.1, "refresh-issue");
    assert_eq!(site.idp.requests().count(Endpoint::Token), 0);
}

/// T-JWT-6: what the token endpoint says is verified when it comes back.
#[test]
fn a_reply_with_a_forged_id_token_opens_nothing() {
    for overrides in [
        Overrides::none().signed_by(Signer::Foreign),
        Overrides::none().signed_by(Signer::Nobody),
        Overrides::none().claim("aud", "another-client"),
        Overrides::none().claim("iss", "https://evil.example"),
    ] {
        let site = Plan::directory().start();
        site.idp.faults().set(Endpoint::Token, Fault::IdToken(overrides));
        let mut browser = Browser::new();
        let page = browser.open(&site.url("/page.html")).text();
        let back = browser.submit(&page, ALICE.0, ALICE.1);
        browser.get(back.location());
        let response = browser.get(&site.url("/page.html"));
        assert!(site.is_sign_in(&response), "{response:?}");
    }
}

/// T-COOKIE-1
#[test]
fn a_planted_second_cookie_of_the_same_name_opens_nothing_by_itself() {
    let site = Plan::directory().start();
    let forged = site.session_with(ALICE.0, &Overrides::none().signed_by(Signer::Foreign));
    let good = site.session();
    for cookies in [
        format!("{forged}; {good}"),
        format!("{good}; {forged}"),
        format!("{forged}; {forged}"),
    ] {
        let response = site.get("/page.html", &cookies);
        let opened = response.status == 200;
        assert!(opened || site.is_sign_in(&response), "{response:?}");
        assert!(!opened || cookies.contains(&good));
    }
    // RFC 6265 leaves the order to the browser: the first one counts, as with the reference.
    assert_eq!(site.get("/page.html", &format!("{good}; {forged}")).status, 200);
}

/// T-FUZZ-cookie
#[test]
fn malformed_cookie_headers_are_only_cookies_that_do_not_count() {
    let site = Plan::directory().start();
    for cookies in [
        "=",
        ";;;",
        "a",
        "=;=;=",
        "ID-TOKEN",
        "\"",
        "a=\"b; c=d",
        "%=%",
        "a==b=",
        &";".repeat(9000),
        &"a=b;".repeat(4000),
    ] {
        assert!(site.is_sign_in(&site.get("/page.html", cookies)), "{cookies:.40}");
    }
    let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
    let odd = format!(
        "{prefix}.LastAuthUser=%zz; {prefix}.%zz.idToken=%zz.%.{}",
        URL_SAFE_NO_PAD.encode("{}")
    );
    assert!(site.is_sign_in(&site.get("/page.html", &odd)));
}
