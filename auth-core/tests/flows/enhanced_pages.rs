//! The enhanced profile's pages: status, language, the site's looks and words, and what no setting can change.

use auth_core::{Authenticator, CallError, Config, HttpReply, Reason, Response, SecurityPolicy, Step, json::Json};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, NAVIGATION, callback, tokens_for},
    fixture::{NOW, Rng, config, response, site, token},
};

fn enhanced(enhancements: Value) -> Authenticator {
    site(json!({"profile": "enhanced", "enhancements": enhancements}))
}

/// The page of a callback that carries its state twice.
fn bad_callback(auth: &Authenticator, fields: &[(&str, &str)]) -> Response {
    let fields = [NAVIGATION, fields].concat();
    response(Browser::default().ask(auth, "GET", "/parseauth?code=c&state=a&state=b", &fields, NOW))
}

/// The page after the token endpoint has answered so.
fn after_exchange(auth: &Authenticator, outcome: Result<HttpReply, CallError>) -> Response {
    let mut browser = Browser::default();
    let sent = browser.navigate(auth, "/deep", NOW);
    let Step::Call(pending) = browser.ask(auth, "GET", &callback(&sent), NAVIGATION, NOW) else {
        panic!("no token request")
    };
    response(pending.resume(outcome, NOW, &mut Rng))
}

fn reply(status: u16, content_type: &str, body: &str) -> Result<HttpReply, CallError> {
    Ok(HttpReply {
        status,
        content_type: Some(content_type.to_owned()),
        body: body.as_bytes().to_vec(),
    })
}

#[test]
fn pain_20_trouble_with_the_provider_has_a_status_and_a_code_of_its_own() {
    let auth = enhanced(json!({}));
    let refused = |error: &str| reply(400, "application/json", &json!({"error": error}).to_string());
    for (outcome, status, reason) in [
        (Err(CallError::Timeout), 504, Reason::ProviderTimeout),
        (
            Err(CallError::Connect("refused".to_owned())),
            502,
            Reason::ProviderUnreachable,
        ),
        (
            Err(CallError::Broken("cut".to_owned())),
            502,
            Reason::ProviderUnreachable,
        ),
        (reply(500, "application/json", "{}"), 502, Reason::ProviderFailed),
        (reply(503, "text/html", "<p>"), 503, Reason::ProviderUnavailable),
        (reply(429, "text/plain", "slow down"), 429, Reason::ProviderThrottled),
        (refused("invalid_client"), 502, Reason::ClientRefused),
        (refused("unauthorized_client"), 502, Reason::ClientRefused),
        (refused("invalid_scope"), 502, Reason::ScopeRefused),
        (refused("other"), 502, Reason::TokenEndpoint),
        (reply(200, "text/html", "<p>"), 502, Reason::TokenEndpoint),
        (reply(200, "application/json", "{}"), 502, Reason::TokenReply),
    ] {
        let answer = after_exchange(&auth, outcome);
        assert_eq!((answer.status, answer.reason), (status, reason));
        assert!(answer.body.contains(&format!("data-reason=\"{}\"", reason.as_str())));
        assert!(answer.body.contains(&format!("<code>{}</code>", reason.as_str())));
        assert!(answer.body.contains("href=\"https://site.example/deep\""));
        assert_eq!(
            answer.headers.first("retry-after").is_some(),
            status == 503 || status == 429
        );
        assert!(answer.headers.first("set-cookie").is_none());
    }
}

/// T-XSS-1: an adapter is told by a word which policy is the page's own, and need not guess by its text.
#[test]
fn t_xss_1_a_page_says_that_its_policy_is_its_own_and_nothing_else_does() {
    let content = "default-src 'none'; style-src 'sha256-x' https://evil.example";
    let headers = json!({"Content-Security-Policy": content});
    for (enhancements, profile) in [
        (json!({}), "enhanced"),
        (json!({"pages": false}), "enhanced"),
        (json!({}), "reference"),
    ] {
        let mut all = json!({"profile": profile, "httpHeaders": headers});
        if profile == "enhanced" {
            all["enhancements"] = enhancements;
        }
        let auth = site(all);
        let page = bad_callback(&auth, &[]);
        let is_ours = profile == "enhanced";
        assert_eq!(page.security_policy == SecurityPolicy::Own, is_ours);
        let name = |name: &str| name.eq_ignore_ascii_case("content-security-policy");
        let policies: Vec<&str> = page
            .headers
            .iter()
            .filter(|(known, _)| name(known))
            .map(|(_, value)| value)
            .collect();
        assert_eq!(policies.len(), 1);
        assert_eq!(policies[0] == content, !is_ours, "{policies:?}");
        let json = response(Browser::default().ask(&auth, "GET", "/", &[("accept", "application/json")], NOW));
        assert_eq!(json.security_policy, SecurityPolicy::Configured);
    }
}

