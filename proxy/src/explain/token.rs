//! The checks on an id token, in their order, as far as they got.

use auth_core::Reason;

use super::{Explanation, explanation::Outcome};

/// Where the token is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The viewer's cookies.
    Cookie,
    /// Claims that were given, taken to be rightly signed.
    Claims,
}

/// In the order that decides which answer is given.
const CHECKS: [(&str, &str); 9] = [
    ("form", "three parts, JSON, claims of the right types"),
    ("issuer", "`iss` is the user pool"),
    ("key", "the key that it names is known and fit"),
    ("signature", "made with that key"),
    ("expiry", "`exp` has not passed"),
    ("start", "`nbf` has come"),
    ("group", "in the required group"),
    ("use", "it is an id token (`token_use`)"),
    ("audience", "`aud` is our client"),
];

/// The check that failed; `None`: there was no token to check. Past the last one: all were passed.
const fn failed(reason: Reason) -> Option<usize> {
    Some(match reason {
        Reason::TokenMalformed => 0,
        Reason::TokenIssuer => 1,
        Reason::TokenKey => 2,
        Reason::TokenSignature => 3,
        Reason::SessionExpired | Reason::SessionNotRefreshable => 4,
        Reason::TokenNotYetValid => 5,
        Reason::GroupRequired => 6,
        Reason::TokenUse => 7,
        Reason::TokenAudience => 8,
        Reason::SessionKnown | Reason::SessionVerified => CHECKS.len(),
        _ => return None,
    })
}

/// Adds a step for each check that was made.
pub(super) fn explain(explanation: &mut Explanation, reason: Reason, source: Source) {
    match reason {
        Reason::BearerKnown | Reason::BearerVerified => {
            return explanation.step("token", Outcome::Right, "a good bearer token");
        }
        Reason::AuthorizationRepeated => {
            return explanation.step("token", Outcome::Wrong, "several Authorization headers");
        }
        Reason::TokenExpired => return explanation.step("token", Outcome::Wrong, "the bearer token has expired"),
        _ => {}
    }
    let Some(end) = failed(reason) else {
        explanation.step("token", Outcome::Absent, "no id token cookie of this client");
        return;
    };
    for (index, (name, meaning)) in CHECKS.iter().enumerate() {
        if source == Source::Claims && matches!(*name, "form" | "key" | "signature") {
            continue;
        }
        let outcome = match index.cmp(&end) {
            std::cmp::Ordering::Less => Outcome::Right,
            std::cmp::Ordering::Equal => Outcome::Wrong,
            std::cmp::Ordering::Greater => return,
        };
        explanation.step("token", outcome, format!("{name}: {meaning}"));
    }
}
