//! Log events as lines of JSON on standard output, where CloudWatch Logs picks them up.
//!
//! A subscriber of our own, because the usual one fills a tenth of an edge package. It knows events,
//! not spans: each invocation is one event. CloudWatch adds the time.

use std::{fmt, io::Write};

use serde_json::{Map, Value};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

/// Our own events carry these targets. Those of other crates are left out: the runtime library repeats
/// every failed invocation, and its finer events quote requests.
const OWN_TARGETS: [&str; 3] = ["edge_adapter", "bootstrap", "custom_resources"];

/// Writes each event as one line.
#[derive(Debug)]
pub struct JsonLines {
    max: LevelFilter,
}

impl JsonLines {
    /// Lets events up to `max` through.
    #[must_use]
    pub const fn new(max: LevelFilter) -> Self {
        Self { max }
    }
}

/// The most talkative `logLevel` in a configuration, whichever way it is laid out. What is not there or
/// not a level is `none`, as no answer depends on it.
#[must_use]
pub fn level_of(configuration: &[u8]) -> LevelFilter {
    let json: Value = serde_json::from_slice(configuration).unwrap_or_default();
    let own = json.get("logLevel").into_iter();
    let sites = json.get("sites").and_then(Value::as_object).into_iter().flatten();
    own.chain(sites.filter_map(|(_, site)| site.get("logLevel")))
        .map(|level| match level.as_str() {
            Some("error") => LevelFilter::ERROR,
            Some("warn") => LevelFilter::WARN,
            Some("info") => LevelFilter::INFO,
            Some("debug") => LevelFilter::DEBUG,
            _ => LevelFilter::OFF,
        })
        .max()
        .unwrap_or(LevelFilter::OFF)
}

impl Subscriber for JsonLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = OWN_TARGETS.iter().any(|target| metadata.target().starts_with(target));
        own && *metadata.level() <= self.max
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        fields.put("level", event.metadata().level().as_str());
        event.record(&mut fields);
        let mut line = Value::Object(fields.0).to_string();
        line.push('\n');
        // One write a line, so that lines do not mix. A closed output is no reason to fail a request.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_read_from_either_layout() {
        for (text, level) in [
            (r#"{"logLevel":"debug"}"#, LevelFilter::DEBUG),
            (r#"{"logLevel":"none"}"#, LevelFilter::OFF),
            (
                r#"{"sites":{"a":{"logLevel":"warn"},"b":{"logLevel":"info"},"c":{}}}"#,
                LevelFilter::INFO,
            ),
            (r#"{"logLevel":"loud"}"#, LevelFilter::OFF),
            (r#"{"logLevel":7}"#, LevelFilter::OFF),
            ("{}", LevelFilter::OFF),
            ("not json", LevelFilter::OFF),
        ] {
            assert_eq!(level_of(text.as_bytes()), level, "{text}");
        }
    }
}