#[test]
fn an_error_that_the_provider_reports_is_told_to_the_browser_that_it_is_about() {
    let auth = enhanced(json!({}));
    for (error, status, reason) in [
        ("access_denied", 403, Reason::ProviderDenied),
        ("temporarily_unavailable", 503, Reason::ProviderUnavailable),
        ("server_error", 502, Reason::ProviderFailed),
        ("invalid_scope", 502, Reason::ScopeRefused),
        ("unauthorized_client", 502, Reason::ClientRefused),
        ("invalid_request", 400, Reason::ProviderError),
    ] {
        let mut browser = Browser::default();
        let sent = browser.navigate(&auth, "/deep", NOW);
        let target = callback(&sent).replace("code=c", &format!("error={error}&error_description=%3Cb%3Ewhy"));
        let answer = browser.navigate(&auth, &target, NOW);
        assert_eq!((answer.status, answer.reason), (status, reason), "{error}");
        assert!(answer.body.contains("&lt;b&gt;why"), "{error}");
    }
    let strangers = Browser::default().navigate(&auth, "/parseauth?error=x&error_description=call+555", NOW);
    assert_eq!(strangers.status, 400);
    assert!(!strangers.body.contains("555"));
}

#[test]
fn pain_16_who_is_not_in_the_group_is_told_who_they_are_and_never_redirected() {
    let auth = site(json!({"profile": "enhanced", "requiredGroup": "g"}));
    let mut browser = Browser::default();
    browser
        .jar
        .insert("ID-TOKEN".to_owned(), token(json!({"email": "<jane>@example.com"})));
    let answer = browser.navigate(&auth, "/", NOW);
    assert_eq!((answer.status, answer.reason), (403, Reason::GroupRequired));
    assert!(answer.headers.first("location").is_none());
    assert!(
        answer
            .body
            .contains("You are signed in as <strong>&lt;jane&gt;@example.com</strong>")
    );
    assert!(answer.body.contains("href=\"https://site.example/signout\""));
}

/// T-XSS-1, and the headers that an operator sets for content.
#[test]
fn pain_18_no_configured_header_weakens_or_breaks_a_page_of_ours() {
    let auth = site(json!({"profile": "enhanced", "httpHeaders": {
        "Content-Security-Policy": "default-src *", "cache-control": "public, max-age=9", "Content-Type": "text/plain",
        "Referrer-Policy": "unsafe-url", "X-Content-Type-Options": "x", "X-Frame-Options": "DENY", "Location": "/x",
        "Set-Cookie": "a=b"
    }}));
    let answer = bad_callback(&auth, &[]);
    let policy = answer.headers.first("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script"));
    assert!(!answer.body.contains("<script") && !answer.body.contains(" style="));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=UTF-8"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        let all: Vec<&str> = answer
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect();
        assert_eq!(all, [value], "{name}");
    }
}

/// The style's hash is that of what stands between the tags, whatever colours are configured.
#[test]
fn the_policy_allows_just_the_pages_own_style() {
    for pages in [
        json!(true),
        json!({"colours": {"accent": "#a00", "dark": {"accent": "rgb(200 0 0)"}}}),
    ] {
        let answer = bad_callback(&enhanced(json!({"pages": pages})), &[]);
        let style = answer
            .body
            .split_once("<style>")
            .unwrap()
            .1
            .split_once("</style>")
            .unwrap()
            .0;
        let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
        let hash = crate::fixture::base64(hash.as_ref())
            .replace('-', "+")
            .replace('_', "/");
        let policy = answer.headers.first("content-security-policy").unwrap();
        assert!(policy.contains(&format!("'sha256-{hash}='")), "{policy} {hash}");
    }
}

#[test]
fn a_page_speaks_the_viewers_language() {
    let auth = enhanced(json!({}));
    for (accept, language, title) in [
        ("de-CH,de;q=0.9,en;q=0.5", "de", "Anmeldung nicht gelungen"),
        ("fr", "fr", "La connexion a échoué"),
        ("es-MX", "es", "No se pudo iniciar sesión"),
        ("nl", "en", "Sign-in did not work"),
    ] {
        let answer = bad_callback(&auth, &[("accept-language", accept)]);
        assert!(answer.body.contains(&format!("<html lang=\"{language}\"")), "{accept}");
        assert!(answer.body.contains(&format!("<h1>{title}</h1>")), "{accept}");
    }
}

