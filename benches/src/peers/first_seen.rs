//! What it costs to see a session for the first time.
//!
//! Turn by turn: requests of sessions that the proxy knows; as many of which every other is of a session that it has
//! never seen; and the signatures of those same tokens verified by the crypto library alone. Two figures come of it. The
//! decision about a new session, by the proxy's own metrics, is to be one verification and little more. What the whole
//! request costs above a known one is told as well, but has more in it: the longer a proxy takes, the more often origin
//! and load sleep meanwhile and have to be woken, which is the proxy's time too.
//!
//! Before anything is measured the proxy sees as many sessions as it remembers, if there are requests enough: memory is
//! touched for the first time once in a proxy's life, not once a session.

use auth_core::Capabilities;
use serde::Serialize;

use super::{
    case::Case,
    compare::Plan,
    lane::{Lane, Work, WorkError},
    machine::Machine,
    progress::Progress,
    running::Running,
    statistics::Spread,
    verification,
};
use crate::{generator::Cookies, load::metrics::Endpoint, sessions::Minter};

/// Of so many requests one is of a new session.
const EVERY: usize = 2;

/// Processor time, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstSeen {
    /// A request of a known session.
    pub known: Spread,
    /// A request of a session that is new.
    pub new: Spread,
    /// The decision about it, by the clock.
    pub decision: Spread,
    /// One verification by ring.
    pub verification: Spread,
    /// The decision, in verifications.
    pub ratio: Spread,
    /// What a request of a new session costs above one of a known one, in verifications.
    pub request_ratio: Spread,
}

#[derive(Default)]
struct Figures {
    known: Vec<f64>,
    new: Vec<f64>,
    decision: Vec<f64>,
    verification: Vec<f64>,
}

/// Measures ours.
pub(crate) fn measure(
    running: &Running,
    plan: Plan,
    minter: &Minter,
    (machine, progress): (&mut Machine, &mut Progress),
) -> Result<FirstSeen, WorkError> {
    let requests = usize::try_from(plan.requests).unwrap_or(usize::MAX);
    let known = super::compare::known_sessions(minter);
    let remembered = Capabilities::PROXY.remembered_tokens.min(requests * plan.turns);
    let each = (requests / EVERY).max(1);
    let count = known.len() + remembered + each * plan.turns;
    progress.say(&format!("{}: signing {count} tokens", Case::FirstSeen.id()));
    let sessions = minter.sessions(count, &mut |_| ());
    let (remembered, new) = sessions[known.len()..].split_at(remembered);
    take(running, plan, remembered.to_vec(), remembered.len())?;
    let mut figures = Figures::default();
    for (turn, new) in new.chunks_exact(each).enumerate() {
        progress.turn(Case::FirstSeen, turn, plan.turns);
        machine.wait(progress);
        let mixed = mixed(&known, new, plan.connections);
        let tokens: Vec<&str> = new.iter().map(id_token).collect();
        let of_known = take(running, plan, known.clone(), each * EVERY)?;
        let of_mixed = take(running, plan, mixed, each * EVERY)?;
        // What a mixed turn comes to above a known one is all due to the new ones in it.
        let of_new = |known: f64, mixed: f64| known + (mixed - known) * EVERY as f64;
        let verification = verification::microseconds(&tokens).ok_or(WorkError::Nothing)?;
        // It cannot be taken again: by now its sessions are known.
        if machine.is_still_calm() {
            figures.known.push(of_known.request);
            figures.new.push(of_new(of_known.request, of_mixed.request));
            figures.decision.push(of_new(of_known.decision, of_mixed.decision));
            figures.verification.push(verification);
        }
    }
    figures.spread().ok_or(WorkError::Nothing)
}

/// As many requests as it takes for all new sessions to come once, each at its place; before them one of a known
/// session for each connection.
fn mixed(known: &[Cookies], new: &[Cookies], connections: usize) -> Vec<Cookies> {
    let known = || known.iter().cycle().cloned();
    let mut sessions: Vec<Cookies> = known().take(connections).collect();
    for session in new {
        sessions.extend(known().take(EVERY - 1));
        sessions.push(session.clone());
    }
    sessions
}

/// The piece that the minter puts between the others.
fn id_token(session: &Cookies) -> &str {
    &session.0[1]
}

/// Microseconds.
struct Taken {
    /// Processor time of a request.
    request: f64,
    /// A decision, by the clock.
    decision: f64,
}

/// These sessions in turn; the first request of each connection is not measured.
fn take(running: &Running, plan: Plan, sessions: Vec<Cookies>, requests: usize) -> Result<Taken, WorkError> {
    let work = Work {
        transport: Case::FirstSeen.transport(),
        body: Case::FirstSeen.body(),
        sessions,
    };
    let mut lane = Lane::open(running, &work, plan.connections)?;
    lane.turn(plan.connections as u64)?;
    let before = decisions(running)?;
    let request = lane.turn(requests as u64)?.microseconds;
    let after = decisions(running)?;
    Ok(Taken {
        request,
        decision: (after.0 - before.0) * 1e6 / (after.1 - before.1),
    })
}

/// How many seconds the proxy has spent on decisions, and how many these were.
fn decisions(running: &Running) -> Result<(f64, f64), WorkError> {
    let scrape = Endpoint::of_admin(running.admin).scrape()?;
    let sum_of = |name: &str| {
        let name = format!("portcullis_auth_decision_duration_seconds_{name}");
        let named = scrape.iter().filter(|(series, _)| series.starts_with(&name));
        named.map(|(_, value)| value).sum()
    };
    Ok((sum_of("sum"), sum_of("count")))
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
            decision: Spread::of(&self.decision)?,
            verification: Spread::of(&self.verification)?,
            ratio: Spread::of_ratios(&self.decision, &self.verification)?,
            request_ratio: Spread::of_ratios(&extra, &self.verification)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Validity;

    #[test]
    fn a_request_s_ratio_is_of_what_comes_on_top() {
        let figures = Figures {
            known: vec![50.0, 60.0, 40.0],
            new: vec![90.0, 102.0, 81.0],
            decision: vec![42.0, 43.0, 44.0],
            verification: vec![40.0, 40.0, 40.0],
        };
        let found = figures.spread().unwrap();
        assert_eq!((found.known.median, found.new.median), (50.0, 90.0));
        assert!((found.request_ratio.median - 1.025).abs() < 1e-9);
        assert!((found.ratio.median - 1.075).abs() < 1e-9);
    }

    #[test]
    fn each_new_session_comes_once_and_no_connection_begins_with_one() {
        let minter = Minter::new();
        let sessions = minter.sessions(7, &mut |_| ());
        let (known, new) = sessions.split_at(2);
        let mixed = mixed(known, new, 3);
        let place = |session: &Cookies| {
            mixed
                .iter()
                .position(|other| id_token(other) == id_token(session))
                .unwrap()
        };
        let places: Vec<usize> = new.iter().map(place).collect();
        assert_eq!(places, [4, 6, 8, 10, 12]);
        assert_eq!(mixed.len(), 13);
        let is_known = |session: &Cookies| known.iter().any(|other| id_token(other) == id_token(session));
        assert_eq!(mixed.iter().filter(|session| is_known(session)).count(), 8);
    }

    #[test]
    fn the_token_is_found_within_the_session() {
        let minter = Minter::new();
        let session = minter.session(3, Validity::Valid);
        assert_eq!(id_token(&session), minter.id_token(3, Validity::Valid));
    }
}
