//! The way in: from a deep link through the hosted UI and back to it.

use serde_json::json;

use crate::support::{
    browser::Browser,
    http::Request,
    origin::CONTENT,
    site::{ALICE, BOB, CLIENT, CLIENT_SECRET, HOST, Plan},
    url::{Url, open_base64url},
};

fn amplify(rest: &str) -> String {
    format!("CognitoIdentityServiceProvider.{CLIENT}.{rest}")
}

#[test]
fn a_viewer_signs_in_at_the_hosted_ui_and_comes_back_to_the_deep_link() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.sign_in(&site.url("/docs/index.html?from=mail"), ALICE.0, ALICE.1);
    assert_eq!(page.status, 200);
    assert_eq!(page.text(), format!("docs/index.html {CONTENT}"));
    assert_eq!(browser.here().to_string(), site.url("/docs/index.html?from=mail"));
    let again = browser.get(&site.url("/page.html"));
    assert_eq!((again.status, again.text()), (200, format!("page.html {CONTENT}")));
}

#[test]
fn a_wrong_password_is_told_at_the_hosted_ui_and_opens_nothing() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let page = browser.sign_in(&site.url("/"), ALICE.0, "not her password");
    assert_eq!(browser.here().path(), "/login");
    assert!(page.text().contains("role=\"alert\""));
    assert!(site.is_sign_in(&browser.get(&site.url("/"))));
}

#[test]
fn the_authorization_request_asks_for_what_is_configured() {
    let site = Plan::directory().start();
    let mut browser = Browser::new();
    let response = browser.get(&site.url("/page.html?a=1"));
    assert!(site.is_sign_in(&response), "{response:?}");
    let url = Url::parse(response.location());
    let param = |name| url.param(name).unwrap();
    assert_eq!(param("redirect_uri"), site.url("/parseauth"));
    assert_eq!(param("response_type"), "code");
    assert_eq!(param("client_id"), CLIENT);
    assert_eq!(param("scope"), "phone email profile openid");
    assert_eq!(param("code_challenge_method"), "S256");
    assert_eq!(param("code_challenge").len(), 43);
    let state = open_base64url(&param("state"));
    assert_eq!(state["requestedUri"], "/page.html?a=1");
    assert_eq!(state["nonce"], browser.cookie("-nonce").unwrap().value.as_str());
    assert_eq!(
        response.names_of_set_cookies(),
        ["spa-auth-edge-nonce", "spa-auth-edge-nonce-hmac", "spa-auth-edge-pkce"]
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("strict-transport-security"), Some("max-age=31536000"));
}

/// Every byte that browsers leave as it is in a query comes back so; quotes and angle brackets they always encode.
#[test]
fn odd_bytes_in_the_query_of_a_deep_link_come_back_as_they_were() {
    let site = Plan::directory().start();
    let visible: String = (b'!'..=b'~')
        .filter(|byte| !b"#\"<>".contains(byte))
        .map(char::from)
        .collect();
    for query in [
        "a=%2F%2f%25%zz%&b=x+y%20z&&=;c",
        "redirect=https%3A%2F%2Fevil.example%2F&x=%0d%0aSet-Cookie:%20a=b",
        "q=%C3%A9%F0%9F%98%80%FF%00",
        "?",
        visible.as_str(),
    ] {
        let link = site.url(&format!("/page.html?{query}"));
        let mut browser = Browser::new();
        let page = browser.sign_in(&link, ALICE.0, ALICE.1);
        assert_eq!(page.status, 200, "{link}");
        assert_eq!(browser.here().to_string(), link);
    }
}

#[test]
fn a_deep_link_in_escapes_keeps_them() {
    let site = Plan::directory().start();
    for target in ["/d%6fcs/index.html", "/data%2Ejson?x", "/page.html"] {
        let mut browser = Browser::new();
        let page = browser.sign_in(&site.url(target), ALICE.0, ALICE.1);
        assert_eq!(page.status, 200, "{target}");
        assert_eq!(browser.here().target, target);
    }
}

