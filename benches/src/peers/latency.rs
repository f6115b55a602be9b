//! How long requests take while a proxy is busy, but not too busy.
//!
//! Requests come by the clock, and each counts from when it was due. First each peer's limit is looked for: the rate
//! that it only just keeps up with. A limit found in closed loop would be too high: whoever waits for answers sends
//! and receives many at a time, and one request each time the clock ticks takes more of load, proxy and origin.
//! The peer has its cores to itself, where there are enough: with three programs on two cores most of what the slowest
//! requests wait for is that the kernel lets the peer run again.
//!
//! Then requests come at 70 % of that limit, in many short turns, whose median counts: where a core of a guest stands
//! still for milliseconds a few times a second, the slowest hundredth of any longer time is made of nothing else. A slower proxy has fewer of them to answer so; a second figure has all at
//! the rate of the slowest.

use std::time::Duration;

use serde::Serialize;

use super::{
    case::Case,
    compare::{Entrant, Plan},
    lane::{Lane, Work, WorkError},
    machine::Machine,
    peer::Peer,
    progress::Progress,
    statistics::Spread,
};
use crate::generator::Cookies;

/// Of a peer's limit.
const SHARE: f64 = 0.7;
/// How long a peer's turn is: some hundreds of requests.
const TURN: Duration = Duration::from_millis(40);
/// Not measured: the peer's first requests after the others' turns.
const WARM_UP: Duration = Duration::from_millis(20);
/// Turns of each peer for one that is asked for, which is longer in the other cases. The machine is looked at before and
/// after them all.
const ROUND: usize = 40;
/// Searches for the limit.
const SEARCHES: usize = 3;
/// Halvings of the span in which a limit lies: down to a fiftieth of where it began.
const HALVINGS: usize = 6;
/// How long a rate is tried.
const TRIAL: Duration = Duration::from_secs(1);
/// What half of the requests may wait at a rate that is kept up with. At one too high by a fiftieth the queue is twice
/// that long by the middle of a trial.
const KEPT_UP: Duration = Duration::from_millis(5);

/// What was found of a peer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// The peer.
    pub peer: Peer,
    /// The most requests a second that it answers.
    pub saturation: f64,
    /// At 70 % of its own limit.
    pub own: Steady,
    /// At 70 % of the limit of the slowest.
    pub equal: Steady,
}

/// Requests at a rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steady {
    /// Requests a second.
    pub rate: f64,
    /// The median, in microseconds.
    pub p50: Spread,
    /// The 99th percentile, in microseconds.
    pub p99: Spread,
    /// The 99th percentile of ours to this one's.
    pub ratio: Option<Spread>,
}

struct Racer<'a> {
    peer: Peer,
    lane: Lane<'a>,
    saturation: f64,
}

#[derive(Clone, Default)]
struct Times {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// Measures those that take part.
pub(crate) fn measure(
    entrants: &[Entrant],
    plan: Plan,
    sessions: &[Cookies],
    (machine, progress): (&mut Machine, &mut Progress),
) -> Result<Vec<Latency>, WorkError> {
    let mut racers = find_limits(entrants, plan, sessions, (machine, progress))?;
    let own: Vec<f64> = racers.iter().map(|racer| racer.saturation * SHARE).collect();
    let least = own.iter().copied().fold(f64::INFINITY, f64::min);
    let equal = vec![least; own.len()];
    let mut own = run(&mut racers, &own, plan, (machine, progress))?.into_iter();
    let mut equal = run(&mut racers, &equal, plan, (machine, progress))?.into_iter();
    let found = racers.iter().map(|racer| {
        Some(Latency {
            peer: racer.peer,
            saturation: racer.saturation,
            own: own.next()?,
            equal: equal.next()?,
        })
    });
    found.collect::<Option<_>>().ok_or(WorkError::Nothing)
}

fn find_limits<'a>(
    entrants: &'a [Entrant],
    plan: Plan,
    sessions: &[Cookies],
    (machine, progress): (&mut Machine, &mut Progress),
) -> Result<Vec<Racer<'a>>, WorkError> {
    progress.say(&format!("{}: looking for the limits", Case::Latency.id()));
    let work = Work {
        transport: Case::Latency.transport(),
        body: Case::Latency.body(),
        sessions: sessions.to_vec(),
    };
    let mut racers = Vec::new();
    for (peer, running) in entrants.iter().filter(|(peer, _)| peer.takes_part(Case::Latency)) {
        let mut lane = Lane::open(running, &work, plan.connections)?;
        lane.turn(plan.requests)?;
        racers.push(Racer {
            peer: *peer,
            lane,
            saturation: 0.0,
        });
    }
    let mut found = vec![Vec::new(); racers.len()];
    for _ in 0..SEARCHES {
        for (racer, found) in racers.iter_mut().zip(&mut found) {
            found.push(machine.calmly(progress, || find_limit(&mut racer.lane, plan))?);
        }
    }
    for (racer, found) in racers.iter_mut().zip(&found) {
        racer.saturation = Spread::of(found).ok_or(WorkError::Nothing)?.median;
    }
    Ok(racers)
}

/// The greatest rate that is kept up with, below what a closed loop reaches.
fn find_limit(lane: &mut Lane<'_>, plan: Plan) -> Result<f64, WorkError> {
    let (mut low, mut high) = (0.0, lane.turn(plan.requests)?.throughput);
    for _ in 0..HALVINGS {
        let rate = f64::midpoint(low, high);
        let measured = lane.attempt(rate, TRIAL)?;
        let is_kept_up = measured.wrong() == 0 && measured.latency(0.5) < KEPT_UP;
        *(if is_kept_up { &mut low } else { &mut high }) = rate;
    }
    if low > 0.0 { Ok(low) } else { Err(WorkError::Nothing) }
}

/// Everybody in turns, each at its rate.
fn run(
    racers: &mut [Racer<'_>],
    rates: &[f64],
    plan: Plan,
    (machine, progress): (&mut Machine, &mut Progress),
) -> Result<Vec<Steady>, WorkError> {
    let mut times = vec![Times::default(); racers.len()];
    for turn in 0..plan.turns {
        progress.turn(Case::Latency, turn, plan.turns);
        let round = machine.calmly(progress, || round(racers, rates))?;
        for (all, these) in times.iter_mut().zip(round) {
            all.p50.extend(these.p50);
            all.p99.extend(these.p99);
        }
    }
    let ours = racers.iter().position(|racer| racer.peer == Peer::Portcullis);
    let steady = times.iter().zip(rates).map(|(of, &rate)| {
        Some(Steady {
            rate,
            p50: Spread::of(&of.p50)?,
            p99: Spread::of(&of.p99)?,
            ratio: ours.and_then(|ours| Spread::of_ratios(&times[ours].p99, &of.p99)),
        })
    });
    steady.collect::<Option<_>>().ok_or(WorkError::Nothing)
}

fn round(racers: &mut [Racer<'_>], rates: &[f64]) -> Result<Vec<Times>, WorkError> {
    let mut times = vec![Times::default(); racers.len()];
    for turn in 0..ROUND {
        for place in 0..racers.len() {
            let index = (turn + place) % racers.len();
            let Racer { lane, .. } = &mut racers[index];
            lane.steady(rates[index], WARM_UP)?;
            let measured = lane.steady(rates[index], TURN)?;
            times[index].p50.push(measured.latency(0.5).as_secs_f64() * 1e6);
            times[index].p99.push(measured.latency(0.99).as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}
