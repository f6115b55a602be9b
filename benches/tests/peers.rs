//! One short turn of the comparison, with whatever peers this machine has.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at anything that is not as it should be"
)]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// Runs the comparison and reads its report.
fn peers(folder: &Path, arguments: &[&str]) -> (Value, String) {
    let (json, markdown) = (folder.join("report.json"), folder.join("report.md"));
    let output = Command::new(env!("CARGO_BIN_EXE_benches"))
        .args([
            "peers",
            "--turns",
            "1",
            "--requests",
            "40",
            "--connections",
            "4",
            "--patience",
            "0",
        ])
        .args(arguments)
        .arg("--json")
        .arg(&json)
        .arg("--markdown")
        .arg(&markdown)
        .env_remove("PORTCULLIS")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    (report, fs::read_to_string(markdown).unwrap())
}

/// The peers that a case has figures of.
fn measured<'a>(report: &'a Value, case: &str) -> Vec<&'a str> {
    let comparisons = report["comparisons"].as_array().unwrap();
    let comparison = comparisons
        .iter()
        .find(|comparison| comparison["case"] == case)
        .unwrap();
    let rows = comparison["rows"].as_array().unwrap();
    for row in rows {
        assert!(row["microseconds"]["median"].as_f64().unwrap() > 0.0, "{row}");
    }
    rows.iter().filter_map(|row| row["peer"].as_str()).collect()
}

#[test]
fn each_peer_is_measured_or_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let (report, markdown) = peers(folder.path(), &["--cases", "h1-1k,tls-100k,h2-1k,cache-100k"]);
    let left_out = report["left_out"].as_array().unwrap();
    for peer in left_out {
        let why = peer["why"].as_str().unwrap();
        assert!(why.contains("is not there: apt-get install"), "{peer}");
    }
    let missing = |peer: &str| left_out.iter().any(|left_out| left_out["peer"] == peer);
    for (case, expected) in [
        (
            "h1-1k",
            "portcullis portcullis-open-headers portcullis-open pingora nginx haproxy haproxy-jwt apache-oidc",
        ),
        (
            "tls-100k",
            "portcullis portcullis-open-headers portcullis-open pingora nginx haproxy haproxy-jwt apache-oidc",
        ),
        (
            "h2-1k",
            "portcullis portcullis-open-headers portcullis-open pingora nginx haproxy haproxy-jwt apache-oidc",
        ),
        (
            "cache-100k",
            "portcullis-cache portcullis-open-cache nginx-cache nginx-cache-no-sendfile varnish",
        ),
    ] {
        let expected: Vec<_> = expected.split(' ').filter(|peer| !missing(peer)).collect();
        assert_eq!(measured(&report, case), expected, "{case}: {report:#}");
    }
    assert!(
        markdown.contains("### portcullis\n") && markdown.contains("[[sites]]"),
        "{markdown}"
    );
}

#[test]
fn a_new_session_is_set_against_one_verification() {
    let folder = tempfile::tempdir().unwrap();
    let (report, markdown) = peers(folder.path(), &["--cases", "first-seen"]);
    for figure in ["ratio", "extra_ratio", "ratio_alone"] {
        assert!(report["first_seen"][figure]["median"].is_f64(), "{report:#}");
    }
    assert!(markdown.contains("one RS256 verification by ring"), "{markdown}");
}

#[test]
fn an_unknown_peer_is_refused_with_the_known_ones() {
    let output = Command::new(env!("CARGO_BIN_EXE_benches"))
        .args(["peers", "--only", "caddy"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("haproxy-jwt"));
}
