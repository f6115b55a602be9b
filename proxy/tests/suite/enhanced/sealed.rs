//! Sealed sessions and sign-out as a browser, an origin and an operator see them.

use dev_idp::{Endpoint, Fault, Overrides};
use serde_json::{Value, json};

use crate::support::{
    browser::Browser,
    http::Request,
    origin::{CONTENT, Origin},
    process::Signal,
    site::{ALICE, HOST, Plan, Site},
};

/// Over http on the loopback address; over https it is `__Host-portcullis`.
const NAME: &str = "portcullis";

fn plan(origin: &Origin, enhancements: Value) -> Plan {
    Plan::custom(origin)
        .auth("profile", "enhanced")
        .auth("enhancements", enhancements)
}

fn signed_in(site: &Site) -> Browser {
    let mut browser = Browser::new();
    let page = browser.sign_in(&site.url("/page"), ALICE.0, ALICE.1);
    assert!(page.text().contains(CONTENT), "{page:?}");
    browser
}

fn session(browser: &Browser) -> String {
    let mut kept = browser.of(HOST).filter(|kept| kept.name == NAME);
    kept.next().expect("a sealed session").value.clone()
}

#[test]
fn one_cookie_stands_for_the_session_and_no_origin_sees_it() {
    let origin = Origin::content();
    let site = plan(&origin, json!({ "sealedSession": true }))
        .site(
            "identity",
            json!({ "insecure_id_token_header": "X-Id-Token", "headers": { "X-Name": "cognito:username" } }),
        )
        .start();
    let mut browser = signed_in(&site);
    assert!(
        browser.names(HOST).iter().all(|name| name.starts_with(NAME)),
        "{:?}",
        browser.names(HOST)
    );
    assert!(browser.of(HOST).all(|kept| kept.http_only));
    browser.get(&site.url("/page"));
    let asked = origin.last();
    assert_eq!(asked.all("cookie"), Vec::<&str>::new());
    assert_eq!(asked.all("x-id-token"), Vec::<&str>::new(), "it is not in there");
    assert_eq!(asked.header("x-name"), Some(ALICE.0));
    // What was made up opens nothing, and stays here as well.
    let answer = site.get("/page", &format!("{NAME}=AAAA; theme=dark"));
    assert_ne!(answer.status, 200);
}

#[test]
fn the_id_token_reaches_an_origin_where_it_is_kept() {
    let origin = Origin::content();
    let site = plan(&origin, json!({ "sealedSession": { "keepIdToken": true } }))
        .site("identity", json!({ "insecure_id_token_header": "X-Id-Token" }))
        .start();
    let mut browser = signed_in(&site);
    browser.get(&site.url("/page"));
    let token = origin.last().header("x-id-token").expect("a token").to_owned();
    assert_eq!(
        site.get(
            "/page",
            &format!(
                "CognitoIdentityServiceProvider.{}.alice.idToken={token}",
                crate::support::site::CLIENT
            )
        )
        .status,
        200
    );
}

/// T-SESS-3: new secrets come with a reload. Sessions go on as long as the one they were sealed with is there.
#[test]
fn t_sess_3_secrets_are_replaced_by_a_reload_while_sessions_go_on() {
    let origin = Origin::content();
    let plan = plan(
        &origin,
        json!({ "sealed_session": true, "session_secrets_file": "secrets.txt" }),
    );
    let file = plan.folder().join("secrets.txt");
    let (old, new) = ("the-secret-of-last-month-5520", "the-secret-of-this-month-8841");
    std::fs::write(&file, format!("{old}\n")).unwrap();
    let mut site = plan.start();
    let mut early = signed_in(&site);
    std::fs::write(&file, format!("{new}\n{old}\n")).unwrap();
    site.reload(|_| ());
    assert_eq!(early.get(&site.url("/page")).status, 200);
    let mut late = signed_in(&site);
    std::fs::write(&file, new).unwrap();
    site.reload(|_| ());
    assert_eq!(late.get(&site.url("/page")).status, 200);
    let refused = early.get(&site.url("/page"));
    assert_eq!(refused.status, 302);
    assert!(
        refused.location().contains("/oauth2/authorize?"),
        "{}",
        refused.location()
    );
    assert!(!site.process.output().contains(old) && !site.process.output().contains(new));
}

/// A viewer who comes with tokens keeps the session, and its next request brings the sealed one alone.
#[test]
fn a_session_in_plain_cookies_is_taken_over_on_the_way() {
    let origin = Origin::content();
    let site = plan(&origin, json!({ "sealedSession": true })).start();
    let plain = site.session();
    let answer = site.get("/page", &plain);
    assert_eq!(answer.status, 200);
    let cookies = answer.all("set-cookie");
    let sealed = cookies
        .iter()
        .find_map(|cookie| cookie.strip_prefix("portcullis="))
        .expect("a sealed session");
    let sealed = sealed.split(';').next().unwrap();
    assert!(
        cookies
            .iter()
            .any(|cookie| cookie.contains(".refreshToken=;") && cookie.contains("1970"))
    );
    assert_eq!(site.get("/page", &format!("{NAME}={sealed}")).status, 200);
}

