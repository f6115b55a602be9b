//! The work that a peer is given, and what it takes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{
    case::{Body, Transport},
    running::Running,
    stage::HOST,
};
use crate::generator::{
    Arrival, Cookies, Expected, Generator, GeneratorError, Measured, Mix, Phase, Protocol, Request, Share, Size, Stop,
    Target, TargetError,
};

/// Requests at a time on one HTTP/2 connection.
pub(crate) const STREAMS: usize = 4;

/// Why there is no figure.
#[derive(Debug, Error)]
pub(crate) enum WorkError {
    /// The generator cannot begin or go on.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// The target cannot be named.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The peer has gone.
    #[error("read the processor time: {0}")]
    Process(#[from] std::io::Error),
    /// Answers that were not as expected.
    #[error("{wrong} of {all} requests came to nothing or to something else: {what}")]
    Wrong {
        /// How many.
        wrong: u64,
        /// Of how many.
        all: u64,
        /// How many of each status, and of each failure.
        what: String,
    },
    /// Neither the time nor the requests of a turn came to anything.
    #[error("nothing was measured")]
    Nothing,
}

/// Requests of one kind.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) transport: Transport,
    /// The body that is asked for.
    pub(crate) body: Body,
    /// The viewers, in turn.
    pub(crate) sessions: Vec<Cookies>,
}

/// What one turn of a peer came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Processor time of the peer a request, in microseconds.
    pub(crate) microseconds: f64,
    /// Answers a second.
    pub(crate) throughput: f64,
}

/// Open connections to a peer, and the work that goes over them.
pub(crate) struct Lane<'a> {
    running: &'a Running,
    generator: Generator,
}

impl Work {
    fn target(&self, running: &Running) -> Result<Target, TargetError> {
        let (address, protocol) = match self.transport {
            Transport::Http1 => return Ok(Target::plain(running.http, HOST)),
            Transport::TlsHttp1 => (running.https, Protocol::Http1),
            Transport::TlsHttp2 => (running.https, Protocol::Http2),
        };
        let target = Target {
            protocol,
            ..Target::plain(address, HOST)
        };
        target.with_tls(HOST, None)
    }

    fn mix(&self, expected: Option<u16>) -> Mix {
        let request = |cookies: &Cookies| Request::get(self.body.path()).cookies(cookies.clone());
        Mix::new(vec![Share {
            name: "request".to_owned(),
            weight: 1,
            requests: self.sessions.iter().map(request).collect(),
            expected: expected.map_or(Expected::Any, Expected::Status),
        }])
    }

    fn size(&self, connections: usize) -> Size {
        let (connections, streams) = match self.transport {
            Transport::TlsHttp2 => (connections.div_ceil(STREAMS), STREAMS),
            _ => (connections, 1),
        };
        Size {
            connections,
            streams,
            threads: 1,
        }
    }

    /// The same work for the origin itself.
    pub(crate) fn for_origin(&self, origin: SocketAddr, connections: usize) -> Result<Generator, WorkError> {
        let target = Target::plain(origin, HOST);
        Ok(Generator::connect(target, self.mix(Some(200)), self.size(connections))?)
    }

    /// The status of one answer.
    pub(crate) fn status_at(&self, running: &Running) -> Result<u16, WorkError> {
        let mut generator = Generator::connect(self.target(running)?, self.mix(None), self.size(1))?;
        let measured = generator.run(Phase::requests(1))?;
        measured.statuses.keys().next().copied().ok_or(WorkError::Nothing)
    }
}

impl<'a> Lane<'a> {
    /// Opens the connections.
    pub(crate) fn open(running: &'a Running, work: &Work, connections: usize) -> Result<Self, WorkError> {
        let generator = Generator::connect(work.target(running)?, work.mix(Some(200)), work.size(connections))?;
        Ok(Self { running, generator })
    }

    /// So many requests, each after the answer to the one before on its connection.
    pub(crate) fn turn(&mut self, requests: u64) -> Result<Sample, WorkError> {
        let before = self.running.processor_time()?;
        let began = Instant::now();
        let measured = right(self.generator.run(Phase::requests(requests))?)?;
        let elapsed = began.elapsed();
        let spent = self.running.processor_time()?.saturating_sub(before);
        if measured.answered == 0 || elapsed.is_zero() {
            return Err(WorkError::Nothing);
        }
        Ok(Sample {
            microseconds: spent.as_secs_f64() * 1e6 / measured.answered as f64,
            throughput: measured.answered as f64 / elapsed.as_secs_f64(),
        })
    }

    /// Requests that come by the clock, for a while.
    pub(crate) fn steady(&mut self, per_second: f64, time: Duration) -> Result<Measured, WorkError> {
        right(self.attempt(per_second, time)?)
    }

    /// The same at a rate that may be too high: some requests may come to nothing.
    pub(crate) fn attempt(&mut self, per_second: f64, time: Duration) -> Result<Measured, WorkError> {
        let phase = Phase {
            arrival: Arrival::Open { per_second },
            stop: Stop::After(time),
        };
        Ok(self.generator.run(phase)?)
    }
}

fn right(measured: Measured) -> Result<Measured, WorkError> {
    match measured.wrong() {
        0 => Ok(measured),
        wrong => Err(WorkError::Wrong {
            wrong,
            all: measured.answered + measured.failures.values().sum::<u64>(),
            what: outcomes(&measured),
        }),
    }
}

/// `200: 10, no answer in time: 1`
fn outcomes(measured: &Measured) -> String {
    let statuses = measured
        .statuses
        .iter()
        .map(|(status, count)| format!("{status}: {count}"));
    let failures = measured.failures.iter();
    let failures = failures.map(|(failure, count)| format!("{failure}: {count}"));
    statuses.chain(failures).collect::<Vec<_>>().join(", ")
}
