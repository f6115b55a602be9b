//! Who may see what: ordered rules, the first that fits a request holds, and what none fits is denied.

use crate::{Request, jwt::IdToken};

/// The rules in force.
#[derive(Clone, Debug)]
pub(crate) struct Rules(Vec<Rule>);

/// What one rule asks of a viewer.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// Any valid session.
    SignedIn,
}

/// What the rules say of a request before anything is known of its viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Demand<'r> {
    /// The viewer has to have a session that satisfies this rule.
    Session(&'r Rule),
    /// Nobody may.
    Nobody,
}

impl Rules {
    /// Whoever has a session may see everything.
    pub(crate) fn read() -> Self {
        Self(vec![Rule::SignedIn])
    }

    /// What the first rule that fits the request asks for. `/_portcullis/` is never subject to it.
    pub(crate) fn demand(&self, _request: &Request<'_>) -> Demand<'_> {
        self.0.first().map_or(Demand::Nobody, Demand::Session)
    }
}

impl Rule {
    /// Whether the holder of this token may pass.
    pub(crate) const fn admits(&self, _token: &IdToken) -> bool {
        match self {
            Self::SignedIn => true,
        }
    }
}
