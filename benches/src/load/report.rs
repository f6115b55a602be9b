//! What is reported: the same content as text, JSON and a page. Times are in microseconds, memory in bytes.

mod text;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::metrics::Change;
use crate::{
    generator::{Measured, ShareCount},
    process::{Memory, Usage},
};

pub(super) use text::text;

/// The quantiles of the plot: what lies beyond the last is too rare to be a curve.
const CURVE: [f64; 15] = [
    0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999, 1.0,
];

/// All of it. The form of the JSON: members are added, not changed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Of this harness, and of the proxy where it is the same program.
    pub(super) version: &'static str,
    /// Seconds since 1970, at the end.
    pub(super) finished: u64,
    pub(super) setup: Setup,
    /// In the order in which they were run.
    pub(super) phases: Vec<PhaseReport>,
    /// `None`: the proxy's process is not known.
    pub(super) memory: Option<MemoryReport>,
    /// The metrics that changed; `None`: where they are is not known.
    pub(super) metrics: Option<Vec<Change>>,
    /// Goals of the scenario.
    pub(super) goals: Vec<Goal>,
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    pub(super) target: String,
    pub(super) protocol: &'static str,
    pub(super) mode: String,
    pub(super) connections: usize,
    /// At a time on each connection.
    pub(super) streams: usize,
    pub(super) threads: usize,
    pub(super) mix: String,
    /// `None`: not started here.
    pub(super) origin: Option<String>,
    /// `None`: not started here.
    pub(super) proxy: Option<String>,
    pub(super) processors: usize,
    /// Debug assertions make everything slower.
    pub(super) optimised: bool,
}

/// A phase that was measured.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PhaseReport {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) answers: u64,
    pub(super) answers_per_second: f64,
    pub(super) body_bytes: u64,
    /// Failed, or answered with another status than expected.
    pub(super) wrong: u64,
    pub(super) reconnections: u64,
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) kinds: Vec<KindReport>,
    /// Since requests were due: corrected for coordinated omission.
    pub(super) latency_us: Percentiles,
    /// Since requests were sent.
    pub(super) service_time_us: Percentiles,
    /// Of the proxy; `None`: its process is not known.
    pub(super) cpu_us_per_request: Option<f64>,
    /// Of this process, which generates the load.
    pub(super) generator_cpu_us_per_request: Option<f64>,
    pub(super) curve: Vec<CurvePoint>,
    pub(super) timeline: Vec<SecondReport>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct KindReport {
    pub(super) name: String,
    pub(super) answers: u64,
    pub(super) unexpected: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    #[serde(rename = "p99.9")]
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CurvePoint {
    pub(super) quantile: f64,
    pub(super) latency_us: f64,
    pub(super) service_time_us: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SecondReport {
    pub(super) second: usize,
    pub(super) answers: u64,
    pub(super) wrong: u64,
    pub(super) p50_us: Option<f64>,
    pub(super) p99_us: Option<f64>,
}

/// The proxy's memory.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MemoryReport {
    /// Before the load, warmed up or not as the moment's name says.
    pub(super) moments: Vec<Moment>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Moment {
    pub(super) when: String,
    #[serde(flatten)]
    pub(super) memory: Memory,
}

/// A bound that is meant to hold.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Goal {
    pub(super) what: String,
    pub(super) bound_bytes: u64,
    pub(super) found_bytes: u64,
}

impl Goal {
    pub(super) const fn is_met(&self) -> bool {
        self.found_bytes <= self.bound_bytes
    }
}

impl Report {
    pub(super) fn wrong(&self) -> u64 {
        self.phases.iter().map(|phase| phase.wrong).sum()
    }
}

/// Now, in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl PhaseReport {
    /// With what was taken before and after, by the proxy and by this process.
    pub(super) fn new(name: &str, measured: &Measured, proxy: Option<[Usage; 2]>, own: Option<[Usage; 2]>) -> Self {
        let each = |usage: Option<[Usage; 2]>| {
            let [before, after] = usage?;
            let answers = measured.answered.max(1);
            Some(microseconds(after.cpu.saturating_sub(before.cpu)) / answers as f64)
        };
        Self {
            name: name.to_owned(),
            seconds: measured.elapsed.as_secs_f64(),
            answers: measured.answered,
            answers_per_second: measured.throughput(),
            body_bytes: measured.body_bytes,
            wrong: measured.wrong(),
            reconnections: measured.reconnections,
            statuses: measured.statuses.clone(),
            failures: measured
                .failures
                .iter()
                .map(|(failure, count)| (failure.to_string(), *count))
                .collect(),
            kinds: measured.shares.iter().map(KindReport::new).collect(),
            latency_us: Percentiles::new(|quantile| measured.latency(quantile)),
            service_time_us: Percentiles::new(|quantile| measured.service_time(quantile)),
            cpu_us_per_request: each(proxy),
            generator_cpu_us_per_request: each(own),
            curve: curve(measured),
            timeline: timeline(measured),
        }
    }
}

impl KindReport {
    fn new(count: &ShareCount) -> Self {
        Self {
            name: count.name.clone(),
            answers: count.answered,
            unexpected: count.unexpected,
        }
    }
}

impl Percentiles {
    fn new(of: impl Fn(f64) -> Duration) -> Self {
        let of = |quantile| microseconds(of(quantile));
        Self {
            p50: of(0.5),
            p90: of(0.9),
            p99: of(0.99),
            p99_9: of(0.999),
            max: of(1.0),
        }
    }
}

