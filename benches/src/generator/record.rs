//! What came of it: counts, and how long requests took.
//!
//! Two durations of each request. *Service time* is from writing it to the end of its answer. *Latency* is from
//! when it was due, which in an open loop is known; in a closed loop, where a slow answer also keeps the next
//! requests from being sent, it is what hdrhistogram's correction fills in, taking the median service time for
//! the pace that the connections would have kept.

use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Duration};

use hdrhistogram::Histogram;

use super::{arrival::Arrival, connection::Failure, mix::Mix};

/// In nanoseconds: more counts as this much.
const LONGEST: u64 = 300_000_000_000;
/// Of what is reported.
const DIGITS: u8 = 3;
/// Of the seconds' histograms, of which there are many.
const DIGITS_OF_A_SECOND: u8 = 2;

/// For those who watch.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) answered: AtomicU64,
    pub(super) wrong: AtomicU64,
}

/// One kind of requests, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareCount {
    /// Its name.
    pub name: String,
    /// Answered, as expected or not.
    pub answered: u64,
    /// Answered with another status than the expected one.
    pub unexpected: u64,
}

/// One second of a phase.
#[derive(Clone, Debug)]
pub struct Second {
    /// Requests answered in it.
    pub answered: u64,
    /// Requests that failed in it, or were answered unexpectedly.
    pub wrong: u64,
    /// Their latency.
    latency: Histogram<u32>,
}

impl Second {
    fn empty() -> Self {
        Self {
            answered: 0,
            wrong: 0,
            latency: histogram(DIGITS_OF_A_SECOND),
        }
    }

    /// A quantile of the latency; `None`: nothing was answered.
    #[must_use]
    pub fn latency(&self, quantile: f64) -> Option<Duration> {
        (!self.latency.is_empty()).then(|| Duration::from_nanos(self.latency.value_at_quantile(quantile)))
    }
}

/// What a phase came to.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From the beginning to the last answer.
    pub elapsed: Duration,
    /// Requests answered, as expected or not.
    pub answered: u64,
    /// Bytes of bodies.
    pub body_bytes: u64,
    /// Connections opened anew, because the server had closed them or something had failed.
    pub reconnections: u64,
    /// By kind, in the order of the mix.
    pub shares: Vec<ShareCount>,
    /// By status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer, by reason.
    pub failures: BTreeMap<Failure, u64>,
    /// Second by second.
    pub seconds: Vec<Second>,
    service: Histogram<u64>,
    latency: Histogram<u64>,
}

/// When something happened to a request, since the beginning of the phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// When it should have been sent; in a closed loop, when it was.
    pub(super) due: Duration,
    pub(super) sent: Duration,
    pub(super) done: Duration,
}

impl Measured {
    pub(super) fn new(mix: &Mix) -> Self {
        let count = |share: &super::Share| ShareCount {
            name: share.name.clone(),
            ..ShareCount::default()
        };
        Self {
            elapsed: Duration::ZERO,
            answered: 0,
            body_bytes: 0,
            reconnections: 0,
            shares: mix.shares.iter().map(count).collect(),
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            seconds: Vec::new(),
            service: histogram(DIGITS),
            latency: histogram(DIGITS),
        }
    }

    /// Notes an answer to a request of that kind; whether it was as expected is the caller's finding.
    pub(super) fn answered(&mut self, share: usize, status: u16, body_bytes: u64, expected: bool, at: Moments) {
        self.answered += 1;
        self.body_bytes += body_bytes;
        *self.statuses.entry(status).or_default() += 1;
        let count = &mut self.shares[share];
        count.answered += 1;
        count.unexpected += u64::from(!expected);
        self.service
            .saturating_record(nanoseconds(at.done.saturating_sub(at.sent)));
        let latency = nanoseconds(at.done.saturating_sub(at.due));
        self.latency.saturating_record(latency);
        let second = self.second(at.done);
        second.answered += 1;
        second.wrong += u64::from(!expected);
        second.latency.saturating_record(latency);
        self.elapsed = self.elapsed.max(at.done);
    }

    /// Notes a request that was not answered. It has kept somebody waiting all the same.
    pub(super) fn failed(&mut self, failure: Failure, at: Moments) {
        *self.failures.entry(failure).or_default() += 1;
        self.latency
            .saturating_record(nanoseconds(at.done.saturating_sub(at.due)));
        self.second(at.done).wrong += 1;
        self.elapsed = self.elapsed.max(at.done);
    }

    fn second(&mut self, at: Duration) -> &mut Second {
        let index = usize::try_from(at.as_secs()).unwrap_or(usize::MAX);
        while self.seconds.len() <= index {
            self.seconds.push(Second::empty());
        }
        &mut self.seconds[index]
    }

    /// Adds what another thread found in the same phase.
    pub(super) fn add(&mut self, other: &Self) {
        self.elapsed = self.elapsed.max(other.elapsed);
        self.answered += other.answered;
        self.body_bytes += other.body_bytes;
        self.reconnections += other.reconnections;
        for (mine, theirs) in self.shares.iter_mut().zip(&other.shares) {
            mine.answered += theirs.answered;
            mine.unexpected += theirs.unexpected;
        }
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (failure, count) in &other.failures {
            *self.failures.entry(*failure).or_default() += count;
        }
        for (index, theirs) in other.seconds.iter().enumerate() {
            let mine = self.second(Duration::from_secs(index as u64));
            mine.answered += theirs.answered;
            mine.wrong += theirs.wrong;
            // All have the same bounds.
            let _ = mine.latency.add(&theirs.latency);
        }
        let _ = self.service.add(&other.service);
        let _ = self.latency.add(&other.latency);
    }

