//! Peers side by side: the same work, in turns.

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
        take_turns(case, &mut racers, (plan, turn), (machine, progress));
    }
    racers.into_iter().map(|racer| racer.course).collect()
}

/// Connections, code, caches, and what the peer keeps of sessions and answers.
fn warm<'a>(running: &'a Running, work: &Work, plan: Plan) -> Result<Lane<'a>, WorkError> {
    let mut lane = Lane::open(running, work, plan.connections)?;
    lane.turn(plan.requests)?;
    Ok(lane)
}

/// Everybody once, each turn beginning with another one.
fn take_turns(
    case: Case,
    racers: &mut Vec<Racer<'_>>,
    (plan, turn): (Plan, usize),
    (machine, progress): (&mut Machine, &mut Progress),
) {
    let count = racers.len();
    let mut failed = Vec::new();
    for place in 0..count {
        let index = (turn + place) % count;
        let racer = &mut racers[index];
        let taken = machine.calmly(progress, || racer.lane.turn(plan.requests));
        match progress.kept(case, racer.course.peer, taken) {
            Some(sample) => racer.course.samples.push(sample),
            None => failed.push(index),
        }
    }
    failed.sort_unstable();
    for index in failed.into_iter().rev() {
        racers.remove(index);
    }
}
