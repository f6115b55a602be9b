//! What has been found out, for people and for programs.

use std::fmt::Write as _;

use auth_core::{Access, Decision, Reason};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::request::Posed;
use crate::{admission::Refusal, mask};

/// How a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Looked up.
    Found,
    /// Nothing to look at.
    Absent,
    /// A check that was passed.
    Right,
    /// A check that was not passed.
    Wrong,
    /// A call that was made.
    Made,
    /// Not done.
    Skipped,
}

impl Outcome {
    const fn mark(self) -> &'static str {
        match self {
            Self::Found | Self::Made => " ",
            Self::Absent | Self::Skipped => "-",
            Self::Right => "+",
            Self::Wrong => "!",
        }
    }
}

#[derive(Debug, Serialize)]
struct Step {
    step: &'static str,
    outcome: Outcome,
    detail: String,
}

/// The steps of a request, and what came out.
#[derive(Debug)]
pub(crate) struct Explanation {
    request: String,
    steps: Vec<Step>,
    decision: Value,
}

impl Explanation {
    pub(super) fn of(posed: &Posed) -> Self {
        Self {
            request: format!("{} {}", posed.header.method, mask::url(&posed.url)),
            steps: Vec::new(),
            decision: Value::Null,
        }
    }

    pub(super) fn step(&mut self, step: &'static str, outcome: Outcome, detail: impl Into<String>) {
        self.steps.push(Step {
            step,
            outcome,
            detail: detail.into(),
        });
    }

    /// Refused before anything is decided.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.step("admission", Outcome::Wrong, refusal.to_string());
        self.decision = json!({ "kind": "refuse", "status": refusal.status().as_u16(), "reason": refusal.label() });
    }

    pub(super) fn refused(mut self, refusal: Refusal) -> Self {
        self.refuse(refusal);
        self
    }

    pub(super) fn passes(mut self, reason: &str, detail: &str) -> Self {
        self.step("access", Outcome::Right, detail);
        self.decision = json!({ "kind": "forward", "reason": reason });
        self
    }

    /// Our own answer, after the decision.
    pub(super) fn answered(mut self, status: StatusCode, reason: &str, detail: &str) -> Self {
        self.step("answer", Outcome::Wrong, detail);
        self.decision = json!({ "kind": "refuse", "status": status.as_u16(), "reason": reason });
        self
    }

    /// The decision waits for a call that was not made.
    pub(super) fn waits(&mut self, purpose: &str) {
        self.decision = json!({ "kind": "call", "purpose": purpose });
    }

    /// What would be decided for a reason; the request itself did not bring it about.
    pub(super) fn supposed(&mut self, reason: Reason) {
        let kind = match reason {
            Reason::SessionVerified => "forward",
            _ => "respond",
        };
        self.decision = json!({ "kind": kind, "reason": reason.as_str() });
    }

    pub(super) fn decided(&mut self, decision: &Decision, path_is_ambiguous: bool) {
        let reason = decision.reason().as_str();
        self.decision = match decision {
            Decision::Forward(_) if path_is_ambiguous => json!({ "kind": "refuse", "status": 400, "reason": "path" }),
            Decision::Forward(forward) => {
                let access = match &forward.access {
                    Access::Public => "anyone",
                    Access::Session(_) => "the holder of a session",
                };
                json!({ "kind": "forward", "reason": reason, "access": access })
            }
            Decision::Respond(response) => {
                let all = |name: &str| {
                    let named = response
                        .headers
                        .iter()
                        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
                    named.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
                };
                let cookies = all("set-cookie");
                json!({
                    "kind": "respond",
                    "reason": reason,
                    "status": response.status,
                    "location": all("location").first().map(|location| mask::url(location)),
                    "set_cookie": cookies.iter().map(|cookie| mask::set_cookie(cookie)).collect::<Vec<_>>(),
                })
            }
        };
    }

    pub(super) fn is_passing(&self) -> bool {
        self.decision["kind"] == "forward"
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "request": self.request, "steps": self.steps, "decision": self.decision })
    }

    /// For people.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.request);
        for step in &self.steps {
            // Writing to a text does not fail.
            let _ = writeln!(text, "  {} {:<10} {}", step.outcome.mark(), step.step, step.detail);
        }
        let _ = writeln!(text, "  = {}", self.sentence());
        if let Some(location) = self.decision["location"].as_str() {
            let _ = writeln!(text, "    Location: {location}");
        }
        for cookie in self.decision["set_cookie"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "    Set-Cookie: {}", cookie.as_str().unwrap_or_default());
        }
        text
    }

    fn sentence(&self) -> String {
        let word = |name: &str| self.decision[name].as_str().unwrap_or_default();
        let reason = word("reason");
        match word("kind") {
            "forward" => format!("passes to the origin ({reason})"),
            "call" => format!("depends on what the identity provider answers to {}", word("purpose")),
            "refuse" => format!("refused with {} ({reason})", self.decision["status"]),
            _ if self.decision["status"].is_null() => format!("does not pass ({reason})"),
            _ => format!("answered with {} ({reason})", self.decision["status"]),
        }
    }
}
