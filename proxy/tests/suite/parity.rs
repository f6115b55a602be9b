//! Edge parity: the recorded behaviour of the reference, through a running proxy with `edge_parity = true`.
//!
//! The vectors are those that auth-core and the edge packages are held to. An event becomes an HTTP request, the
//! proxy's clock stands at the vector's time, the token endpoint answers over TLS as the vector says, and what comes
//! back is put into the form of a function's result and compared by the same rules as the core's. What cannot be an
//! HTTP request, and what differs on purpose, is listed below by id, so that a change on either side shows.

pub(crate) mod drive;
mod generated;
mod origin_requests;
mod token_endpoint;
mod translate;

#[path = "../../../auth-core/tests/parity/compare.rs"]
mod compare;
#[path = "../../../auth-core/tests/parity/relations.rs"]
mod relations;
#[path = "../../../auth-core/tests/parity/replay.rs"]
mod replay;
#[path = "../../../auth-core/tests/parity/vector.rs"]
mod vector;

use vector::Vector;

/// Vectors whose request no HTTP/1.1 request can be, and why.
const INEXPRESSIBLE: &[(&str, &str)] = &[
    ("check-auth/cookies/newline-not-trimmed", CONTROL_VALUE),
    ("check-auth/cookies/vertical-tab-not-trimmed", CONTROL_VALUE),
    ("check-auth/uri/refresh/unicode-raw", UNICODE_QUERY),
    ("check-auth/uri/sign-in/unicode-raw", UNICODE_QUERY),
    ("check-auth/uri/sign-in/reserved", FRAGMENT),
    ("check-auth/uri/sign-in/control-chars", CONTROL_TARGET),
    ("check-auth/uri/refresh/newline", CONTROL_TARGET),
    ("check-auth/uri/sign-in/newline", CONTROL_TARGET),
    ("check-auth/uri/sign-in/empty-uri", NO_SLASH),
    ("check-auth/uri/refresh/nul", CONTROL_TARGET),
    ("check-auth/uri/sign-in/nul", CONTROL_TARGET),
    ("parse-auth/query/code-unicode-raw", UNICODE_QUERY),
    ("parse-auth/query/code-raw-unicode-with-malformed", UNICODE_QUERY),
    ("parse-auth/query/code-raw-unicode-lossy", UNICODE_QUERY),
    ("parse-auth/query/code-raw-unicode-invalid-bytes", UNICODE_QUERY),
    ("refresh-auth/requested-uri/raw-unicode-lossy", UNICODE_QUERY),
    ("rewrite-trailing-slash/no-leading-slash", NO_SLASH),
];
const CONTROL_VALUE: &str = "a header value with a control character";
const CONTROL_TARGET: &str = "a target with a space or a control character";
const UNICODE_QUERY: &str = "a query with bytes outside of ASCII";
const FRAGMENT: &str = "a target with a number sign, which begins a fragment";
const NO_SLASH: &str = "a target that does not begin with a slash";

/// Vectors that the proxy does not follow, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("rewrite-trailing-slash/percent-slash", TWO_READINGS),
    ("rewrite-trailing-slash/dot-dir", TWO_READINGS),
];
const TWO_READINGS: &str = "a path with two readings is passed on to no origin";

/// Id, configuration, event and expected result of a handler's vectors, for others.
pub(crate) fn load(handler: &str) -> Vec<(String, String, serde_json::Value, serde_json::Value)> {
    let vectors = Vector::load(handler).into_iter();
    vectors
        .map(|vector| {
            let expected = vector.expect.result.unwrap_or_default();
            (vector.id, vector.config.get().to_owned(), vector.event, expected)
        })
        .collect()
}

fn play(handler: &str) {
    let vectors = Vector::load(handler);
    assert!(!vectors.is_empty());
    let listed = |list: &[(&str, &str)]| -> Vec<String> {
        let of_handler = list.iter().filter(|(id, _)| id.split('/').next() == Some(handler));
        of_handler.map(|(id, why)| format!("{id}: {why}")).collect()
    };
    let (mut inexpressible, mut expressible) = (Vec::new(), Vec::new());
    for vector in vectors {
        match translate::inexpressible(&vector) {
            Some(why) => inexpressible.push(format!("{}: {why}", vector.id)),
            None => expressible.push(vector),
        }
    }
    assert_eq!(inexpressible, listed(INEXPRESSIBLE));
    let played = drive::play(expressible);
    // What the core does not follow is listed with its own tests; here the two must agree.
    let unmet = played
        .iter()
        .filter(|played| !played.differences.is_empty() && played.core_follows);
    let (known, unknown): (Vec<_>, Vec<_>) = unmet.partition(|played| DIFFERENT.iter().any(|(id, _)| *id == played.id));
    let report: Vec<String> = unknown
        .iter()
        .map(|played| format!("{}\n    {}", played.id, played.differences.join("\n    ")))
        .collect();
    assert!(
        report.is_empty(),
        "{} vectors not met:\n{}",
        report.len(),
        report.join("\n")
    );
    assert_eq!(
        known.len(),
        listed(DIFFERENT).len(),
        "met by now: {:?}",
        listed(DIFFERENT)
    );
}

#[test]
fn check_auth_answers_as_at_the_edge() {
    play("check-auth");
}

#[test]
fn parse_auth_answers_as_at_the_edge() {
    play("parse-auth");
}

#[test]
fn refresh_auth_answers_as_at_the_edge() {
    play("refresh-auth");
}

#[test]
fn sign_out_answers_as_at_the_edge() {
    play("sign-out");
}

#[test]
fn http_headers_answers_as_at_the_edge() {
    play("http-headers");
}

#[test]
fn rewrite_trailing_slash_answers_as_at_the_edge() {
    play("rewrite-trailing-slash");
}
