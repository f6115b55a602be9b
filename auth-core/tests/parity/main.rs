//! The recorded behaviour of the reference, through `begin` and `resume` with each vector's clock.
//!
//! Every vector that is not exotic must be met. Of the exotic ones, those we do not follow are listed
//! with their number, so that a change on either side shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_types,
    reason = "a test reads files, and fails by panicking"
)]

mod compare;
mod relations;
mod replay;
#[expect(dead_code, reason = "the proxy's suite reads the same vectors, and more of them")]
mod vector;

use vector::Vector;

/// Runs every vector of a handler and names those that are not met.
fn unmet(handler: &str) -> (Vec<String>, Vec<String>) {
    let (mut required, mut exotic) = (Vec::new(), Vec::new());
    let vectors = Vector::load(handler);
    assert!(!vectors.is_empty());
    for vector in vectors {
        let differences = compare::differences(&vector, &replay::replay(&vector));
        if !differences.is_empty() {
            let list = if vector.is_exotic() { &mut exotic } else { &mut required };
            list.push(format!("{}\n    {}", vector.id, differences.join("\n    ")));
        }
    }
    (required, exotic)
}

fn assert_met(handler: &str, not_followed: &[&str]) {
    let (required, exotic) = unmet(handler);
    assert!(
        required.is_empty(),
        "{} vectors not met:\n{}",
        required.len(),
        required.join("\n")
    );
    let ids: Vec<&str> = exotic.iter().filter_map(|text| text.lines().next()).collect();
    assert_eq!(ids, not_followed, "{}", exotic.join("\n"));
}

#[test]
fn check_auth_answers_as_the_reference() {
    assert_met("check-auth", &[]);
}

#[test]
fn parse_auth_answers_as_the_reference() {
    assert_met("parse-auth", &[]);
}

#[test]
fn refresh_auth_answers_as_the_reference() {
    // A signature cookie that says `invalid_grant` is a bad signature to us, not a refused token.
    assert_met("refresh-auth", &["refresh-auth/nonce/hmac-cookie-says-invalid-grant"]);
}

#[test]
fn sign_out_answers_as_the_reference() {
    assert_met("sign-out", &[]);
}

#[test]
fn http_headers_answers_as_the_reference() {
    // Header values that are no strings are refused at start.
    assert_met(
        "http-headers",
        &["http-headers/number-value", "http-headers/null-value"],
    );
}

#[test]
fn rewrite_trailing_slash_answers_as_the_reference() {
    assert_met("rewrite-trailing-slash", &[]);
}