    /// Corrects what a closed loop has left out.
    pub(super) fn finished(mut self, arrival: Arrival) -> Self {
        if arrival == Arrival::Closed && !self.service.is_empty() {
            self.latency = self.service.clone_correct(self.service.value_at_quantile(0.5));
        }
        self
    }

    /// Requests that failed or were answered unexpectedly.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        let unexpected: u64 = self.shares.iter().map(|share| share.unexpected).sum();
        unexpected + self.failures.values().sum::<u64>()
    }

    /// Answers a second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.answered as f64 / seconds
        } else {
            0.0
        }
    }

    /// A quantile of the time since requests were due, corrected for coordinated omission; 1.0 is the greatest.
    #[must_use]
    pub fn latency(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_quantile(quantile))
    }

    /// A quantile of the time since requests were sent.
    #[must_use]
    pub fn service_time(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.service.value_at_quantile(quantile))
    }
}

fn histogram<C: hdrhistogram::Counter>(digits: u8) -> Histogram<C> {
    Histogram::new_with_bounds(1, LONGEST, digits).expect("the bounds are in order")
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(LONGEST).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::{
        Phase, Stop,
        mix::{Expected, Request, Share},
    };

    const MS: Duration = Duration::from_millis(1);

    fn mix() -> Mix {
        Mix::new(vec![Share {
            name: "valid".into(),
            weight: 1,
            requests: vec![Request::get("/")],
            expected: Expected::Status(200),
        }])
    }

    /// A server on a clock of its own: it takes a millisecond for each request, one at a time, and stands still
    /// from second 2 to second 4.
    fn answer(ready: Duration) -> Duration {
        let stalled = Duration::from_secs(2)..Duration::from_secs(4);
        if stalled.contains(&ready) {
            stalled.end + MS
        } else {
            ready + MS
        }
    }

    /// Ten seconds of 100 requests a second over one connection.
    fn open_loop() -> Measured {
        let arrival = Arrival::Open { per_second: 100.0 };
        let stop = Stop::Requests(1_000);
        let schedule = Phase { arrival, stop }.part(0, 1).schedule.unwrap();
        let mut measured = Measured::new(&mix());
        let mut free = Duration::ZERO;
        for number in 0..1_000 {
            let due = schedule.due(number);
            let sent = due.max(free);
            let done = answer(sent);
            measured.answered(0, 200, 1, true, Moments { due, sent, done });
            free = done;
        }
        measured.finished(arrival)
    }

    #[test]
    fn a_server_that_stands_still_shows_in_open_loop_latency() {
        let measured = open_loop();
        // A fifth of all requests were due while it stood still; service time knows of one.
        assert!(
            measured.service_time(0.99) <= 2 * MS,
            "{:?}",
            measured.service_time(0.99)
        );
        assert!(measured.latency(0.5) <= 2 * MS, "{:?}", measured.latency(0.5));
        assert!(measured.latency(0.9) >= 900 * MS, "{:?}", measured.latency(0.9));
        assert!(measured.latency(0.99) >= 1_800 * MS, "{:?}", measured.latency(0.99));
        assert!(measured.latency(1.0) >= 2_000 * MS);
    }

    #[test]
    fn a_server_that_stands_still_shows_in_corrected_closed_loop_latency() {
        let mut measured = Measured::new(&mix());
        let mut now = Duration::ZERO;
        while now < Duration::from_secs(10) {
            let done = answer(now);
            let at = Moments {
                due: now,
                sent: now,
                done,
            };
            measured.answered(0, 200, 1, true, at);
            now = done;
        }
        let measured = measured.finished(Arrival::Closed);
        assert!(measured.service_time(0.999) <= 2 * MS);
        assert!(measured.latency(0.9) >= 900 * MS, "{:?}", measured.latency(0.9));
        assert_eq!(measured.answered, 8_000, "corrections are no requests");
    }

    #[test]
    fn what_is_never_answered_counts_as_waiting() {
        let mut measured = Measured::new(&mix());
        let at = Moments {
            due: Duration::ZERO,
            sent: 5 * MS,
            done: 500 * MS,
        };
        measured.failed(Failure::TimedOut, at);
        assert_eq!((measured.answered, measured.wrong()), (0, 1));
        assert!(measured.latency(1.0) >= 499 * MS);
    }

    #[test]
    fn threads_add_up() {
        let mut whole = Measured::new(&mix());
        for status in [200, 502] {
            let mut part = Measured::new(&mix());
            let at = Moments {
                due: Duration::ZERO,
                sent: Duration::ZERO,
                done: 1_500 * MS,
            };
            part.answered(0, status, 10, status == 200, at);
            part.failed(Failure::Closed, at);
            part.reconnections = 1;
            whole.add(&part);
        }
        assert_eq!((whole.answered, whole.wrong(), whole.reconnections), (2, 3, 2));
        assert_eq!(whole.statuses, BTreeMap::from([(200, 1), (502, 1)]));
        assert_eq!(whole.failures, BTreeMap::from([(Failure::Closed, 2)]));
        assert_eq!(whole.shares[0].unexpected, 1);
        assert_eq!((whole.seconds[0].answered, whole.seconds[1].answered), (0, 2));
        assert_eq!(whole.seconds[0].latency(0.5), None);
        assert_eq!(whole.seconds[1].wrong, 3);
        assert!((whole.throughput() - 2.0 / 1.5).abs() < 1e-9);
        assert_eq!(whole.body_bytes, 20);
    }
}
