//! Peers side by side: the same work, in turns.

use std::convert::Infallible;

use super::{
    case::Case,
    lane::{Lane, Sample, Work, WorkError},
    machine::Machine,
    peer::Peer,
    progress::Progress,
    running::Running,
};
use crate::{generator::Cookies, process::keep_to, sessions::Minter};

/// Viewers whose sessions everybody has seen.
const KNOWN: usize = 16;

/// A turn is taken in so many parts, peers alternating, of which most are over before anything comes between. Of more of
/// them too many requests would be a connection's first since the others' turns.
pub(crate) const PARTS: usize = 5;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Requests of one peer in one turn.
    pub(crate) requests: u64,
    /// Connections to each.
    pub(crate) connections: usize,
    /// How often it is each peer's turn.
    pub(crate) turns: usize,
    /// Threads or processes of each peer.
    pub(crate) workers: usize,
}

/// A peer that is running.
pub(crate) type Entrant = (Peer, Running);

/// A core for each worker to the peers, of whom one has something to do at a time, the others to whoever else belongs to
/// the run. It stays so.
pub(crate) fn part(entrants: &[Entrant], plan: Plan, machine: &Machine) {
    let Some((own, others)) = machine.parted(plan.workers) else {
        return;
    };
    keep_to(std::process::id(), others);
    for (_, running) in entrants {
        running.keep_to(own);
    }
}

/// What a peer's turns came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Course {
    pub(crate) peer: Peer,
    pub(crate) samples: Vec<Sample>,
}

struct Racer<'a> {
    course: Course,
    lane: Lane<'a>,
}

/// The sessions of all comparisons.
pub(crate) fn known_sessions(minter: &Minter) -> Vec<Cookies> {
    minter.sessions(KNOWN, &mut |_| ())
}

/// Measures all peers that take part in the case. One that fails on the way is left out, and said to be.
pub(crate) fn compare(
    case: Case,
    entrants: &[Entrant],
    plan: Plan,
    sessions: &[Cookies],
    (machine, progress): (&mut Machine, &mut Progress),
) -> Vec<Course> {
    let work = Work {
        transport: case.transport(),
        body: case.body(),
        sessions: sessions.to_vec(),
    };
    let taking_part = entrants.iter().filter(|(peer, _)| peer.takes_part(case));
    let mut racers: Vec<Racer<'_>> = taking_part
        .filter_map(|(peer, running)| {
            let opened = warm(running, &work, plan);
            let lane = progress.kept(case, *peer, opened)?;
            let course = Course {
                peer: *peer,
                samples: Vec::new(),
            };
            Some(Racer { course, lane })
        })
        .collect();
    for turn in 0..plan.turns {
        progress.turn(case, turn, plan.turns);
        take_turns(case, &mut racers, plan, (machine, progress));
    }
    racers.into_iter().map(|racer| racer.course).collect()
}

/// Connections, code, caches, and what the peer keeps of sessions and answers.
fn warm<'a>(running: &'a Running, work: &Work, plan: Plan) -> Result<Lane<'a>, WorkError> {
    let mut lane = Lane::open(running, work, plan.connections)?;
    lane.turn(plan.requests)?;
    Ok(lane)
}

/// A turn of everybody. Whoever fails is out.
fn take_turns(case: Case, racers: &mut Vec<Racer<'_>>, plan: Plan, (machine, progress): (&mut Machine, &mut Progress)) {
    let Ok(taken) = machine.calmly(progress, || Ok::<_, Infallible>(alternate(racers, plan)));
    let mut taken = taken.into_iter();
    racers.retain_mut(|racer| {
        let taken = taken.next();
        let samples = taken.and_then(|taken| progress.kept(case, racer.course.peer, taken));
        let is_kept = samples.is_some();
        racer.course.samples.extend(samples.into_iter().flatten());
        is_kept
    });
}

/// The parts of a turn, each beginning with another peer.
fn alternate(racers: &mut [Racer<'_>], plan: Plan) -> Vec<Result<Vec<Sample>, WorkError>> {
    let requests = (plan.requests / PARTS as u64).max(1);
    let mut taken: Vec<Result<Vec<Sample>, WorkError>> = racers.iter().map(|_| Ok(Vec::new())).collect();
    for part in 0..PARTS {
        for place in 0..racers.len() {
            let index = (part + place) % racers.len();
            if let Ok(samples) = &mut taken[index] {
                match racers[index].lane.turn(requests) {
                    Ok(sample) => samples.push(sample),
                    Err(error) => taken[index] = Err(error),
                }
            }
        }
    }
    taken
}
