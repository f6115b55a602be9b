//! The load generator: many requests over few connections, and how long each took.
//!
//! **Open loop**: requests are due at a constant rate, whether or not earlier ones have been answered. Latency
//! counts from the moment a request was due, so a server that stands still for a second is charged for
//! everybody who would have come during that second (no coordinated omission). **Closed loop**: each connection
//! sends its next request once it has the answer to the last one; this finds the limit, not what viewers feel.
//!
//! Each thread has a runtime of its own that does nothing else; HTTP/1.1 is written and read by hand, because
//! the load is to cost less than what it measures. Connections stay open from one [`Phase`] to the next, so
//! that a warm-up is just a phase, and several servers can be measured in turns:
//!
//! ```no_run
//! # fn example(target: benches::generator::Target, mix: benches::generator::Mix)
//! #     -> Result<(), benches::generator::GeneratorError> {
//! use benches::generator::{Generator, Phase, Size};
//!
//! let mut generator = Generator::connect(target, mix, Size { connections: 64, streams: 1, threads: 1 })?;
//! generator.run(Phase::requests(1_000))?; // warms up
//! let measured = generator.run(Phase::requests(20_000))?;
//! println!("p99 {:?}", measured.latency(0.99));
//! # Ok(()) }
//! ```
//!
//! What exists was looked at. `rlt` sends each result through a channel and its ticks carry no time, so its
//! latencies cannot be corrected; `goose` fills in what it takes to be missing, and sends by reqwest; `oha` is
//! a program. From libraries come the parts: hdrhistogram, httparse, h2, rustls.

mod arrival;
mod connection;
mod http1;
mod http2;
mod mix;
mod record;
mod target;
mod timer;
mod worker;

use std::{
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::Duration,
};

use thiserror::Error;

pub use arrival::{Arrival, Phase, Stop};
pub use connection::Failure;
pub use mix::{Cookies, Expected, Mix, Request, Share};
pub use record::{Measured, Second, ShareCount};
pub use target::{Protocol, Security, Target, TargetError};

use record::Progress;

/// How often a watcher is told how far a phase is.
const REFRESH: Duration = Duration::from_millis(500);

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Connections at a time, of all threads.
    pub connections: usize,
    /// Requests at a time on one HTTP/2 connection; HTTP/1.1 has one.
    pub streams: usize,
    /// Threads that generate load.
    pub threads: usize,
}

/// Why load could not be generated.
#[derive(Debug, Error)]
pub enum GeneratorError {
    /// No connection, no thread or no request.
    #[error("there must be at least one {0}")]
    Nothing(&'static str),
    /// The target does not answer as it should.
    #[error("connect to {address}: {failure}")]
    Connect {
        /// Where to.
        address: std::net::SocketAddr,
        /// What went wrong.
        failure: Failure,
    },
    /// The system gives no thread or no timer.
    #[error("start a load thread: {0}")]
    Start(std::io::Error),
    /// A load thread has ended before its time.
    #[error("a load thread ended early")]
    Ended,
}

/// What a phase has come to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoFar {
    /// Since its beginning.
    pub elapsed: Duration,
    /// Requests answered, as expected or not.
    pub answered: u64,
    /// Requests without an answer, or with an unexpected one.
    pub wrong: u64,
}

/// Connections to a target, and the threads that load them.
#[derive(Debug)]
pub struct Generator {
    threads: Vec<Thread>,
    mix: Arc<Mix>,
}

#[derive(Debug)]
struct Thread {
    phases: mpsc::Sender<worker::Order>,
    results: mpsc::Receiver<Measured>,
}

impl Generator {
    /// Opens the connections.
    ///
    /// # Errors
    /// If the first attempt of any connection fails; later, connections are opened anew where needed.
    pub fn connect(target: Target, mix: Mix, size: Size) -> Result<Self, GeneratorError> {
        for (count, what) in [
            (size.connections, "connection"),
            (size.streams, "stream"),
            (size.threads, "thread"),
            (mix.len(), "request"),
        ] {
            if count == 0 {
                return Err(GeneratorError::Nothing(what));
            }
        }
        let (target, mix) = (Arc::new(target), Arc::new(mix));
        let count = size.threads.min(size.connections);
        let mut starting = Vec::new();
        for index in 0..count {
            let (phases, orders) = mpsc::channel();
            let (answers, results) = mpsc::channel();
            let (connected, connecting) = mpsc::sync_channel(1);
            let part = worker::Part {
                target: Arc::clone(&target),
                mix: Arc::clone(&mix),
                // The first threads have one more, where they cannot be shared out evenly.
                connections: size.connections / count + usize::from(index < size.connections % count),
                streams: size.streams,
                index,
                threads: count,
            };
            thread::Builder::new()
                .name(format!("load-{index}"))
                .spawn(move || worker::run(part, &connected, &orders, &answers))
                .map_err(GeneratorError::Start)?;
            starting.push((Thread { phases, results }, connecting));
        }
        let threads = starting.into_iter().map(|(thread, connecting)| {
            connecting.recv().map_err(|_| GeneratorError::Ended)??;
            Ok(thread)
        });
        Ok(Self {
            threads: threads.collect::<Result<_, GeneratorError>>()?,
            mix,
        })
    }

    /// Runs a phase to its end.
    ///
    /// # Errors
    /// If a thread has gone.
    pub fn run(&mut self, phase: Phase) -> Result<Measured, GeneratorError> {
        self.run_watched(phase, &mut |_| ())
    }

    /// Runs a phase to its end and tells about it twice a second.
    ///
    /// # Errors
    /// If a thread has gone.
    pub fn run_watched(&mut self, phase: Phase, watch: &mut dyn FnMut(SoFar)) -> Result<Measured, GeneratorError> {
        let progress = Arc::new(Progress::default());
        let start = std::time::Instant::now();
        let count = self.threads.len();
        for (index, thread) in self.threads.iter().enumerate() {
            let order = worker::Order {
                phase: phase.part(index, count),
                start,
                progress: Arc::clone(&progress),
            };
            thread.phases.send(order).map_err(|_| GeneratorError::Ended)?;
        }
        let mut whole = Measured::new(&self.mix);
        for thread in &self.threads {
            let part = loop {
                match thread.results.recv_timeout(REFRESH) {
                    Ok(part) => break part,
                    Err(mpsc::RecvTimeoutError::Timeout) => watch(SoFar {
                        elapsed: start.elapsed(),
                        answered: progress.answered.load(Ordering::Relaxed),
                        wrong: progress.wrong.load(Ordering::Relaxed),
                    }),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Err(GeneratorError::Ended),
                }
            };
            whole.add(&part);
        }
        Ok(whole.finished(phase.arrival))
    }
}
