//! `portcullis explain`, from outside.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{parity::drive::passing_vector, support::process::Process};

const HOST: &str = "https://d111111abcdef8.cloudfront.net";

/// A configuration with the auth of the vectors, and the session of one.
struct Desk {
    folder: TempDir,
    cookie: String,
    at: String,
}

impl Desk {
    fn new(site: Value) -> Self {
        let vector = passing_vector();
        let fields = vector.cf()["request"]["headers"]["cookie"].as_array().unwrap().clone();
        let cookies: Vec<&str> = fields.iter().map(|field| field["value"].as_str().unwrap()).collect();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("configuration.json"), vector.config.get()).unwrap();
        let mut entry = json!({
            "hosts": ["d111111abcdef8.cloudfront.net"],
            "default_root_object": "index.html",
            "auth": { "file": "configuration.json", "profile": "reference" },
            "origin": { "kind": "directory", "root": folder.path() },
        });
        for (key, value) in site.as_object().unwrap() {
            entry[key] = value.clone();
        }
        let config = json!({ "listen": { "http": ["127.0.0.1:0"] }, "sites": [entry] });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        Self {
            folder,
            cookie: cookies.join("; "),
            at: vector.now.to_string(),
        }
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let config = self.folder.path().join("config.json");
        let mut all = vec!["explain", "--config", config.to_str().unwrap(), "--at", &self.at];
        all.extend(arguments);
        let mut process = Process::start(&all, &[]);
        let code = process.end().code();
        (code, process.output())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let (code, output) = self.run(&all);
        assert_eq!(code, Some(0), "{output}");
        serde_json::from_str(&output).unwrap()
    }
}

fn steps(explained: &Value) -> Vec<String> {
    let steps = explained["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let detail = step["detail"].as_str().unwrap().split(':').next().unwrap();
            format!(
                "{} {} {detail}",
                step["step"].as_str().unwrap(),
                step["outcome"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_session_that_passes_is_explained_check_by_check() {
    let desk = Desk::new(json!({}));
    let explained = desk.json(&["GET", &format!("{HOST}/a"), "--cookie", &desk.cookie]);
    assert_eq!(explained["decision"]["kind"], "forward");
    assert_eq!(explained["decision"]["reason"], "session-verified");
    let steps = steps(&explained);
    assert_eq!(
        &steps[..4],
        [
            "host found d111111abcdef8.cloudfront.net",
            "path right /a has one reading",
            "behaviour found default",
            "endpoint found protected",
        ]
    );
    let checks = [
        "form",
        "issuer",
        "key",
        "signature",
        "expiry",
        "start",
        "group",
        "use",
        "audience",
    ];
    assert_eq!(&steps[5..], checks.map(|check| format!("token right {check}")));
}

#[test]
fn the_check_that_failed_is_the_last_one_shown() {
    let desk = Desk::new(json!({}));
    let broken = desk.cookie.replace("idToken=ey", "idToken=xx");
    let explained = desk.json(&["GET", &format!("{HOST}/a"), "--cookie", &broken]);
    assert_eq!(explained["decision"]["reason"], "token-malformed");
    assert_eq!(explained["decision"]["status"], 307);
    assert_eq!(steps(&explained).last().unwrap(), "token wrong form");
}

/// T-LEAK-3
#[test]
fn no_secret_is_shown() {
    let desk = Desk::new(json!({}));
    for url in [
        "/a",
        "/parseauth?code=hunter2&state=hunter2",
        "/refreshauth?nonce=hunter2",
        "/signout",
    ] {
        for format in ["text", "json"] {
            let (_, output) = desk.run(&[
                "--format",
                format,
                "GET",
                &format!("{HOST}{url}"),
                "--cookie",
                &desk.cookie,
            ]);
            assert!(!output.contains("hunter2") && !output.contains("eyJ"), "{output}");
        }
        let (_, output) = desk.run(&["GET", &format!("{HOST}{url}")]);
        assert!(!output.contains("hunter2") && !output.contains("eyJ"), "{output}");
    }
}

#[test]
fn claims_are_judged_as_if_they_were_signed() {
    let desk = Desk::new(json!({}));
    let config: Value = serde_json::from_str(passing_vector().config.get()).unwrap();
    let pool = config["userPoolArn"].as_str().unwrap().split('/').nth(1).unwrap();
    let region = pool.split('_').next().unwrap();
    let mut claims = json!({
        "iss": format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
        "aud": config["clientId"], "token_use": "id",
    });
    let file = desk.folder.path().join("claims.json");
    let mut judge = |key: &str, value: Value| {
        claims[key] = value;
        std::fs::write(&file, claims.to_string()).unwrap();
        let explained = desk.json(&["GET", &format!("{HOST}/a"), "--claims", file.to_str().unwrap()]);
        explained["decision"]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(judge("email", json!("a@example.com")), "session-verified");
    assert_eq!(judge("aud", json!("another")), "token-audience");
    assert_eq!(judge("exp", json!(1)), "session-expired");
    assert_eq!(judge("iss", json!("https://evil.example")), "token-issuer");
}

#[test]
fn a_call_is_named_and_not_made() {
    let desk = Desk::new(json!({}));
    let id_token = desk.cookie.split("idToken=").nth(1).unwrap().split(';').next().unwrap();
    let (header, rest) = id_token.split_once('.').unwrap();
    assert!(!header.is_empty());
    // A token whose key nobody knows, from the right issuer.
    let unknown = "eyJhbGciOiJSUzI1NiIsImtpZCI6Im5ldyJ9";
    let cookie = desk.cookie.replace(id_token, &format!("{unknown}.{rest}"));
    let explained = desk.json(&["GET", &format!("{HOST}/a"), "--cookie", &cookie]);
    assert_eq!(explained["decision"], json!({ "kind": "call", "purpose": "jwks" }));
}

#[test]
fn what_is_refused_before_any_decision_is_said_to_be() {
    let desk = Desk::new(json!({}));
    let decision = |method: &str, url: &str| desk.json(&[method, url])["decision"].clone();
    assert_eq!(decision("GET", "https://other.example/")["status"], 421);
    assert_eq!(decision("GET", &format!("{HOST}/a%2fb"))["status"], 400);
    let edge = Desk::new(json!({ "edge_parity": true }));
    assert_eq!(edge.json(&["POST", &format!("{HOST}/a")])["decision"]["status"], 403);
    assert_eq!(edge.json(&["GET", &format!("{HOST}/a%2fb")])["decision"]["status"], 307);
    let redirecting = Desk::new(json!({ "redirect_http_to_https": true }));
    let plain = redirecting.json(&["GET", "http://d111111abcdef8.cloudfront.net/a"]);
    assert_eq!(
        (&plain["decision"]["status"], &plain["decision"]["reason"]),
        (&json!(301), &json!("https"))
    );
    let passing = edge.json(&["GET", &format!("{HOST}/a%2fb"), "--cookie", &edge.cookie]);
    assert_eq!(passing["decision"]["status"], 400);
}

#[test]
fn what_is_no_request_is_wrong_usage() {
    let desk = Desk::new(json!({}));
    for arguments in [
        &["GET", "d111111abcdef8.cloudfront.net/a"][..],
        &["G T", "https://a/"],
        &["GET", "https://a/", "--header", "nothing"],
        &["GET", "https://a/", "--claims", "/nonexistent.json"],
    ] {
        assert_eq!(desk.run(arguments).0, Some(2), "{arguments:?}");
    }
}
