//! `portcullis replay`, from outside. The edge package is a stand-in that says what the test tells it to; that the
//! real one agrees is for `.ci/run`, where it has been built.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{parity, support::process::Process};

/// Speaks the Runtime API; gives the result beside it, whatever the event is.
const STAND_IN: &str = r#"#!/usr/bin/env python3
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
api.request("GET", "/2018-06-01/runtime/invocation/next")
event = api.getresponse()
event.read()
here = os.path.dirname(os.path.abspath(__file__))
result = open(os.path.join(here, os.environ["_HANDLER"] + ".json"), "rb").read()
path = "/2018-06-01/runtime/invocation/%s/response" % event.headers["Lambda-Runtime-Aws-Request-Id"]
api.request("POST", path, result)
api.getresponse().read()
"#;

/// A configuration of the vectors, a recorded request, and a stand-in for the package.
struct Desk(TempDir);

impl Desk {
    fn new(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
        file("configuration.json", config);
        let settings = json!({
            "listen": { "http": ["127.0.0.1:0"] },
            "sites": [{
                "hosts": ["d111111abcdef8.cloudfront.net"],
                "edge_parity": true,
                "auth": { "file": "configuration.json" },
                "origin": { "kind": "directory", "root": folder.path() },
            }],
        });
        file("config.json", &settings.to_string());
        file("bootstrap", STAND_IN);
        let program = folder.path().join("bootstrap");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// What the edge function of that name is to answer.
    fn edge(&self, role: &str, result: &Value) -> &Self {
        fs::write(self.0.path().join(format!("{role}.handler.json")), result.to_string()).unwrap();
        self
    }

    fn replay(&self, recorded: &str) -> (Option<i32>, String) {
        let file = self.0.path().join("recorded");
        fs::write(&file, recorded).unwrap();
        let path = |name: &str| self.0.path().join(name).to_str().unwrap().to_owned();
        let arguments = [
            "replay",
            &path("recorded"),
            "--edge",
            &path("."),
            "--config",
            &path("config.json"),
        ];
        let variables = [("PATH".to_owned(), std::env::var("PATH").unwrap())];
        let mut process = Process::start(&arguments, &variables);
        let code = process.end().code();
        (code, process.output())
    }
}

/// Signing out has no random parts, so that the recorded answer can be given as it is.
fn sign_out() -> (String, Value, Value) {
    let vectors = parity::load("sign-out").into_iter();
    let mut redirects = vectors.filter(|(_, _, _, expected)| expected["status"] == "307");
    let (_, config, event, expected) = redirects.next().unwrap();
    (config, event, expected)
}

#[test]
fn equal_answers_are_shown_without_secrets() {
    let (config, event, expected) = sign_out();
    let desk = Desk::new(&config);
    let (code, output) = desk.edge("sign-out", &expected).replay(&event.to_string());
    assert_eq!(code, Some(0), "{output}");
    assert!(
        output.contains("\nequal\n") && output.contains("edge: 307") && output.contains("proxy: 307"),
        "{output}"
    );
    assert!(!output.contains("eyJ"), "{output}");
}

#[test]
fn a_difference_is_named_and_is_a_failure() {
    let (config, event, mut expected) = sign_out();
    expected["headers"]["set-cookie"].as_array_mut().unwrap().pop();
    let desk = Desk::new(&config);
    let (code, output) = desk.edge("sign-out", &expected).replay(&event.to_string());
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("different: set-cookie: edge ["), "{output}");
}

#[test]
fn a_request_that_passes_is_followed_to_the_origin_and_back() {
    // A token that never expires: here the clock is the true one.
    let mut vectors = parity::load("check-auth").into_iter();
    let (_, config, event, _) = vectors.find(|(id, ..)| id == "check-auth/jwt/exp-missing").unwrap();
    let desk = Desk::new(&config);
    let headers = serde_json::from_str::<Value>(&config).unwrap()["httpHeaders"].clone();
    let mut shown = json!({ "content-type": [{ "key": "Content-Type", "value": "text/plain" }] });
    for (name, value) in headers.as_object().unwrap() {
        shown[name.to_lowercase()] = json!([{ "key": name, "value": value }]);
    }
    desk.edge("check-auth", &event["Records"][0]["cf"]["request"])
        .edge("http-headers", &json!({ "status": "200", "headers": shown }));
    let (code, output) = desk.replay(&event.to_string());
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(output.matches("the origin was asked for").count(), 2, "{output}");
}

#[test]
fn what_is_no_request_or_has_no_edge_is_neither_equal_nor_different() {
    let (config, event, _) = sign_out();
    let desk = Desk::new(&config);
    assert_eq!(desk.replay("{}").0, Some(65));
    assert_eq!(desk.replay("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n").0, Some(65));
    fs::remove_file(desk.0.path().join("bootstrap")).unwrap();
    assert_eq!(desk.replay(&event.to_string()).0, Some(69));
}
