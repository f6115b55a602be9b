//! Who may see what: ordered rules, the first that fits a request holds, and what none fits is denied.
//!
//! A rule fits by host, path and method, never by the query (T-PATH-1). Everything is compiled when the
//! configuration is read; on the way of a request nothing is allocated, and the time is bounded by the lengths of
//! path and patterns (T-DOS-4).

mod host;
mod method;
mod path;
mod pattern;
mod read;
mod requirement;
mod trace;

use std::sync::Arc;

pub use self::trace::{RuleOutcome, RuleStep, RuleTrace};
use self::{
    host::{HostPattern, name_of},
    method::Methods,
    path::Readings,
};
pub(crate) use self::{
    pattern::PathPattern,
    read::{CONDITIONS, KEYS},
    requirement::Requirement,
    trace::{judge, trace},
};
use crate::{Reason, Request};

/// The rules in force.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// `None`: nothing was configured, and whoever has a session may see everything.
    configured: Option<Vec<Rule>>,
    signed_in: Arc<Requirement>,
}

/// One rule: what it fits, and what it asks for. An empty list of a kind fits everything.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    hosts: Vec<HostPattern>,
    paths: Vec<PathPattern>,
    methods: Methods,
    requirement: Arc<Requirement>,
}

/// What the rules say of a request before anything is known of its viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Demand<'r> {
    /// Everybody may.
    Anyone,
    /// The viewer has to have a session that satisfies this.
    Session(&'r Arc<Requirement>),
    /// Nobody may.
    Nobody(Reason),
}

impl Rules {
    fn new(configured: Option<Vec<Rule>>) -> Self {
        Self {
            configured,
            signed_in: Arc::new(Requirement::SignedIn),
        }
    }

    /// What the first rule that fits the request asks for. Paths of our own are never subject to it (T-PATH-5).
    pub(crate) fn demand(&self, request: &Request<'_>) -> Demand<'_> {
        let Some(rules) = &self.configured else {
            return Demand::Session(&self.signed_in);
        };
        match find(rules, request) {
            Found::Rule(index) => rules.get(index).map_or(Demand::Nobody(Reason::NoRule), Rule::demand),
            Found::None => Demand::Nobody(Reason::NoRule),
            Found::Ambiguous => Demand::Nobody(Reason::PathAmbiguous),
        }
    }

    /// Whether some viewers with a session may be turned away.
    pub(crate) fn narrow(&self) -> bool {
        let rules = self.configured.as_deref().unwrap_or_default();
        rules.iter().any(|rule| rule.requirement.narrows())
    }

    /// What the rules do not do although somebody may think so, a sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let rules = self.configured.as_deref().unwrap_or_default();
        let last = rules.iter().position(|rule| rule.is_unconditional());
        let idle = last.map_or(0, |last| rules.len() - 1 - last);
        let index = last.unwrap_or_default();
        let warning = || format!("enhancements.rules[{index}] fits every request, so the rules behind it never hold");
        (idle > 0).then(warning).into_iter().collect()
    }
}

/// Which rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Rule(usize),
    None,
    /// It depends on how the path is read.
    Ambiguous,
}

/// The first rule that fits. The path is looked at only where a rule depends on it.
fn find(rules: &[Rule], request: &Request<'_>) -> Found {
    let host = name_of(request.host);
    let mut readings = None;
    for (index, rule) in rules.iter().enumerate() {
        if !rule.fits_host(host) || !rule.methods.fit(request.method) {
            continue;
        }
        if rule.paths.is_empty() {
            return Found::Rule(index);
        }
        let Ok(readings) = readings.get_or_insert_with(|| Readings::of(request.path)) else {
            return Found::Ambiguous;
        };
        match readings.fit(&rule.paths) {
            Some(true) => return Found::Rule(index),
            Some(false) => {}
            None => return Found::Ambiguous,
        }
    }
    Found::None
}

impl Rule {
    fn fits_host(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(host))
    }

    fn demand(&self) -> Demand<'_> {
        match *self.requirement {
            Requirement::Public => Demand::Anyone,
            Requirement::Deny => Demand::Nobody(Reason::RuleDenied),
            Requirement::SignedIn | Requirement::AnyOf(_) => Demand::Session(&self.requirement),
        }
    }

    fn is_unconditional(&self) -> bool {
        self.hosts.is_empty() && self.paths.is_empty() && self.methods.are_all()
    }
}
