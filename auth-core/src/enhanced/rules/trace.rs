//! Why the rules say what they say, for those who ask. Decides nothing.

use super::{Demand, Rule, Rules, name_of, path::Readings};
use crate::{Reason, Request, jwt::IdToken};

/// How each rule came to fit or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTrace {
    /// One for each rule, up to the one that holds.
    pub steps: Vec<RuleStep>,
    /// What follows before anything is known of the viewer: [`Reason::Public`], [`Reason::SessionAbsent`] where a
    /// session is needed, or why nobody may.
    pub outcome: Reason,
}

/// What a rule has to do with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleStep {
    /// The rule's place in the list, from 0.
    pub index: usize,
    /// What it says.
    pub outcome: RuleOutcome,
}

/// Whether a rule fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// Another host's.
    OtherHost,
    /// About other methods.
    OtherMethod,
    /// About other paths.
    OtherPath,
    /// It depends on how the path is read, or the path cannot be read at all: why.
    Ambiguous(&'static str),
    /// This one holds.
    Holds,
}

/// Goes through the rules as a decision does. `None`: none are configured.
pub(crate) fn trace(rules: &Rules, request: &Request<'_>) -> Option<RuleTrace> {
    let configured = rules.configured.as_deref()?;
    let mut steps = Vec::new();
    for (index, rule) in configured.iter().enumerate() {
        let outcome = judge_rule(rule, request);
        steps.push(RuleStep { index, outcome });
        if matches!(outcome, RuleOutcome::Holds | RuleOutcome::Ambiguous(_)) {
            break;
        }
    }
    let outcome = match rules.demand(request) {
        Demand::Anyone => Reason::Public,
        Demand::Session(_) => Reason::SessionAbsent,
        Demand::Nobody(reason) => reason,
    };
    Some(RuleTrace { steps, outcome })
}

/// What the rules make of a request whose token came out like this.
pub(crate) fn judge(rules: &Rules, request: &Request<'_>, token: Result<IdToken, Reason>) -> Reason {
    match (rules.demand(request), token) {
        (Demand::Nobody(reason), _) => reason,
        (Demand::Anyone, Err(_)) => Reason::Public,
        (Demand::Session(_), Err(reason)) => reason,
        (Demand::Anyone, Ok(_)) => Reason::SessionVerified,
        (Demand::Session(requirement), Ok(token)) => match requirement.admits(&token) {
            Ok(()) => Reason::SessionVerified,
            Err(reason) => reason,
        },
    }
}

fn judge_rule(rule: &Rule, request: &Request<'_>) -> RuleOutcome {
    if !rule.fits_host(name_of(request.host)) {
        return RuleOutcome::OtherHost;
    }
    if !rule.methods.fit(request.method) {
        return RuleOutcome::OtherMethod;
    }
    if rule.paths.is_empty() {
        return RuleOutcome::Holds;
    }
    match Readings::of(request.path).map(|readings| readings.fit(&rule.paths)) {
        Ok(Some(true)) => RuleOutcome::Holds,
        Ok(Some(false)) => RuleOutcome::OtherPath,
        Ok(None) => RuleOutcome::Ambiguous("fits or not, depending on parameters and empty segments"),
        Err(ambiguity) => RuleOutcome::Ambiguous(ambiguity.as_str()),
    }
}
