//! When requests are due, and when there are no more.

use std::time::Duration;

/// What makes a request due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// The answer to the one before, on the same connection.
    Closed,
    /// The clock: so many a second, evenly spaced.
    Open {
        /// Requests a second, of all threads.
        per_second: f64,
    },
}

/// What ends a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No request is sent later than this after the beginning.
    After(Duration),
    /// So many requests.
    Requests(u64),
}

/// Some load, from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// What makes a request due.
    pub arrival: Arrival,
    /// What ends the phase.
    pub stop: Stop,
}

impl Phase {
    /// So many requests, one after the other on each connection.
    #[must_use]
    pub const fn requests(count: u64) -> Self {
        Self {
            arrival: Arrival::Closed,
            stop: Stop::Requests(count),
        }
    }

    /// The part of one of several threads.
    pub(super) fn part(self, index: usize, threads: usize) -> PhasePart {
        let schedule = match self.arrival {
            Arrival::Closed => None,
            Arrival::Open { per_second } => Some(Schedule::new(per_second, index, threads)),
        };
        let stop = match self.stop {
            Stop::Requests(count) => {
                let (count, index, threads) = (count, index as u64, threads as u64);
                Stop::Requests(count / threads + u64::from(index < count % threads))
            }
            after @ Stop::After(_) => after,
        };
        PhasePart { schedule, stop }
    }
}

/// A phase as one thread sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PhasePart {
    /// `None`: closed loop.
    pub(super) schedule: Option<Schedule>,
    pub(super) stop: Stop,
}

/// When a thread's requests are due. The threads take turns, so that together they are evenly spaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    first: f64,
    spacing: f64,
}

impl Schedule {
    fn new(per_second: f64, index: usize, threads: usize) -> Self {
        Self {
            first: index as f64 / per_second,
            spacing: threads as f64 / per_second,
        }
    }

    /// Since the phase's beginning. Computed from the index, so that no error adds up.
    pub(super) fn due(&self, index: u64) -> Duration {
        Duration::from_secs_f64(self.first + self.spacing * index as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_turns_in_one_even_schedule() {
        let phase = Phase {
            arrival: Arrival::Open { per_second: 1_000.0 },
            stop: Stop::Requests(7),
        };
        let mut due = Vec::new();
        for index in 0..3 {
            let part = phase.part(index, 3);
            let Stop::Requests(count) = part.stop else {
                panic!("{part:?}")
            };
            due.extend((0..count).map(|number| part.schedule.unwrap().due(number).as_micros()));
        }
        due.sort_unstable();
        assert_eq!(due, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
    }

    #[test]
    fn the_millionth_request_is_due_on_time() {
        let schedule = Schedule::new(30_000.0, 0, 1);
        let due = schedule.due(3_000_000);
        assert!(
            due.abs_diff(Duration::from_secs(100)) < Duration::from_micros(1),
            "{due:?}"
        );
    }

    #[test]
    fn a_closed_loop_has_no_schedule() {
        assert_eq!(Phase::requests(5).part(0, 2).schedule, None);
        assert_eq!(Phase::requests(5).part(1, 2).stop, Stop::Requests(2));
    }
}
