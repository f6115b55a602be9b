//! Measurements of memory: many connections on which nothing happens, many sessions that have been seen.

use std::{thread, time::Duration};

use super::{
    LoadError,
    arguments::StartedArguments,
    progress::Progress,
    report::{Goal, Report},
    subject::Subject,
};
use crate::{
    generator::{Arrival, Expected, Generator, Mix, Phase, Protocol, Request, Share, Size, Stop},
    origin, process,
    sessions::{Minter, Validity},
};

const MEBIBYTE: u64 = 1 << 20;
/// Open files besides the connections of viewers: the origin's connections, listeners, libraries.
const OTHER_FILES: u64 = 512;
/// First requests a second on idle connections: few enough for few connections to the origin.
const GENTLE: f64 = 1_000.0;

/// For the sizes at which the goals are set; smaller runs have none.
fn goal(what: &str, reached: bool, bound: u64, report: &Report) -> Vec<Goal> {
    let moments = report.memory.iter().flat_map(|memory| &memory.moments);
    let found = moments.map(|moment| moment.memory.rss).max();
    let goal = found.filter(|_| reached).map(|found_bytes| Goal {
        what: what.to_owned(),
        bound_bytes: bound,
        found_bytes,
    });
    goal.into_iter().collect()
}

/// Opens connections, asks once on each, is silent for a while, and asks once more on each.
pub(super) fn idle(
    connections: usize,
    tls: bool,
    silence: Duration,
    started: &StartedArguments,
    progress: &mut Progress,
) -> Result<Report, LoadError> {
    let needed = connections as u64 + OTHER_FILES;
    let allowed = process::raise_open_files();
    if needed > allowed {
        return Err(LoadError::OpenFiles { needed, allowed });
    }
    progress.begin("starting origin, identity provider and proxy");
    let subject = Subject::start(started, Protocol::Http1, tls)?;
    let cookies = Minter::new().session(0, Validity::Valid);
    let mix = Mix::single("valid", Request::get(origin::SMALL).cookies(cookies), 200);
    let size = Size {
        connections,
        streams: 1,
        threads: 1,
    };
    let setup = subject.setup("idle connections", size, &mix, "HTTP/1.1");
    progress.begin("opening connections");
    let mut generator = Generator::connect(subject.target.clone(), mix, size)?;
    subject.remember("connected")?;
    // In an open loop the connections take turns, so that each asks once.
    let once = Phase {
        arrival: Arrival::Open { per_second: GENTLE },
        stop: Stop::Requests(connections as u64),
    };
    let first = subject.measure("first requests", &mut generator, once, progress)?;
    progress.begin("silence");
    thread::sleep(silence);
    subject.remember("idle")?;
    let last = subject.measure("last requests", &mut generator, once, progress)?;
    let mut report = subject.report(setup, vec![first, last])?;
    report.goals = goal(
        "RSS with 10,000 idle connections",
        connections >= 10_000,
        300 * MEBIBYTE,
        &report,
    );
    Ok(report)
}

/// Signs sessions, and shows each to the proxy twice.
pub(super) fn sessions(
    count: usize,
    connections: usize,
    started: &StartedArguments,
    progress: &mut Progress,
) -> Result<Report, LoadError> {
    progress.begin("starting origin, identity provider and proxy");
    let subject = Subject::start(started, Protocol::Http1, false)?;
    let minter = Minter::new();
    let minted = minter.sessions(count, &mut |made| progress.count("signing sessions", made, count));
    let request = Request::get(origin::SMALL);
    let mix = Mix::new(vec![Share {
        name: "distinct".to_owned(),
        weight: 1,
        requests: minted
            .into_iter()
            .map(|cookies| request.clone().cookies(cookies))
            .collect(),
        expected: Expected::Status(200),
    }]);
    let familiar = Mix::single("valid", request.cookies(minter.session(u64::MAX, Validity::Valid)), 200);
    let size = Size {
        connections,
        streams: 1,
        threads: 1,
    };
    let setup = subject.setup("closed loop, each session once a round", size, &mix, "HTTP/1.1");
    let all = Phase::requests(count as u64);
    // One session again and again: what is the same without new ones.
    let mut generator = Generator::connect(subject.target.clone(), familiar, size)?;
    generator.run(Phase::requests(1_000.min(count as u64)))?;
    let one = subject.measure("one session", &mut generator, all, progress)?;
    let mut generator = Generator::connect(subject.target.clone(), mix, size)?;
    let first = subject.measure("first round", &mut generator, all, progress)?;
    let second = subject.measure("second round", &mut generator, all, progress)?;
    let mut report = subject.report(setup, vec![one, first, second])?;
    report.goals = goal("RSS after 100,000 sessions", count >= 100_000, 400 * MEBIBYTE, &report);
    Ok(report)
}