/// What signs a viewer out here signs them out at the provider: the refresh token is worth nothing afterwards, the
/// browser holds nothing, and a page that needs no session says so.
#[test]
fn pain_06_a_sign_out_leaves_neither_cookies_nor_a_refresh_token_and_ends_on_a_page() {
    for enhancements in [json!({}), json!({ "sealedSession": true })] {
        let origin = Origin::content();
        let site = plan(&origin, enhancements).start();
        let mut browser = signed_in(&site);
        let before = browser.clone();
        let page = browser.open(&site.url("/signout"));
        assert_eq!(browser.here().path(), "/_portcullis/signed-out");
        assert_eq!(page.status, 200);
        assert!(page.text().contains("data-page=\"signed-out\""), "{}", page.text());
        assert_eq!(browser.names(HOST), Vec::<&str>::new());
        let revoked = site.idp.requests().of(Endpoint::Revoke);
        assert_eq!(revoked.len(), 1);
        let token = revoked[0].field("token").expect("a token");
        let renewal = before
            .clone()
            .of(HOST)
            .map(|kept| kept.value.clone())
            .collect::<Vec<_>>();
        assert!(renewal.contains(&token) || session(&before).len() > token.len());
        // Whoever goes on is asked to sign in: the hosted UI has forgotten them as well.
        browser.open(&site.url("/page"));
        assert_eq!(browser.here().path(), "/login");
    }
}

#[test]
fn a_sign_out_waits_for_no_provider_that_is_ill() {
    let origin = Origin::content();
    let site = plan(&origin, json!({})).start();
    for fault in [Fault::status(500), Fault::Garbage] {
        let mut browser = signed_in(&site);
        site.idp.faults().set(Endpoint::Revoke, fault);
        let answer = browser.get(&site.url("/signout"));
        assert_eq!(answer.status, 302);
        assert!(answer.location().contains("/logout?"));
        assert!(
            browser.names(HOST).iter().all(|name| name.ends_with("signed-out")),
            "{:?}",
            browser.names(HOST)
        );
    }
}

/// T-CSRF-5
#[test]
fn t_csrf_5_another_sites_picture_signs_nobody_out() {
    let origin = Origin::content();
    let site = plan(&origin, json!({})).start();
    let request = Request::get("/signout")
        .header("Cookie", site.session())
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "no-cors")
        .header("Sec-Fetch-Dest", "image");
    let answer = site.ask(&request);
    assert_eq!((answer.status, answer.all("set-cookie").len()), (403, 0));
}

/// T-LEAK-3, T-LEAK-2: neither what is sealed, nor the seal, nor a secret of it, in any log or answer.
#[test]
fn t_leak_3_nothing_of_a_sealed_session_is_ever_logged() {
    let origin = Origin::content();
    let secret = "what-sessions-are-sealed-with-7312";
    let mut site = plan(&origin, json!({ "sealedSession": true, "sessionSecrets": [secret] }))
        .auth("logLevel", "debug")
        .top("log", json!({ "level": "trace", "format": "json" }))
        .variable("RUST_LOG", "trace")
        .start();
    let mut browser = signed_in(&site);
    let mut secrets = vec![secret.to_owned(), session(&browser)];
    for target in [
        "/page",
        "/_portcullis/session",
        "/_portcullis/refresh",
        "/refreshauth",
        "/parseauth",
    ] {
        let answer = browser.get(&site.url(target));
        let shown = answer.text();
        assert!(!shown.contains("eyJ"), "{target}: {shown}");
    }
    site.get("/page", &site.session_with(ALICE.0, &Overrides::expired()));
    browser.open(&site.url("/signout"));
    secrets.extend(browser.secrets.iter().filter(|secret| secret.len() > 12).cloned());
    for endpoint in [Endpoint::Token, Endpoint::Revoke] {
        for asked in site.idp.requests().of(endpoint) {
            secrets.extend(
                ["code", "refresh_token", "token"]
                    .iter()
                    .filter_map(|field| asked.field(field)),
            );
        }
    }
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
    let said = site.process.output();
    for secret in secrets {
        assert!(!said.contains(&secret), "{secret} in {said}");
    }
}

#[test]
fn the_configuration_that_is_shown_has_no_session_secret() {
    let origin = Origin::content();
    let secret = "what-sessions-are-sealed-with-7312";
    let site = plan(&origin, json!({ "sealedSession": true, "sessionSecrets": [secret] })).start();
    let file = site.file().to_str().unwrap().to_owned();
    let mut shown = crate::support::process::Process::start(&["check", "--config", &file, "--format", "json"], &[]);
    assert!(shown.end().success(), "{}", shown.output());
    assert!(!shown.output().contains(secret), "{}", shown.output());
}
