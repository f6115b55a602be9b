//! The harness as it is used: a short load on everything that it starts by itself.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is wrong"
)]

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

fn benches(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(arguments).env_remove("PORTCULLIS");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `load` and reads its report.
fn load(folder: &Path, arguments: &[&str]) -> (Output, Value) {
    let file = folder.join("report.json");
    let json = ["--json", file.to_str().unwrap(), "--origin", "built-in"];
    let output = benches(&[&["load"], arguments, &json].concat());
    let report = std::fs::read(&file).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output, serde_json::from_slice(&report).unwrap())
}

/// The growth of all series that begin so.
fn growth(report: &Value, beginning: &str) -> f64 {
    let metrics = report["metrics"].as_array().unwrap().iter();
    let fitting = metrics.filter(|change| change["series"].as_str().unwrap().starts_with(beginning));
    fitting.map(|change| change["difference"].as_f64().unwrap()).sum()
}

#[test]
fn a_closed_loop_asks_and_counts_each_kind() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let mix = "valid=4,anonymous=2,expired=1,large=1,distinct=2";
    let (output, report) = load(
        folder.path(),
        &[
            "--requests",
            "100",
            "--warm-up",
            "0s",
            "--connections",
            "4",
            "--mix",
            mix,
            "--sessions",
            "5",
            "--html",
            page.to_str().unwrap(),
        ],
    );
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let phase = &report["phases"][0];
    assert_eq!(phase["answers"], 100);
    assert_eq!(phase["wrong"], 0);
    assert_eq!(phase["statuses"]["200"], 70);
    let answers: Vec<&Value> = phase["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| &kind["answers"])
        .collect();
    assert_eq!(answers, [40, 20, 10, 10, 20]);
    assert!(phase["body_bytes"].as_u64().unwrap() >= 60 * 1_024 + 10 * 102_400);
    assert!(phase["latency_us"]["p99.9"].as_f64().unwrap() > 0.0);
    assert!(phase["cpu_us_per_request"].as_f64().unwrap() > 0.0);
    assert!(report["memory"]["moments"][0]["rss"].as_u64().unwrap() > 0);
    assert_eq!(growth(&report, "portcullis_requests_total{"), 100.0);
    assert!(text(&output.stdout).contains("200: 70, "));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && !page.contains("<script"));
}

#[test]
fn an_open_loop_goes_over_tls_and_http2() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = load(
        folder.path(),
        &[
            "--mode",
            "open",
            "--rate",
            "500",
            "--requests",
            "50",
            "--warm-up",
            "0s",
            "--connections",
            "2",
            "--streams",
            "3",
            "--tls",
            "--http2",
        ],
    );
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert_eq!(report["phases"][0]["statuses"], json!({ "200": 50 }));
    assert_eq!(report["setup"]["protocol"], "HTTP/2");
    // Two connections for everything.
    assert_eq!(report["phases"][0]["reconnections"], 0);
}

#[test]
fn an_unexpected_status_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = load(
        folder.path(),
        &[
            "--requests",
            "10",
            "--warm-up",
            "0s",
            "--connections",
            "1",
            "--path",
            "/missing",
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report["phases"][0]["statuses"], json!({ "404": 10 }));
    assert_eq!(report["phases"][0]["wrong"], 10);
    assert!(text(&output.stdout).contains("valid: 10 answered with an unexpected status"));
}

#[test]
fn idle_connections_stay_open() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = load(folder.path(), &["idle", "--connections", "20", "--silence", "0s"]);
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    for phase in report["phases"].as_array().unwrap() {
        assert_eq!(phase["answers"], 20);
        assert_eq!(phase["reconnections"], 0);
    }
    assert_eq!(report["goals"], json!([]), "goals are for their own sizes");
}

#[test]
fn each_session_is_shown_once_a_round() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = load(folder.path(), &["sessions", "--count", "20", "--connections", "3"]);
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let names: Vec<&Value> = report["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| &phase["name"])
        .collect();
    assert_eq!(names, ["one session", "first round", "second round"]);
    assert!(
        report["phases"]
            .as_array()
            .unwrap()
            .iter()
            .all(|phase| phase["answers"] == 20)
    );
}

#[test]
fn wrong_usage_is_told_apart_and_named() {
    for (arguments, named) in [
        (vec!["--mode", "open"], "--rate"),
        (vec!["--mix", "invalid=1"], "unknown kind"),
        (vec!["--duration", "5"], "no duration"),
        (vec!["--connections", "0"], "from 1 on"),
        (vec!["--cookie-file", "x"], "--url"),
    ] {
        let output = benches(&[&["load"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(named), "{}", text(&output.stderr));
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that is taken, but on which nobody listens.
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let output = benches(&["load", "--url", &url, "--mix", "anonymous=1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("connection refused"),
        "{}",
        text(&output.stderr)
    );
}
