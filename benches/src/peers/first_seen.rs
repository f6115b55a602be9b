//! What it costs to see a session for the first time.
//!
//! Turn by turn: requests of sessions that the proxy knows; as many of which every other is of a session that it has
//! never seen; the same of a bare Pingora that verifies the signatures of those tokens and does nothing else; and the
//! signatures verified one after the other, without any proxy. The last is done on the proxy's core, which it has to
//! itself where there are enough, and while load and origin go on without a proxy at the same pace, since a core may have
//! to share what it calculates with. Three figures come of it. The decision about a new session, by the proxy's own
//! metrics, is to be one verification and little more: one as it is in a proxy, where the kernel's work in between leaves
//! little of anybody's code and data in the processor's first caches. Against one without any proxy it is told as well.
//! And so is what the whole request costs above a known one, but that has more in it: the longer a proxy takes, the
//! more often origin and load sleep meanwhile and have to be woken, which is the proxy's time too.
//!
//! Before anything is measured the proxy sees as many sessions as it remembers, if there are requests enough: memory is
//! touched for the first time once in a proxy's life, not once a session.

use std::{net::SocketAddr, thread, time::Duration};

use auth_core::Capabilities;
use serde::Serialize;

use super::{
    bare,
    case::Case,
    compare::Plan,
    lane::{Lane, Work, WorkError},
    machine::Machine,
    progress::Progress,
    running::Running,
    statistics::Spread,
    verification::{self, Verification},
};
use crate::{
    generator::{Arrival, Cookies, Generator, Phase, Stop},
    load::metrics::Endpoint,
    process::keep_thread_to,
    sessions::Minter,
};

/// How long load and origin are at work before anything is verified.
const SETTLING: Duration = Duration::from_millis(50);
/// A generous time for a verification: the load goes on for so long for each.
const VERIFICATION: Duration = Duration::from_micros(50);
/// The proxy's series of its decisions.
const DECISIONS: &str = "portcullis_auth_decision_duration_seconds";
/// Of so many requests one is of a new session.
const EVERY: usize = 2;
/// Requests in a part: most parts are over before anything comes between, and the median is of those.
const PART: usize = 500;

/// Processor time, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstSeen {
    /// A request of a known session.
    pub known: Spread,
    /// A request of a session that is new.
    pub new: Spread,
    /// The decision about a known session, by the clock.
    pub known_decision: Spread,
    /// The decision about a new one.
    pub decision: Spread,
    /// One verification by ring in a bare Pingora at the same work, by the clock.
    pub in_proxy: Spread,
    /// One without any proxy, by the clock.
    pub alone: Spread,
    /// The decision, in verifications in a proxy.
    pub ratio: Spread,
    /// What the decision takes above one about a known session, in verifications in a proxy.
    pub extra_ratio: Spread,
    /// The decision, in verifications without one.
    pub ratio_alone: Spread,
    /// What a request of a new session costs above one of a known one, in verifications without a proxy.
    pub request_ratio: Spread,
}

#[derive(Default)]
struct Figures {
    known: Vec<f64>,
    new: Vec<f64>,
    known_decision: Vec<f64>,
    decision: Vec<f64>,
    in_proxy: Vec<f64>,
    alone: Vec<Verification>,
}

