//! What a run has found, in one value: for people as Markdown, for programs as JSON.

mod markdown;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    case::Case,
    compare::Course,
    first_seen::FirstSeen,
    goals::{Figures, Goal, judge},
    latency::Latency,
    peer::Peer,
    progress::LeftOut,
    running::Configuration,
    setup::Setup,
    statistics::Spread,
};

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Under what conditions.
    pub setup: Setup,
    /// The comparisons, in the order of the cases.
    pub comparisons: Vec<Comparison>,
    /// What a first-seen session costs.
    pub first_seen: Option<FirstSeen>,
    /// How long requests take.
    pub latency: Vec<Latency>,
    /// What was to be shown, and whether it was.
    pub goals: Vec<Goal>,
    /// What was not measured.
    pub left_out: Vec<LeftOut>,
    /// How the peers were started.
    pub configurations: BTreeMap<String, Configuration>,
}

/// Peers side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// In what.
    pub case: Case,
    /// One for each peer.
    pub rows: Vec<Row>,
}

/// A peer in a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The peer.
    pub peer: Peer,
    /// Processor time a request, in microseconds.
    pub microseconds: Spread,
    /// Processor time of ours to its, part by part of the turns.
    pub ratio: Option<Spread>,
    /// Answers a second.
    pub throughput: Spread,
}

impl Comparison {
    /// Of what the turns came to; peers without a turn have no row.
    pub(crate) fn new(case: Case, courses: &[Course]) -> Self {
        let ours = courses
            .iter()
            .find(|course| course.peer == ours(case))
            .map(microseconds);
        let rows = courses.iter().filter_map(|course| {
            let theirs = microseconds(course);
            let throughput: Vec<f64> = course.samples.iter().map(|sample| sample.throughput).collect();
            Some(Row {
                peer: course.peer,
                microseconds: Spread::of(&theirs)?,
                ratio: ours.as_ref().and_then(|ours| Spread::of_ratios(ours, &theirs)),
                throughput: Spread::of(&throughput)?,
            })
        });
        Self {
            case,
            rows: rows.collect(),
        }
    }
}

fn microseconds(course: &Course) -> Vec<f64> {
    course.samples.iter().map(|sample| sample.microseconds).collect()
}

/// Which of ours is compared.
pub(crate) fn ours(case: Case) -> Peer {
    match case {
        Case::CacheSmall | Case::CacheLarge => Peer::PortcullisCache,
        _ => Peer::Portcullis,
    }
}

impl Report {
    /// Judges the goals by what was found.
    pub(crate) fn judged(mut self) -> Self {
        self.goals = judge(&self);
        self
    }

    /// For people. The configurations are long; without them the report fits a terminal.
    #[must_use]
    pub fn markdown(&self, configurations: Configurations) -> String {
        markdown::render(self, configurations)
    }
}

/// Whether a report shows how the peers were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configurations {
    /// It does.
    Shown,
    /// It does not.
    Hidden,
}

impl Figures for Report {
    fn ratio(&self, case: Case, peer: Peer) -> Option<f64> {
        let comparison = self.comparisons.iter().find(|comparison| comparison.case == case)?;
        let row = comparison.rows.iter().find(|row| row.peer == peer)?;
        Some(row.ratio?.median)
    }

    fn latency(&self) -> Option<f64> {
        let nginx = self.latency.iter().find(|latency| latency.peer == Peer::Nginx)?;
        Some(nginx.own.ratio?.median)
    }

    fn first_seen(&self) -> Option<[f64; 2]> {
        let found = self.first_seen.as_ref()?;
        Some([found.extra_ratio.median, found.ratio.median])
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lane::Sample, *};

    fn course(peer: Peer, microseconds: &[f64]) -> Course {
        let sample = |&microseconds| Sample {
            microseconds,
            throughput: 1e6 / microseconds,
        };
        Course {
            peer,
            samples: microseconds.iter().map(sample).collect(),
        }
    }

    #[test]
    fn ratios_are_ours_to_the_peers() {
        let courses = [
            course(Peer::Portcullis, &[40.0, 44.0, 80.0]),
            course(Peer::Nginx, &[20.0, 22.0, 40.0]),
        ];
        let comparison = Comparison::new(Case::Http1Small, &courses);
        assert_eq!(comparison.rows[0].ratio.unwrap().median, 1.0);
        assert_eq!(comparison.rows[1].ratio.unwrap().median, 2.0);
        assert_eq!(comparison.rows[1].microseconds.median, 22.0);
    }

    #[test]
    fn caches_are_compared_with_our_cache() {
        let courses = [
            course(Peer::PortcullisCache, &[20.0]),
            course(Peer::PortcullisOpenCache, &[10.0]),
            course(Peer::Varnish, &[40.0]),
        ];
        let comparison = Comparison::new(Case::CacheSmall, &courses);
        assert_eq!(comparison.rows[2].ratio.unwrap().median, 0.5);
    }

    #[test]
    fn without_ours_there_is_no_ratio() {
        let comparison = Comparison::new(Case::Http1Small, &[course(Peer::Nginx, &[20.0])]);
        assert_eq!(comparison.rows[0].ratio, None);
    }

    #[test]
    fn a_peer_without_a_turn_has_no_row() {
        let comparison = Comparison::new(Case::Http1Small, &[course(Peer::Nginx, &[])]);
        assert_eq!(comparison.rows, []);
    }
}
