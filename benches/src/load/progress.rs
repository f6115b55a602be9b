//! How far it is: one line that is written over on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use crate::generator::SoFar;

/// Between two lines where they stay.
const PAUSE: Duration = Duration::from_secs(5);

/// Tells on standard error, so that standard output has the report alone.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    told: Option<Instant>,
    last: SoFar,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            told: None,
            last: SoFar::default(),
        }
    }

    /// Something has begun, which takes a while.
    pub(super) fn begin(&mut self, what: &str) {
        self.told = None;
        self.last = SoFar::default();
        self.tell(what);
    }

    /// A phase goes on.
    pub(super) fn load(&mut self, what: &str, so_far: SoFar) {
        let rate = rate(self.last, so_far);
        let wrong = match so_far.wrong {
            0 => String::new(),
            wrong => format!(", {wrong} wrong"),
        };
        if self.due() {
            self.last = so_far;
            let seconds = so_far.elapsed.as_secs();
            self.tell(&format!(
                "{what}: {seconds} s, {} answers, {rate:.0}/s{wrong}",
                so_far.answered
            ));
        }
    }

    /// So many of them are done.
    pub(super) fn count(&mut self, what: &str, done: usize, all: usize) {
        if self.due() {
            self.tell(&format!("{what}: {done} of {all}"));
        }
    }

    /// The terminal's line is needed for something else.
    pub(super) fn end(&mut self) {
        if self.terminal {
            // Nobody watches if it fails.
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }

    fn due(&self) -> bool {
        self.terminal || self.told.is_none_or(|told| told.elapsed() >= PAUSE)
    }

    fn tell(&mut self, text: &str) {
        self.told = Some(Instant::now());
        let _ = if self.terminal {
            write!(io::stderr(), "\r\x1b[2K{text}")
        } else {
            writeln!(io::stderr(), "{text}")
        };
    }
}

/// Answers a second between two looks.
fn rate(before: SoFar, now: SoFar) -> f64 {
    let seconds = now.elapsed.saturating_sub(before.elapsed).as_secs_f64();
    if seconds > 0.0 {
        now.answered.saturating_sub(before.answered) as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_moment() {
        let look = |seconds, answered| SoFar {
            elapsed: Duration::from_secs(seconds),
            answered,
            wrong: 0,
        };
        assert_eq!(rate(look(1, 1_000), look(3, 5_000)), 2_000.0);
        assert_eq!(rate(look(3, 10), look(3, 20)), 0.0);
    }
}