/// T-REDIR-1
#[test]
fn no_path_leads_the_return_to_another_host() {
    let site = Plan::directory().start();
    for target in [
        "//evil.example/x",
        "///evil.example",
        "/@evil.example/",
        "/%40evil.example",
        "/.evil.example",
    ] {
        let mut browser = Browser::new();
        browser.sign_in(&site.url(target), ALICE.0, ALICE.1);
        assert_eq!(browser.here().authority, site.authority(), "{target}");
        assert!(
            browser.history.iter().all(|url| url.port().is_some()),
            "{:?}",
            browser.history
        );
    }
}

#[test]
fn a_confidential_client_authenticates_with_its_secret_in_the_header_alone() {
    let site = Plan::directory().confidential().start();
    let browser = site.signed_in();
    let asked = site.idp.requests().of(dev_idp::Endpoint::Token);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].authorization.as_deref().unwrap().starts_with("Basic "));
    assert!(!asked[0].body.contains(CLIENT_SECRET));
    assert_eq!(
        asked[0].content_type.as_deref(),
        Some("application/x-www-form-urlencoded")
    );
    assert!(browser.history.iter().all(|url| !url.target.contains(CLIENT_SECRET)));
}

/// T-COOKIE-5
#[test]
fn in_spa_mode_scripts_can_read_the_tokens_and_not_the_flow_cookies() {
    let site = Plan::directory().start();
    let browser = site.signed_in();
    let kept = |suffix: &str| browser.cookie(suffix).unwrap().http_only;
    for token in [
        ".idToken",
        ".accessToken",
        ".refreshToken",
        ".LastAuthUser",
        ".userData",
        ".tokenScopesString",
    ] {
        assert!(!kept(token), "{token}");
    }
    assert_eq!(browser.cookie(".LastAuthUser").unwrap().name, amplify("LastAuthUser"));
    assert_eq!(browser.cookie(".idToken").unwrap().name, amplify("alice.idToken"));
}

/// T-COOKIE-5
#[test]
fn every_cookie_has_the_attributes_of_its_mode() {
    const OPEN: &str = "Path=/; Secure; SameSite=Lax";
    const CLOSED: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
    const REFRESH_ONLY: &str = "Path=/refreshauth; Secure; HttpOnly; SameSite=Lax";
    for (mode, compatibility, tokens, refresh) in [
        ("spaMode", "amplify", OPEN, OPEN),
        ("staticSiteMode", "amplify", CLOSED, REFRESH_ONLY),
        ("staticSiteMode", "elasticsearch", CLOSED, CLOSED),
    ] {
        let plan = Plan::directory()
            .auth("mode", mode)
            .auth("cookieCompatibility", compatibility);
        let site = plan.start();
        let mut browser = Browser::new();
        let start = browser.get(&site.url("/"));
        assert!(
            start.all("set-cookie").iter().all(|cookie| cookie.ends_with(CLOSED)),
            "{start:?}"
        );
        browser.sign_in(&site.url("/"), ALICE.0, ALICE.1);
        let callback = browser
            .history
            .iter()
            .rev()
            .find(|url| url.path() == "/parseauth")
            .unwrap();
        assert!(callback.param("code").is_some());
        let expected: &[(&str, &str)] = match compatibility {
            "amplify" => &[
                (".idToken", tokens),
                (".accessToken", tokens),
                (".refreshToken", refresh),
            ],
            _ => &[
                ("ID-TOKEN", tokens),
                ("ACCESS-TOKEN", tokens),
                ("REFRESH-TOKEN", refresh),
            ],
        };
        for (name, attributes) in expected {
            let kept = browser
                .cookie(name)
                .unwrap_or_else(|| panic!("{mode} {compatibility} {name}"));
            assert_eq!(kept.http_only, attributes.contains("HttpOnly"), "{mode} {name}");
            let reaches_content = browser
                .cookie_header(&Url::parse(&site.url("/page.html")))
                .contains(&kept.value);
            assert_eq!(reaches_content, attributes.starts_with("Path=/;"), "{mode} {name}");
        }
    }
}

