//! Two answers side by side, and where they differ.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    answer::{Answer, page, show},
    recorded::Recorded,
};
use crate::mask;

/// What came of a replay.
#[derive(Debug)]
pub(crate) struct Comparison {
    request: String,
    edge: Answer,
    own: Answer,
    differences: Vec<String>,
}

impl Comparison {
    pub(super) fn new(recorded: &Recorded, edge: Answer, own: Answer) -> Self {
        let request = format!(
            "{} https://{}{}",
            recorded.method,
            recorded.host,
            mask::url(&recorded.target())
        );
        let differences = differences(&edge.normal(), &own.normal());
        Self {
            request,
            edge,
            own,
            differences,
        }
    }

    /// Whether the two answers are the same.
    pub(crate) fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "request": self.request,
            "equal": self.is_equal(),
            "edge": self.edge.shown(),
            "proxy": self.own.shown(),
            "differences": self.differences,
        })
    }

    /// For people.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.request);
        for (name, answer) in [("edge", &self.edge), ("proxy", &self.own)] {
            describe(&mut text, name, answer);
        }
        if self.is_equal() {
            text.push_str("equal\n");
        }
        for difference in &self.differences {
            // Writing to a text does not fail.
            let _ = writeln!(text, "different: {difference}");
        }
        text
    }
}

fn describe(text: &mut String, name: &str, answer: &Answer) {
    let _ = writeln!(text, "{name}: {} {}", answer.status, page(&answer.body));
    for (header, value) in &answer.headers {
        let _ = writeln!(text, "    {header}: {}", show(header, value));
    }
    if let Some(target) = &answer.origin {
        let _ = writeln!(text, "    (the origin was asked for {})", mask::url(target));
    }
    for call in &answer.calls {
        let _ = writeln!(
            text,
            "    (the token endpoint was asked with {})",
            mask::parameters(call)
        );
    }
}

fn differences(edge: &Answer, own: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if edge.status != own.status {
        found.push(format!("status: edge {}, proxy {}", edge.status, own.status));
    }
    let mut names: Vec<&str> = edge
        .headers
        .iter()
        .chain(&own.headers)
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (theirs, ours) = (values(edge, name), values(own, name));
        if theirs != ours {
            let shown = |values: &[&str]| {
                values
                    .iter()
                    .map(|value| show(name, value))
                    .collect::<Vec<_>>()
                    .join(" | ")
            };
            found.push(format!("{name}: edge [{}], proxy [{}]", shown(&theirs), shown(&ours)));
        }
    }
    if edge.body != own.body {
        found.push(format!(
            "body: edge {:?}, proxy {:?}",
            page(&edge.body),
            page(&own.body)
        ));
    }
    if edge.origin != own.origin {
        let shown = |target: &Option<String>| target.as_deref().map_or_else(|| "nothing".to_owned(), mask::url);
        found.push(format!(
            "origin asked for: edge {}, proxy {}",
            shown(&edge.origin),
            shown(&own.origin)
        ));
    }
    if edge.calls != own.calls {
        found.push(format!(
            "token requests: edge {}, proxy {}",
            edge.calls.len(),
            own.calls.len()
        ));
    }
    found
}

fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let named = answer.headers.iter().filter(|(known, _)| known == name);
    named.map(|(_, value)| value.as_str()).collect()
}
