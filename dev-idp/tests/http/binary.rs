use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::browser::{Browser, authorization, location};
use crate::client::Request;

fn dev_idp(args: &[&str]) -> Child {
    let program = env!("CARGO_BIN_EXE_dev-idp");
    Command::new(program)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ready_line(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    serde_json::from_str(&line).unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn the_command_serves_until_told_to_stop() {
    for stop in ["TERM", "INT"] {
        let mut child = dev_idp(&["--json", "--callback", "*", "--user", "alice:pa ss:readers,writers"]);
        let ready = ready_line(&mut child);
        assert_eq!(ready["pid"], child.id());
        let url = ready["url"].as_str().unwrap();
        assert_eq!(Request::get(format!("{url}/healthz")).send().await.text().await, "ok\n");
        assert_eq!(Request::get(ready["jwks"].as_str().unwrap()).send().await.status(), 200);
        assert_eq!(Request::post(format!("{url}/_dev/rotate")).send().await.status(), 404);

        let mut browser = Browser::at(url);
        let request = authorization(&[("client_id", "dev-client")]);
        let response = browser.sign_in(&request, "alice", "pa ss").await;
        assert!(location(&response).starts_with("https://app.example/parseauth?code="));

        signal(&child, stop);
        assert!(child.wait().unwrap().success(), "{stop}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let mut child = dev_idp(&["--listen", &addr, "--callback", "*", "--user", "a:b"]);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut message = String::new();
    child.stderr.unwrap().read_to_string(&mut message).unwrap();
    assert!(
        message.starts_with(&format!("dev-idp: cannot listen on {addr}: ")),
        "{message}"
    );
}

#[test]
fn a_user_without_a_password_is_refused() {
    let mut child = dev_idp(&["--callback", "*", "--user", "alice"]);
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