#[test]
fn elasticsearch_cookies_have_their_four_names() {
    let site = Plan::directory().auth("cookieCompatibility", "elasticsearch").start();
    let browser = site.signed_in();
    let tokens: Vec<&str> = browser
        .names(HOST)
        .into_iter()
        .filter(|name| !name.starts_with("spa-auth-edge"))
        .collect();
    assert_eq!(tokens, ["ACCESS-TOKEN", "COGNITO-ENABLED", "ID-TOKEN", "REFRESH-TOKEN"]);
    assert_eq!(browser.cookie("COGNITO-ENABLED").unwrap().value, "True");
}

#[test]
fn additional_cookies_are_set_with_the_session() {
    let extra = json!({ "theme": "dark; Path=/; Secure; SameSite=Lax" });
    let site = Plan::directory().auth("additionalCookies", extra).start();
    assert_eq!(site.signed_in().cookie("theme").unwrap().value, "dark");
}

/// T-COOKIE-3
#[test]
fn odd_user_names_sign_in() {
    for name in ["ann@example.com", "a+b/c", "100%", "%41%zz", "a'b(c)!", "zoë", "日本"] {
        let plan = Plan::directory().provider(|idp| idp.users.push(dev_idp::User::new(name, "pass")));
        let site = plan.start();
        let mut browser = Browser::new();
        let page = browser.sign_in(&site.url("/page.html"), name, "pass");
        assert_eq!(page.text(), format!("page.html {CONTENT}"), "{name}");
        let out = browser.open(&site.url("/signout"));
        assert!(out.text().contains("_csrf"), "{name}");
        assert!(
            browser.cookie(".idToken").is_none(),
            "{name}: {:?}",
            browser.names(HOST)
        );
    }
}

#[test]
fn who_is_not_in_the_required_group_gets_a_page_and_no_content() {
    let site = Plan::directory().auth("requiredGroup", "readers").start();
    let mut bob = Browser::new();
    let page = bob.sign_in(&site.url("/page.html"), BOB.0, BOB.1);
    assert_eq!(page.page(), (200, "not-authorized".into(), "group-required".into()));
    assert!(!page.text().contains(CONTENT));
    assert!(page.text().contains(&site.url("/signout")));
    let mut alice = Browser::new();
    assert!(
        alice
            .sign_in(&site.url("/page.html"), ALICE.0, ALICE.1)
            .text()
            .contains(CONTENT)
    );
}

/// T-PATH-4, T-PATH-5
#[test]
fn every_method_and_lookalikes_of_our_endpoints_are_protected() {
    let site = Plan::directory().start();
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "PROPFIND", "X",
    ] {
        let response = site.ask(&Request::new(method, "/page.html"));
        assert!(site.is_sign_in(&response), "{method}: {response:?}");
    }
    for target in [
        "/signout-x",
        "/signout/",
        "/parseauth/",
        "/refreshauthx",
        "/Signout",
        "/parseauth%3Fx",
    ] {
        let response = site.ask(&Request::get(target));
        assert!(site.is_sign_in(&response), "{target}: {response:?}");
    }
}

/// T-SESS-1: a sign-in replaces the session that was there.
#[test]
fn signing_in_as_another_replaces_the_session() {
    let site = Plan::directory().start();
    let mut browser = site.signed_in();
    browser.open(&site.url("/signout"));
    browser.sign_in(&site.url("/"), BOB.0, BOB.1);
    assert_eq!(browser.cookie(".LastAuthUser").unwrap().value, BOB.0);
    let header = browser.cookie_header(&Url::parse(&site.url("/")));
    assert!(!header.contains("alice"), "{header}");
}
