//! What the comparison is to show, each goal with its figure.
//!
//! A goal that does not hold ends nothing: the report says so.

use serde::Serialize;

use super::{case::Case, peer::Peer};

/// A ratio that is to stay at or below a limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// What is compared.
    pub what: String,
    /// What the figure is to be at most.
    pub limit: f64,
    /// What was measured, if it was.
    pub figure: Option<f64>,
}

impl Goal {
    /// Whether it holds; `None` if it was not measured.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        self.figure.map(|figure| figure <= self.limit)
    }
}

/// Processor time of ours to a peer's.
const RATIOS: [(Case, Peer, f64); 16] = [
    (Case::Http1Small, Peer::PortcullisOpenHeaders, 1.05),
    (Case::Http1Small, Peer::PortcullisOpen, 1.05),
    (Case::Http1Small, Peer::HaproxyJwt, 0.55),
    (Case::Http1Small, Peer::ApacheOidc, 0.25),
    (Case::Http1Small, Peer::Pingora, 1.05),
    (Case::Http1Small, Peer::Nginx, 1.5),
    (Case::Http1Large, Peer::HaproxyJwt, 0.65),
    (Case::Http1Large, Peer::ApacheOidc, 0.32),
    (Case::Http1Large, Peer::Nginx, 1.4),
    (Case::Http2Small, Peer::Nginx, 1.0),
    (Case::Http2Large, Peer::Nginx, 1.0),
    (Case::CacheSmall, Peer::NginxCache, 1.25),
    (Case::CacheSmall, Peer::NginxCache, 1.1),
    (Case::CacheSmall, Peer::Varnish, 1.0),
    (Case::CacheLarge, Peer::NginxCache, 0.9),
    (Case::CacheLarge, Peer::Varnish, 1.0),
];
/// The 99th percentile of ours to nginx's.
const LATENCY: f64 = 1.2;
/// What a first-seen session adds to a decision, and the whole decision, to one verification in a proxy.
const FIRST_SEEN: f64 = 1.1;

/// What has been measured, as the goals ask for it.
pub(crate) trait Figures {
    /// The processor time of ours to the peer's.
    fn ratio(&self, case: Case, peer: Peer) -> Option<f64>;
    /// The 99th percentile of ours to nginx's.
    fn latency(&self) -> Option<f64>;
    /// What a first-seen session adds to a decision, and the whole decision, to one verification in a proxy.
    fn first_seen(&self) -> Option<[f64; 2]>;
}

/// All goals with what was measured.
pub(crate) fn judge(figures: &impl Figures) -> Vec<Goal> {
    let ratios = RATIOS.into_iter().map(|(case, peer, limit)| Goal {
        what: format!("{}: {}", case.title(), peer.title()),
        limit,
        figure: figures.ratio(case, peer),
    });
    let [added, whole] = match figures.first_seen() {
        Some(ratios) => ratios.map(Some),
        None => [None; 2],
    };
    let others = [
        Goal {
            what: "99th percentile of the latency at 70 % of saturation: nginx, no sign-in".into(),
            limit: LATENCY,
            figure: figures.latency(),
        },
        Goal {
            what: "a session seen for the first time above a known one: one RS256 verification in a proxy".into(),
            limit: FIRST_SEEN,
            figure: added,
        },
        Goal {
            what: "the whole decision about it: one RS256 verification in a proxy".into(),
            limit: FIRST_SEEN,
            figure: whole,
        },
    ];
    ratios.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Measured(Option<f64>);

    impl Figures for Measured {
        fn ratio(&self, case: Case, _peer: Peer) -> Option<f64> {
            self.0.filter(|_| case == Case::Http1Small)
        }
        fn latency(&self) -> Option<f64> {
            None
        }
        fn first_seen(&self) -> Option<[f64; 2]> {
            self.0.map(|figure| [figure, figure + 0.1])
        }
    }

    #[test]
    fn what_was_not_measured_neither_holds_nor_fails() {
        let goals = judge(&Measured(None));
        assert!(goals.iter().all(|goal| goal.holds().is_none()));
        assert_eq!(goals.len(), RATIOS.len() + 3);
    }

    #[test]
    fn a_goal_holds_up_to_its_limit() {
        let goals = judge(&Measured(Some(1.05)));
        let held: Vec<_> = goals.iter().map(Goal::holds).collect();
        let expected = [true, true, false, false, true, true].map(Some);
        assert_eq!(held[..expected.len()], expected);
        assert_eq!(held[expected.len()], None);
        assert_eq!(held[held.len() - 2..], [Some(true), Some(false)]);
    }

    #[test]
    fn goals_are_set_for_peers_that_take_part() {
        for (case, peer, _) in RATIOS {
            assert!(peer.takes_part(case), "{} in {}", peer.id(), case.id());
        }
    }
}
