//! `portcullis demo`: everything in one process, for scripts and people.

use serde_json::Value;

use crate::support::{
    browser::Browser,
    process::{Process, Signal},
};

const FREE: [&str; 5] = [
    "demo",
    "--listen=127.0.0.1:0",
    "--admin=127.0.0.1:0",
    "--idp=127.0.0.1:0",
    "--json",
];

/// A demo on free ports, and what it says of itself.
fn start() -> (Process, Value) {
    let process = Process::start(&FREE, &[]);
    let line = process.first_line();
    let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    (process, said)
}

#[test]
fn the_demo_can_be_signed_in_to_and_stops_when_told() {
    let (mut process, said) = start();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let url = text(&said["url"]);
    assert_eq!(said["pid"], process.id());
    for user in said["users"].as_array().unwrap() {
        let mut browser = Browser::new();
        let page = browser.sign_in(&format!("{url}/"), &text(&user["username"]), &text(&user["password"]));
        assert_eq!(page.status, 200);
        assert!(page.text().contains("<script type=\"module\""), "{}", page.text());
        assert!(browser.cookie(".idToken").is_some_and(|kept| !kept.http_only));
        for target in [
            "/static.html",
            "/assets/app.js",
            "/assets/style.css",
            "/favicon.svg",
            "/data/tide.json",
        ] {
            assert_eq!(browser.get(&format!("{url}{target}")).status, 200, "{target}");
        }
        assert_eq!(browser.get(&format!("{url}/no-such-file")).status, 404);
    }
    let stranger = Browser::new().get(&format!("{url}/static.html"));
    assert_eq!(stranger.status, 302);
    let metrics = Browser::new().get(&format!("{}/metrics", text(&said["admin"])));
    assert!(metrics.text().contains("portcullis_logins_total"));
    process.signal(Signal::Interrupt);
    assert_eq!(process.end().code(), Some(0), "{}", process.output());
    // Its page reads the tokens, which is what the warning is about.
    let said = process.err();
    assert!(said.lines().all(|line| line.contains("can read the tokens")), "{said}");
}

#[test]
fn a_taken_port_is_told_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for flag in ["--listen", "--admin", "--idp"] {
        let mut arguments = vec![format!("{flag}={address}")];
        for other in ["--listen", "--admin", "--idp"].iter().filter(|other| **other != flag) {
            arguments.push(format!("{other}=127.0.0.1:0"));
        }
        let arguments: Vec<&str> = std::iter::once("demo")
            .chain(arguments.iter().map(String::as_str))
            .collect();
        let mut process = Process::start(&arguments, &[]);
        assert_eq!(process.end().code(), Some(1), "{flag}: {}", process.output());
        let said = process.err();
        assert!(
            said.contains(flag) && said.contains(&address.port().to_string()),
            "{said}"
        );
    }
}

#[test]
fn the_demo_serves_this_machine_alone() {
    let mut process = Process::start(&["demo", "--listen=192.0.2.1:8080"], &[]);
    assert_ne!(process.end().code(), Some(0));
    assert!(process.err().contains("192.0.2.1"), "{}", process.err());
}
