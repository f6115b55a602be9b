//! An OpenID provider other than Cognito, found by what it says of itself.

use std::sync::{Arc, Mutex};

use dev_idp::Endpoint;
use serde_json::{Value, json};

use crate::support::{
    browser::Browser,
    http::Request,
    origin::{Answer, CONTENT, Origin},
    process::{Process, Signal},
    site::{ALICE, CLIENT, HOST, Plan, Site},
};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Where the issuer's document is; the provider it describes is elsewhere.
#[derive(Clone)]
struct Issuer {
    origin: Origin,
    answer: Arc<Mutex<Answer>>,
}

impl Issuer {
    fn new() -> Self {
        let answer = Arc::new(Mutex::new(Answer::with("503 Service Unavailable", &[], "")));
        let given = Arc::clone(&answer);
        let origin = Origin::start(move |asked| match asked.target() {
            WELL_KNOWN => given.lock().unwrap().clone(),
            _ => Answer::with("404 Not Found", &[], ""),
        });
        Self { origin, answer }
    }

    fn url(&self) -> String {
        self.origin.url()
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn says(&self, document: &Value) {
        let json = [("Content-Type", "application/json")];
        self.answers(Answer::with("200 OK", &json, &document.to_string()));
    }

    fn document(&self, idp: &str) -> Value {
        json!({
            "issuer": self.url(),
            "authorization_endpoint": format!("{idp}/oauth2/authorize"),
            "token_endpoint": format!("{idp}/oauth2/token"),
            "jwks_uri": format!("{idp}/.well-known/jwks.json"),
            "revocation_endpoint": format!("{idp}/oauth2/revoke"),
            "end_session_endpoint": format!("{idp}/end"),
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        })
    }
}

/// A site of that issuer; `said` changes its document.
fn plan(issuer: &Issuer, said: impl FnOnce(&mut Value) + 'static) -> Plan {
    let (url, theirs) = (issuer.url(), issuer.clone());
    Plan::directory()
        .auth("profile", "enhanced")
        .auth("userPoolArn", Value::Null)
        .auth("cognitoAuthDomain", Value::Null)
        .auth("jwksUri", Value::Null)
        .auth("jwks", Value::Null)
        .auth(
            "enhancements",
            json!({ "oidc": { "issuer": url, "groupsClaim": "cognito:groups" } }),
        )
        .provider(move |provider| provider.issuer = Some(url))
        .once_provided(move |idp| {
            let mut document = theirs.document(&idp.url());
            said(&mut document);
            theirs.says(&document);
        })
}

fn signed_in(site: &Site) -> Browser {
    let mut browser = Browser::new();
    let page = browser.sign_in(&site.url("/page.html?a=%20b"), ALICE.0, ALICE.1);
    assert!(page.text().contains(CONTENT), "{page:?}");
    assert_eq!(browser.here().target, "/page.html?a=%20b");
    browser
}

#[test]
fn a_viewer_signs_in_is_renewed_and_signs_out_at_endpoints_that_were_discovered() {
    let issuer = Issuer::new();
    let rules = json!({
        "oidc": { "issuer": issuer.url(), "groupsClaim": "cognito:groups" },
        "rules": [{ "require": { "groups": ["readers"] } }],
    });
    let site = plan(&issuer, |_| {}).auth("enhancements", rules).start();
    assert_eq!(issuer.origin.asked().len(), 1);
    let mut browser = signed_in(&site);
    // One sealed cookie (`__Host-` needs https), and nothing of the provider's in it.
    let names = browser.names(HOST);
    assert!(names.contains(&"portcullis"), "{names:?}");
    assert!(names.iter().all(|name| !name.contains("Token")), "{names:?}");
    let cookies = browser.cookie_header(&browser.here());
    let renewal = Request::new("POST", "/_portcullis/refresh")
        .header("Cookie", cookies)
        .header("Sec-Fetch-Site", "same-origin");
    let renewed = site.ask(&renewal);
    assert_eq!(renewed.status, 204, "{renewed:?}");
    assert_eq!(site.idp.requests().count(Endpoint::Token), 2);
    let out = browser.get(&site.url("/signout"));
    assert_eq!(out.status, 302);
    let expected = format!("{}/end?post_logout_redirect_uri=http%3A%2F%2F", site.idp.url());
    assert!(out.location().starts_with(&expected), "{}", out.location());
    assert!(
        out.location().ends_with(&format!("&client_id={CLIENT}")),
        "{}",
        out.location()
    );
    assert_eq!(site.idp.requests().count(Endpoint::Revoke), 1);
    assert!(!browser.names(HOST).contains(&"portcullis"));
    // No request asked for the document again.
    assert_eq!(issuer.origin.asked().len(), 1);
}

#[test]
fn a_client_with_a_secret_proves_itself_in_the_body_where_only_that_is_offered() {
    let issuer = Issuer::new();
    let only_post = |document: &mut Value| {
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    };
    let site = plan(&issuer, only_post).confidential().start();
    signed_in(&site);
}

/// The document of a start that fails, and what is said of it.
fn refused(answer: impl FnOnce(&Issuer) -> Answer) -> (Option<i32>, String, String) {
    let issuer = Issuer::new();
    let (file, _folder, _idp) = plan(&issuer, |_| {}).write_only();
    issuer.answers(answer(&issuer));
    let mut process = Process::run(&file, &[]);
    let code = process.end().code();
    (code, process.err(), issuer.url())
}

fn document(change: impl FnOnce(&mut Value)) -> impl FnOnce(&Issuer) -> Answer {
    |issuer| {
        let mut document = issuer.document("https://id.example");
        change(&mut document);
        Answer::with("200 OK", &[], &document.to_string())
    }
}

#[test]
fn a_provider_that_says_nothing_usable_stops_the_start_and_the_reason_is_told() {
    let status = |status: &'static str| move |_: &Issuer| Answer::with(status, &[("Location", "/elsewhere")], "");
    let wrong = [
        (refused(status("404 Not Found")), 1, "status 404"),
        (refused(status("302 Found")), 1, "status 302"),
        (refused(|_| Answer::Last(b"SSH-2.0\r\n".to_vec())), 1, "broken exchange"),
        (refused(|_| Answer::Stream(1 << 20)), 1, "reply body too large"),
        (refused(|_| Answer::ok("<html>")), 78, "it is not a JSON object"),
        (
            refused(document(|document| document["issuer"] = json!("https://evil.example"))),
            78,
            "it is about the issuer \"https://evil.example\", not",
        ),
        (
            refused(document(|document| {
                document["code_challenge_methods_supported"] = json!(["plain"]);
            })),
            78,
            "code_challenge_methods_supported does not have S256",
        ),
        (
            refused(document(|document| {
                document["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]);
            })),
            78,
            "id_token_signing_alg_values_supported does not have RS256",
        ),
        (
            refused(document(|document| {
                document.as_object_mut().unwrap().remove("jwks_uri");
            })),
            78,
            "enhancements.oidc.jwksUri: found nothing",
        ),
        (
            refused(document(|document| {
                document["token_endpoint"] = json!("http://id.example/token")
            })),
            78,
            "enhancements.oidc.tokenEndpoint: found \"http://id.example/token\"",
        ),
        (
            refused(document(|document| document["jwks_uri"] = json!("file:///etc/passwd"))),
            78,
            "enhancements.oidc.jwksUri: found",
        ),
    ];
    for ((code, told, url), expected_code, expected) in wrong {
        assert_eq!(code, Some(expected_code), "{told}");
        assert!(told.contains(expected), "{expected}: {told}");
        assert!(told.contains(&format!("{url}{WELL_KNOWN}")), "{told}");
    }
}

#[test]
fn a_reload_asks_again_and_a_provider_that_does_not_answer_changes_nothing() {
    let issuer = Issuer::new();
    let mut site = plan(&issuer, |_| {}).start();
    let browser = signed_in(&site);
    let cookies = browser.cookie_header(&browser.here());
    issuer.answers(Answer::with("500 Internal Server Error", &[], ""));
    site.process.signal(Signal::HangUp);
    let told = site
        .process
        .messages(1, "not reloaded, the configuration before stays in force");
    let problem = told[0]["problem"].as_str().unwrap();
    assert!(
        problem.contains(&issuer.url()) && problem.ends_with("status 500"),
        "{problem}"
    );
    assert_eq!(site.get("/page.html", &cookies).status, 200);
    let elsewhere = issuer.document("http://127.0.0.1:9");
    issuer.says(&elsewhere);
    site.reload(|_| {});
    let sent = site.get("/page.html", "");
    assert!(
        sent.location().starts_with("http://127.0.0.1:9/oauth2/authorize?"),
        "{}",
        sent.location()
    );
    assert_eq!(site.get("/page.html", &cookies).status, 200, "sessions go on");
}

#[test]
fn what_is_written_down_is_not_asked_for() {
    let issuer = Issuer::new();
    let url = issuer.url();
    let plan = plan(&issuer, |_| {});
    let written = json!({ "oidc": {
        "issuer": url,
        "authorizationEndpoint": "https://id.example/authorize",
        "tokenEndpoint": "https://id.example/token",
        "jwksUri": "https://id.example/jwks",
    }});
    let site = plan.auth("enhancements", written).start();
    let sent = site.get("/", "");
    assert!(
        sent.location().starts_with("https://id.example/authorize?"),
        "{}",
        sent.location()
    );
    assert!(issuer.origin.asked().is_empty());
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut process = Process::start(arguments, &[]);
    let code = process.end().code();
    (code, process.out(), process.err())
}

#[test]
fn check_and_explain_ask_nobody_unless_they_are_told_to() {
    let issuer = Issuer::new();
    let (file, _folder, idp) = plan(&issuer, |_| {}).write_only();
    let config = file.to_str().unwrap();
    let (code, shown, _) = run(&["check", "--config", config]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains(&issuer.url()) && !shown.contains("tokenEndpoint"),
        "{shown}"
    );
    let url = format!("http://{HOST}/");
    let (code, shown, _) = run(&["explain", "--config", config, "GET", &url]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains(&format!("{}{WELL_KNOWN}; not asked without --online", issuer.url())),
        "{shown}"
    );
    assert!(shown.contains("undiscovered.invalid"), "{shown}");
    assert!(issuer.origin.asked().is_empty());

    let (code, shown, told) = run(&["check", "--online", "--config", config]);
    assert_eq!(code, Some(0), "{told}");
    let token = format!("tokenEndpoint = \"{}/oauth2/token\"", idp.url());
    assert!(shown.contains(&token), "{shown}");
    let (_, shown, _) = run(&["explain", "--online", "--config", config, "GET", &url]);
    assert!(shown.contains(&format!("{}/oauth2/authorize", idp.url())), "{shown}");
    assert_eq!(issuer.origin.asked().len(), 2);

    issuer.answers(Answer::with("404 Not Found", &[], ""));
    let (code, _, told) = run(&["check", "--online", "--config", config]);
    assert_eq!(code, Some(78));
    assert!(
        told.contains("sites[0].auth.enhancements.oidc: found fetch http"),
        "{told}"
    );
    assert!(told.contains("status 404"), "{told}");
}

#[test]
fn all_else_is_checked_before_anybody_is_asked() {
    let issuer = Issuer::new();
    let settings = json!({ "oidc": { "issuer": issuer.url(), "tokenEndpont": "x" }, "parallelSignIns": false });
    let (file, _folder, _idp) = plan(&issuer, |_| {}).auth("enhancements", settings).write_only();
    let (code, _, told) = run(&["check", "--online", "--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    for problem in [
        "did you mean tokenEndpoint?",
        "enhancements.parallelSignIns: found false",
    ] {
        assert!(told.contains(problem), "{told}");
    }
    assert!(!told.contains("undiscovered"), "{told}");
    assert!(issuer.origin.asked().is_empty());
}

/// The edge finds nothing out, and neither does what is its equal.
#[test]
fn in_edge_parity_the_endpoints_have_to_be_written_down() {
    let issuer = Issuer::new();
    let (file, _folder, _idp) = plan(&issuer, |_| {}).site("edge_parity", true).write_only();
    let (code, _, told) = run(&["check", "--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    assert!(
        told.contains("enhancements.oidc.tokenEndpoint: found nothing"),
        "{told}"
    );
    assert!(issuer.origin.asked().is_empty());
}