#[test]
fn a_page_has_the_sites_name_logo_colours_and_words_all_escaped() {
    let auth = enhanced(json!({"pages": {
        "name": "Ac<me> & Co", "logo": "data:image/svg+xml,<svg onload=\"x\">", "colours": {"accent": "#bada55"},
        "languages": ["nl", "de"],
        "texts": {
            "nl": {"sign-in-issue": {"title": "Mislukt <b>"}, "callback-invalid": {"message": "Zo niet."}},
            "de": {"sign-in-issue": {"link": "Weiter"}}
        }
    }}));
    let answer = bad_callback(&auth, &[("accept-language", "fr")]);
    for part in [
        "<html lang=\"nl\"",
        "<h1>Mislukt &lt;b&gt;</h1>",
        "<p>Zo niet.</p>",
        ">Try again</a>",
        "Ac&lt;me&gt; &amp; Co</div>",
        "src=\"data:image/svg+xml,&lt;svg onload=&quot;x&quot;&gt;\"",
        "--accent:#bada55;",
    ] {
        assert!(answer.body.contains(part), "{part}\n{}", answer.body);
    }
    assert!(
        answer
            .headers
            .first("content-security-policy")
            .unwrap()
            .contains("img-src data:;")
    );
    let german = bad_callback(&auth, &[("accept-language", "de")]);
    assert!(german.body.contains(">Weiter</a>") && german.body.contains("Anmeldung nicht gelungen"));
}

#[test]
fn the_request_id_stands_on_the_page() {
    let answer = bad_callback(&enhanced(json!({})), &[("x-request-id", "<id>")]);
    assert!(answer.body.contains("Request: <code>&lt;id&gt;</code>"));
}

#[test]
fn settings_of_pages_that_cannot_work_are_refused_each_with_its_key() {
    let problems = |pages: Value| {
        let all = config(json!({"profile": "enhanced", "enhancements": {"pages": pages}}));
        let json = Json::parse(all.to_string().as_bytes()).unwrap();
        let error = Config::from_json(&json).err().unwrap();
        error
            .problems
            .into_iter()
            .map(|problem| problem.path)
            .collect::<Vec<_>>()
    };
    for (pages, path) in [
        (json!("x"), "enhancements.pages"),
        (json!({"nme": "x"}), "enhancements.pages.nme"),
        (json!({"name": 5}), "enhancements.pages.name"),
        (
            json!({"logo": "https://cdn.example/logo.png"}),
            "enhancements.pages.logo",
        ),
        (json!({"logo": "//cdn.example/logo.png"}), "enhancements.pages.logo"),
        (
            json!({"colours": {"accent": "red;}body{x"}}),
            "enhancements.pages.colours.accent",
        ),
        (
            json!({"colours": {"dark": {"ink": "red"}}}),
            "enhancements.pages.colours.dark.ink",
        ),
        (json!({"languages": ["tlh"]}), "enhancements.pages.languages"),
        (
            json!({"texts": {"en": {"Sign In": {}}}}),
            "enhancements.pages.texts.en.Sign In",
        ),
        (
            json!({"texts": {"en": {"signed-out": {"titel": "x"}}}}),
            "enhancements.pages.texts.en.signed-out.titel",
        ),
    ] {
        assert_eq!(problems(pages.clone()), [path], "{pages}");
    }
}

#[test]
fn switched_off_the_pages_are_the_references_and_the_status_is_200() {
    let plain = bad_callback(&enhanced(json!({"pages": false})), &[("accept-language", "de")]);
    assert_eq!(plain.status, 400);
    assert!(plain.body.contains("<html lang=\"en\" data-page=\"sign-in-issue\""));
    let always_200 = bad_callback(&enhanced(json!({"statusCodes": false})), &[]);
    assert_eq!(always_200.status, 200);
}

#[test]
fn the_signed_out_page_is_public_and_leads_back_by_a_click() {
    let auth = enhanced(json!({}));
    let answer = Browser::default().navigate(&auth, "/_portcullis/signed-out", NOW);
    assert_eq!((answer.status, answer.reason), (200, Reason::SignedOut));
    assert!(answer.body.contains("href=\"https://site.example/\""));
    assert!(answer.headers.first("location").is_none());
}

#[test]
fn each_kind_of_page_reads_well_in_every_language() {
    let auth = enhanced(json!({}));
    let mut bodies = Vec::new();
    for language in ["en", "de", "fr", "es"] {
        let fields = [NAVIGATION, &[("accept-language", language)]].concat();
        for target in ["/_portcullis/signed-out", "/parseauth?code=c&state=a&state=b"] {
            let answer = response(Browser::default().ask(&auth, "GET", target, &fields, NOW));
            bodies.push(answer.body.split_once("<body>").unwrap().1.to_owned());
        }
    }
    insta::assert_snapshot!(bodies.join("\n"));
}

#[test]
fn tokens_that_come_late_or_early_name_the_clock() {
    let auth = enhanced(json!({}));
    let mut browser = Browser::default();
    let sent = browser.navigate(&auth, "/", NOW);
    let answer = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({"exp": 1})), NOW);
    assert_eq!((answer.status, answer.reason), (502, Reason::ClockSkew));
    assert!(answer.body.contains("clock"));
}