/// Measures ours beside the bare one that verifies.
pub(crate) fn measure(
    (running, verifying): (&Running, &Running),
    plan: Plan,
    minter: &Minter,
    origin: SocketAddr,
    (machine, progress): (&mut Machine, &mut Progress),
) -> Result<FirstSeen, WorkError> {
    let requests = usize::try_from(plan.requests).unwrap_or(usize::MAX);
    let part = requests.clamp(EVERY, PART);
    let parts = requests.div_ceil(part);
    let known = super::compare::known_sessions(minter);
    let remembered = Capabilities::PROXY.remembered_tokens.min(requests * plan.turns);
    let each = part / EVERY;
    let count = known.len() + remembered + each * parts * plan.turns;
    let mut load = work(known.clone()).for_origin(origin, plan.connections)?;
    progress.say(&format!("{}: signing {count} tokens", Case::FirstSeen.id()));
    let sessions = minter.sessions(count, &mut |_| ());
    let (remembered, new) = sessions[known.len()..].split_at(remembered);
    Lane::open(running, &work(remembered.to_vec()), plan.connections)?.turn(remembered.len() as u64)?;
    let cores = machine
        .parted(plan.workers)
        .map_or_else(Vec::new, |(own, _)| own.to_vec());
    let mixed = mixed(&known, new, plan.connections);
    let mut of_known = Course::begin(running, DECISIONS, known, plan)?;
    let mut of_mixed = Course::begin(running, DECISIONS, mixed.clone(), plan)?;
    let mut of_verifying = Course::begin(verifying, bare::VERIFICATIONS, mixed, plan)?;
    let mut figures = Figures::default();
    for (turn, new) in new.chunks_exact(each * parts).enumerate() {
        progress.turn(Case::FirstSeen, turn, plan.turns);
        machine.wait(progress);
        let mut taken = Figures::default();
        let mut per_second = 0.0_f64;
        for _ in 0..parts {
            let known = of_known.part(each * EVERY)?;
            let mixed = of_mixed.part(each * EVERY)?;
            // What a mixed part comes to above a known one is all due to the new ones in it.
            let of_new = |known: f64, mixed: f64| known + (mixed - known) * EVERY as f64;
            taken.known.push(known.request);
            taken.new.push(of_new(known.request, mixed.request));
            taken.known_decision.push(known.timed);
            taken.decision.push(of_new(known.timed, mixed.timed));
            taken.in_proxy.push(of_verifying.part(each * EVERY)?.timed);
            per_second = per_second.max(mixed.per_second);
        }
        let tokens: Vec<&str> = new.iter().map(id_token).collect();
        taken.alone = verify(&tokens, each, &cores, (&mut load, per_second))?;
        // It cannot be taken again: by now its sessions are known.
        if machine.is_still_calm() {
            figures.add(taken);
        }
    }
    figures.spread().ok_or(WorkError::Nothing)
}

/// Verifications in parts of so many, on one of these cores if any is named, while the origin is asked so often.
fn verify(
    tokens: &[&str],
    each: usize,
    cores: &[usize],
    (origin, per_second): (&mut Generator, f64),
) -> Result<Vec<Verification>, WorkError> {
    let phase = Phase {
        arrival: Arrival::Open { per_second },
        stop: Stop::After(2 * SETTLING + VERIFICATION * u32::try_from(tokens.len()).unwrap_or(u32::MAX)),
    };
    let verify = || {
        if !cores.is_empty() {
            keep_thread_to(cores);
        }
        thread::sleep(SETTLING);
        tokens.chunks(each).map(verification::measure).collect::<Option<_>>()
    };
    let verified = thread::scope(|scope| {
        let verified = scope.spawn(verify);
        origin.run(phase).map(|_| verified.join())
    })?;
    verified.ok().flatten().ok_or(WorkError::Nothing)
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

/// Of these sessions in turn.
const fn work(sessions: Vec<Cookies>) -> Work {
    Work {
        transport: Case::FirstSeen.transport(),
        body: Case::FirstSeen.body(),
        sessions,
    }
}

/// Requests to one proxy, part after part.
struct Course<'a> {
    running: &'a Running,
    /// What tells how long that took which is timed there.
    series: &'static str,
    lane: Lane<'a>,
}

struct Taken {
    /// Processor time of a request, in microseconds.
    request: f64,
    /// Requests a second.
    per_second: f64,
    /// What is timed by the clock, a decision or a verification, in microseconds.
    timed: f64,
}

