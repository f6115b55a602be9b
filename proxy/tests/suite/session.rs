//! A session's life: renewed when it has expired, ended when the viewer says so.

use dev_idp::{Endpoint, Fault, Overrides};

use crate::support::{
    browser::Browser,
    http::Request,
    origin::CONTENT,
    site::{ALICE, BOB, HOST, Plan, Site},
    url::Url,
};

/// Signed in, but the id token is over already.
fn expired(site: &Site) -> Browser {
    site.idp
        .faults()
        .times(Endpoint::Token, 1, Fault::IdToken(Overrides::expired()));
    let mut browser = Browser::new();
    let page = browser.open(&site.url("/")).text();
    let callback = browser.submit(&page, ALICE.0, ALICE.1);
    let back = browser.get(callback.location());
    assert_eq!(back.location(), site.url("/"), "{back:?}");
    browser
}

#[test]
fn an_expired_session_is_renewed_and_the_viewer_comes_back_to_the_deep_link() {
    for mode in ["spaMode", "staticSiteMode"] {
        let site = Plan::directory().auth("mode", mode).start();
        let mut browser = expired(&site);
        let old = browser.cookie(".idToken").unwrap().value.clone();
        let asked = browser.history.len();
        let link = site.url("/page.html?q=%2F+%zz&r='");
        let page = browser.open(&link);
        assert_eq!(page.text(), format!("page.html {CONTENT}"), "{mode}");
        assert_eq!(browser.here().to_string(), link);
        let paths: Vec<&str> = browser.history[asked..].iter().map(Url::path).collect();
        assert_eq!(paths, ["/page.html", "/refreshauth", "/page.html"], "{mode}");
        assert_ne!(browser.cookie(".idToken").unwrap().value, old);
        assert_eq!(
            site.metric("portcullis_refreshes_total{result=\"success\",site=\"app\"}"),
            1.0
        );
    }
}

#[test]
fn an_expired_elasticsearch_session_is_renewed_too() {
    let site = Plan::directory().auth("cookieCompatibility", "elasticsearch").start();
    let mut browser = expired(&site);
    assert_eq!(
        browser.open(&site.url("/page.html")).text(),
        format!("page.html {CONTENT}")
    );
    assert_eq!(browser.cookie("COGNITO-ENABLED").unwrap().value, "True");
}

#[test]
fn a_refused_refresh_token_leads_to_the_sign_in_once_and_in_no_circle() {
    let site = Plan::directory().start();
    let mut browser = expired(&site);
    // The session at the hosted UI is over as well, else it would sign the viewer in silently.
    browser.clear(&site.idp.addr().ip().to_string());
    site.idp.faults().set(Endpoint::Token, Fault::invalid_grant());
    let asked = browser.history.len();
    let page = browser.open(&site.url("/page.html?q=1"));
    assert!(page.text().contains("_csrf"), "{page:?}");
    let paths: Vec<&str> = browser.history[asked..].iter().map(Url::path).collect();
    assert_eq!(
        paths,
        [
            "/page.html",
            "/refreshauth",
            "/page.html",
            "/oauth2/authorize",
            "/login"
        ]
    );
    assert_eq!(
        site.idp.requests().count(Endpoint::Token),
        2,
        "the sign-in's and one refresh"
    );
    assert!(browser.cookie(".refreshToken").is_none());
    assert_eq!(browser.cookie("spa-auth-edge-refresh").unwrap().value, "failed");

    site.idp.faults().clear_all();
    let page = browser.sign_in(&site.url("/page.html?q=1"), ALICE.0, ALICE.1);
    assert_eq!(page.text(), format!("page.html {CONTENT}"));
    assert!(browser.cookie("spa-auth-edge-refresh").is_none());
}

#[test]
fn a_silent_sign_in_after_a_refused_refresh_token_reaches_the_deep_link() {
    let site = Plan::directory().start();
    let mut browser = expired(&site);
    site.idp.faults().times(Endpoint::Token, 1, Fault::invalid_grant());
    let link = site.url("/page.html?deep=1");
    assert_eq!(browser.open(&link).text(), format!("page.html {CONTENT}"));
    assert_eq!(browser.here().to_string(), link);
}

#[test]
fn a_refresh_that_fails_otherwise_ends_at_a_page() {
    let site = Plan::directory().start();
    let mut browser = expired(&site);
    site.idp.faults().set(Endpoint::Token, Fault::status(500));
    let page = browser.open(&site.url("/page.html"));
    assert_eq!(page.page(), (200, "refresh-issue".into(), "token-endpoint".into()));
    assert!(
        browser.cookie(".refreshToken").is_some(),
        "a failing provider costs nobody the session"
    );
    site.idp.faults().clear_all();
    assert_eq!(
        browser.open(&site.url("/page.html")).text(),
        format!("page.html {CONTENT}")
    );
}

#[test]
fn an_id_token_may_expire_under_a_session_that_has_been_seen() {
    let site = Plan::directory().start();
    let tokens = site.tokens(ALICE.0, &Overrides::none().expires_in(2));
    let request = Request::get("/page.html").header("Cookie", site.cookies(ALICE.0, &tokens));
    let mut wire = site.wire();
    assert_eq!(wire.send(&request, &site.authority()).status, 200);
    // The event is the clock's: ask until the remembered token is refused.
    let refused = loop {
        let response = wire.send(&request, &site.authority());
        if response.status != 200 {
            break response;
        }
    };
    assert!(
        refused.location().starts_with(&site.url("/refreshauth?")),
        "{refused:?}"
    );
}

/// T-COOKIE-6
#[test]
fn signing_out_leaves_no_session_anywhere() {
    for (mode, compatibility) in [
        ("spaMode", "amplify"),
        ("staticSiteMode", "amplify"),
        ("staticSiteMode", "elasticsearch"),
    ] {
        let plan = Plan::directory()
            .auth("mode", mode)
            .auth("cookieCompatibility", compatibility);
        let site = plan.start();
        let mut browser = site.signed_in();
        let out = browser.get(&site.url("/signout"));
        assert_eq!(out.status, 307);
        let hosted = Url::parse(out.location());
        assert_eq!(hosted.path(), "/logout");
        assert_eq!(hosted.param("logout_uri").unwrap(), site.url("/"));
        let at_provider = browser.get(out.location());
        assert_eq!(at_provider.location(), site.url("/"));
        assert_eq!(site.idp.requests().count(Endpoint::Logout), 1);

        let left = browser.names(HOST);
        assert!(
            left.iter().all(|name| name.starts_with("spa-auth-edge-")),
            "{mode}: {left:?}"
        );
        let page = browser.open(&site.url("/page.html"));
        assert!(page.text().contains("_csrf"), "{mode}: the hosted UI asks again");
        assert!(!page.text().contains(CONTENT));
    }
}

#[test]
fn signing_out_without_a_session_says_so() {
    let site = Plan::directory().start();
    let page = Browser::new().get(&site.url("/signout"));
    assert_eq!(page.page(), (200, "signed-out".into(), "already-signed-out".into()));
}

#[test]
fn two_viewers_do_not_meet() {
    let site = Plan::directory().auth("requiredGroup", "readers").start();
    let alice = site.session();
    let bob = site.session_with(BOB.0, &Overrides::none());
    for _ in 0..20 {
        assert_eq!(site.get("/page.html", &alice).text(), format!("page.html {CONTENT}"));
        assert_eq!(site.get("/page.html", &bob).page().1, "not-authorized");
    }
}
