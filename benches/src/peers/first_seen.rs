//! What it costs to see a session for the first time.
//!
//! Turn by turn: sessions that the proxy knows, as many that it has never seen, and the signatures of those
//! same tokens verified by the crypto library alone. What a first-seen session costs above a known one is to
//! be one verification.

use serde::Serialize;

use super::{
    case::Case,
    compare::Plan,
    lane::{Lane, Sample, Work, WorkError},
    progress::Progress,
    running::Running,
    statistics::Spread,
    verification,
};
use crate::{generator::Cookies, sessions::Minter};

/// Signing takes longer than anything else here.
const MOST_SESSIONS: u64 = 2_000;

/// Processor time, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstSeen {
    /// A request of a known session.
    pub known: Spread,
    /// A request of a session that is new.
    pub new: Spread,
    /// One verification by ring.
    pub verification: Spread,
    /// What a new session costs above a known one, in verifications.
    pub ratio: Spread,
}

#[derive(Default)]
struct Figures {
    known: Vec<f64>,
    new: Vec<f64>,
    verification: Vec<f64>,
}

/// Measures ours.
pub(crate) fn measure(
    running: &Running,
    plan: Plan,
    minter: &Minter,
    progress: &mut Progress,
) -> Result<FirstSeen, WorkError> {
    let requests = plan.requests.min(MOST_SESSIONS);
    let count = usize::try_from(requests).unwrap_or(usize::MAX);
    // Each connection's first request is not measured.
    let each = count + plan.connections;
    let known = super::compare::known_sessions(minter);
    progress.say(&format!(
        "{}: signing {} tokens",
        Case::FirstSeen.id(),
        each * plan.turns
    ));
    let sessions = minter.sessions(known.len() + each * plan.turns, &mut |_| ());
    let mut figures = Figures::default();
    for (turn, new) in sessions[known.len()..].chunks_exact(each).enumerate() {
        progress.turn(Case::FirstSeen, turn, plan.turns);
        figures.known.push(take(running, plan, &known, requests)?.microseconds);
        figures.new.push(take(running, plan, new, requests)?.microseconds);
        let tokens: Vec<&str> = new[plan.connections..].iter().map(id_token).collect();
        figures
            .verification
            .push(verification::microseconds(&tokens).ok_or(WorkError::Nothing)?);
    }
    figures.spread().ok_or(WorkError::Nothing)
}

/// The piece that the minter puts between the others.
fn id_token(session: &Cookies) -> &str {
    &session.0[1]
}

fn take(running: &Running, plan: Plan, sessions: &[Cookies], requests: u64) -> Result<Sample, WorkError> {
    let work = Work {
        transport: Case::FirstSeen.transport(),
        body: Case::FirstSeen.body(),
        sessions: sessions.to_vec(),
    };
    let mut lane = Lane::open(running, &work, plan.connections)?;
    lane.turn(plan.connections as u64)?;
    lane.turn(requests)
}

impl Figures {
    fn spread(&self) -> Option<FirstSeen> {
        let extra: Vec<f64> = self
            .new
            .iter()
            .zip(&self.known)
            .map(|(new, known)| new - known)
            .collect();
        Some(FirstSeen {
            known: Spread::of(&self.known)?,
            new: Spread::of(&self.new)?,
            verification: Spread::of(&self.verification)?,
            ratio: Spread::of_ratios(&extra, &self.verification)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Validity;

    #[test]
    fn the_ratio_is_of_what_comes_on_top() {
        let figures = Figures {
            known: vec![50.0, 60.0, 40.0],
            new: vec![90.0, 102.0, 81.0],
            verification: vec![40.0, 40.0, 40.0],
        };
        let found = figures.spread().unwrap();
        assert_eq!((found.known.median, found.new.median), (50.0, 90.0));
        assert!((found.ratio.median - 1.025).abs() < 1e-9);
    }

    #[test]
    fn the_token_is_found_within_the_session() {
        let minter = Minter::new();
        let session = minter.session(3, Validity::Valid);
        assert_eq!(id_token(&session), minter.id_token(3, Validity::Valid));
    }
}