impl<'a> Course<'a> {
    /// With the first request of each connection, which is not measured.
    fn begin(
        running: &'a Running,
        series: &'static str,
        sessions: Vec<Cookies>,
        plan: Plan,
    ) -> Result<Self, WorkError> {
        let mut lane = Lane::open(running, &work(sessions), plan.connections)?;
        lane.turn(plan.connections as u64)?;
        Ok(Self { running, series, lane })
    }

    /// The next so many sessions.
    fn part(&mut self, requests: usize) -> Result<Taken, WorkError> {
        let before = self.timed()?;
        let sample = self.lane.turn(requests as u64)?;
        let after = self.timed()?;
        Ok(Taken {
            request: sample.microseconds,
            per_second: sample.throughput,
            timed: (after.0 - before.0) * 1e6 / (after.1 - before.1),
        })
    }

    /// How many seconds went into what is timed, and how often it was.
    fn timed(&self) -> Result<(f64, f64), WorkError> {
        let scrape = Endpoint::of_admin(self.running.admin).scrape()?;
        let sum_of = |name: &str| {
            let name = format!("{}_{name}", self.series);
            let named = scrape.iter().filter(|(series, _)| series.starts_with(&name));
            named.map(|(_, value)| value).sum()
        };
        Ok((sum_of("sum"), sum_of("count")))
    }
}

impl Figures {
    fn add(&mut self, taken: Self) {
        self.known.extend(taken.known);
        self.new.extend(taken.new);
        self.known_decision.extend(taken.known_decision);
        self.decision.extend(taken.decision);
        self.in_proxy.extend(taken.in_proxy);
        self.alone.extend(taken.alone);
    }

    fn spread(&self) -> Option<FirstSeen> {
        let above = |new: &[f64], known: &[f64]| -> Vec<f64> {
            new.iter().zip(known).map(|(new, known)| new - known).collect()
        };
        let extra = above(&self.new, &self.known);
        let extra_decision = above(&self.decision, &self.known_decision);
        let by_clock: Vec<f64> = self.alone.iter().map(|taken| taken.clock).collect();
        let processor: Vec<f64> = self.alone.iter().map(|taken| taken.processor).collect();
        Some(FirstSeen {
            known: Spread::of(&self.known)?,
            new: Spread::of(&self.new)?,
            known_decision: Spread::of(&self.known_decision)?,
            decision: Spread::of(&self.decision)?,
            in_proxy: Spread::of(&self.in_proxy)?,
            alone: Spread::of(&by_clock)?,
            ratio: Spread::of_ratios(&self.decision, &self.in_proxy)?,
            extra_ratio: Spread::of_ratios(&extra_decision, &self.in_proxy)?,
            ratio_alone: Spread::of_ratios(&self.decision, &by_clock)?,
            request_ratio: Spread::of_ratios(&extra, &processor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Validity;

    const fn taken(clock: f64, processor: f64) -> Verification {
        Verification { clock, processor }
    }

    #[test]
    fn what_is_timed_alike_is_compared() {
        let figures = Figures {
            known: vec![50.0],
            new: vec![90.0],
            known_decision: vec![12.0],
            decision: vec![60.0],
            in_proxy: vec![48.0],
            alone: vec![taken(40.0, 20.0)],
        };
        let found = figures.spread().unwrap();
        assert!((found.ratio.median - 1.25).abs() < 1e-9, "{found:?}");
        assert!((found.extra_ratio.median - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.ratio_alone.median - 1.5).abs() < 1e-9, "{found:?}");
        assert!((found.request_ratio.median - 2.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_request_s_ratio_is_of_what_comes_on_top() {
        let figures = Figures {
            known: vec![50.0, 60.0, 40.0],
            new: vec![90.0, 102.0, 81.0],
            known_decision: vec![1.0, 2.0, 1.0],
            decision: vec![42.0, 43.0, 44.0],
            in_proxy: vec![40.0; 3],
            alone: vec![taken(40.0, 40.0); 3],
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