fn curve(measured: &Measured) -> Vec<CurvePoint> {
    // A quantile beyond the number of answers is just the greatest again.
    let seen = |quantile: f64| quantile >= 1.0 || (1.0 - quantile) * measured.answered as f64 >= 1.0;
    let points = CURVE
        .into_iter()
        .filter(|&quantile| seen(quantile))
        .map(|quantile| CurvePoint {
            quantile,
            latency_us: microseconds(measured.latency(quantile)),
            service_time_us: microseconds(measured.service_time(quantile)),
        });
    points.collect()
}

fn timeline(measured: &Measured) -> Vec<SecondReport> {
    let seconds = measured
        .seconds
        .iter()
        .enumerate()
        .map(|(second, counted)| SecondReport {
            second,
            answers: counted.answered,
            wrong: counted.wrong,
            p50_us: counted.latency(0.5).map(microseconds),
            p99_us: counted.latency(0.99).map(microseconds),
        });
    seconds.collect()
}

fn microseconds(duration: Duration) -> f64 {
    // Tenths are as exact as it gets.
    (duration.as_secs_f64() * 1e7).round() / 10.0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A report of a phase in which something went wrong, with names that want escaping.
    pub(in crate::load) fn sample() -> Report {
        let points = [0.0, 0.5, 0.9, 0.99, 1.0].map(|quantile| CurvePoint {
            quantile,
            latency_us: 200.0 + 1_000.0 * quantile,
            service_time_us: 150.0 + 100.0 * quantile,
        });
        let percentiles = Percentiles {
            p50: 700.0,
            p90: 1_100.0,
            p99: 1_190.0,
            p99_9: 1_200.0,
            max: 1_200.0,
        };
        let second = |second, p50_us| SecondReport {
            second,
            answers: 60,
            wrong: 1,
            p50_us,
            p99_us: p50_us,
        };
        Report {
            version: "1.2.3",
            finished: 1_800_000_000,
            setup: Setup {
                target: "http://<b>&\"'".to_owned(),
                protocol: "HTTP/1.1",
                mode: "closed loop".to_owned(),
                connections: 4,
                streams: 1,
                threads: 1,
                mix: "valid=1".to_owned(),
                origin: None,
                proxy: None,
                processors: 2,
                optimised: true,
            },
            phases: vec![PhaseReport {
                name: "load".to_owned(),
                seconds: 2.0,
                answers: 120,
                answers_per_second: 60.0,
                body_bytes: 122_880,
                wrong: 2,
                reconnections: 0,
                statuses: BTreeMap::from([(200, 119), (502, 1)]),
                failures: BTreeMap::from([("no answer in time".to_owned(), 1)]),
                kinds: vec![KindReport {
                    name: "valid".to_owned(),
                    answers: 120,
                    unexpected: 1,
                }],
                latency_us: percentiles,
                service_time_us: percentiles,
                cpu_us_per_request: Some(42.5),
                generator_cpu_us_per_request: None,
                curve: points.to_vec(),
                timeline: vec![second(0, Some(700.0)), second(1, None), second(2, Some(650.0))],
            }],
            memory: Some(MemoryReport {
                moments: vec![Moment {
                    when: "start".to_owned(),
                    memory: Memory {
                        rss: 3 << 20,
                        pss: None,
                        anonymous: 1 << 20,
                        peak: 4 << 20,
                    },
                }],
            }),
            metrics: Some(vec![Change {
                series: "a_total{code=\"2xx\"}".to_owned(),
                before: 1.0,
                after: 3.0,
                difference: 2.0,
            }]),
            goals: vec![Goal {
                what: "RSS".to_owned(),
                bound_bytes: 2 << 20,
                found_bytes: 3 << 20,
            }],
        }
    }

    #[test]
    fn the_json_has_what_programs_look_for() {
        let json = serde_json::to_value(sample()).unwrap();
        for (pointer, expected) in [
            ("/phases/0/answers", serde_json::json!(120)),
            ("/phases/0/latency_us/p99.9", serde_json::json!(1_200.0)),
            ("/phases/0/service_time_us/p50", serde_json::json!(700.0)),
            ("/phases/0/cpu_us_per_request", serde_json::json!(42.5)),
            ("/phases/0/generator_cpu_us_per_request", serde_json::json!(null)),
            ("/phases/0/statuses/502", serde_json::json!(1)),
            ("/phases/0/failures/no answer in time", serde_json::json!(1)),
            ("/phases/0/kinds/0/unexpected", serde_json::json!(1)),
            ("/phases/0/timeline/1/p50_us", serde_json::json!(null)),
            ("/memory/moments/0/when", serde_json::json!("start")),
            ("/memory/moments/0/rss", serde_json::json!(3 << 20)),
            ("/metrics/0/difference", serde_json::json!(2.0)),
            ("/setup/optimised", serde_json::json!(true)),
        ] {
            assert_eq!(json.pointer(pointer), Some(&expected), "{pointer}");
        }
    }

    #[test]
    fn the_text_says_what_went_wrong() {
        let text = text(&sample());
        for part in [
            "2 wrong",
            "200: 119, 502: 1, no answer in time: 1",
            "valid: 1 answered with an unexpected status",
            "proxy 42.5 µs, load unknown",
            "RSS: 3.0 MiB, at most 2.0 wanted: DOES NOT HOLD",
            "a_total{code=\"2xx\"} +2",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
