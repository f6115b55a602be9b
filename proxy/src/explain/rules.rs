//! Which rule holds for a request, and why those before it do not.

use auth_core::{Authenticator, Reason, Request, RuleOutcome};

use super::{Explanation, explanation::Outcome};

/// Adds a step for each rule up to the one that holds, and one for what it asks for before anything is known of the
/// viewer. `None`: there are no rules.
pub(super) fn explain(
    explanation: &mut Explanation,
    authenticator: &Authenticator,
    request: &Request<'_>,
) -> Option<Reason> {
    let trace = authenticator.trace_rules(request)?;
    for step in trace.steps {
        let name = format!("enhancements.rules[{}]", step.index);
        let (outcome, detail) = match step.outcome {
            RuleOutcome::OtherHost => (Outcome::Skipped, format!("{name}: for other hosts")),
            RuleOutcome::OtherMethod => (Outcome::Skipped, format!("{name}: for other methods")),
            RuleOutcome::OtherPath => (Outcome::Skipped, format!("{name}: for other paths")),
            RuleOutcome::Ambiguous(why) => (Outcome::Wrong, format!("{name}: depends on the path, which {why}")),
            RuleOutcome::Holds => (Outcome::Found, format!("{name}: holds")),
        };
        explanation.step("rules", outcome, detail);
    }
    let (outcome, detail) = match trace.outcome {
        Reason::Public => (Outcome::Right, "anyone may pass"),
        Reason::SessionAbsent => (Outcome::Found, "a session is needed"),
        Reason::NoRule => (Outcome::Wrong, "no rule fits, so nobody may pass"),
        Reason::PathAmbiguous => (Outcome::Wrong, "an address that can be read in two ways is refused"),
        _ => (Outcome::Wrong, "nobody may pass"),
    };
    explanation.step("rules", outcome, detail);
    Some(trace.outcome)
}

/// What the rule says of the holder of a good token.
pub(super) fn conclude(explanation: &mut Explanation, reason: Reason) {
    let (outcome, detail) = match reason {
        Reason::GroupRequired => (Outcome::Wrong, "the viewer is not in a group that the rule asks for"),
        Reason::ClaimRequired => (Outcome::Wrong, "the viewer has not the claims that the rule asks for"),
        Reason::EmailDomain => (
            Outcome::Wrong,
            "no verified e-mail address of a domain that the rule asks for",
        ),
        Reason::ScopeRequired => (Outcome::Wrong, "the token has not the scopes that the rule asks for"),
        _ => (Outcome::Right, "the rule admits the viewer"),
    };
    explanation.step("rules", outcome, detail);
}
