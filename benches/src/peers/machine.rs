//! Whether the machine runs at its full speed.
//!
//! A guest's core may take ten times as long for everything while its host gives it less, for seconds on end, and one
//! core more than another. No ratio is worth anything of a turn during which that began or ended, or in which peer and
//! load were on different cores. So each core does a small fixed piece of work before a turn and after it: what was
//! measured between two looks of which one found a core slow is not counted, and the turn is taken again. The looks know
//! nothing of the figures, so that this chooses no results.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_getaffinity};

use super::progress::Progress;
use crate::process::{keep_thread_to, thread_time};

/// A core is slow that takes so many times as long as any has taken yet.
const SLOW: f64 = 1.4;
/// Pieces of work at a look, of which the median counts: whatever else runs may get in the way of some.
const PIECES: usize = 15;
/// Between two of them, so that a core that stands still now and then is found out.
const BETWEEN: Duration = Duration::from_millis(2);
/// Of one piece: some 50 microseconds.
const STEPS: u64 = 50_000;
/// Until a slow machine is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// The machine, as it has been seen so far.
#[derive(Debug)]
pub(crate) struct Machine {
    cores: Vec<usize>,
    /// The fastest piece of work, in seconds.
    best: f64,
    /// How long it may still be waited for.
    patience: Duration,
    repeated: u64,
}

impl Machine {
    /// One that is waited for no longer than this, all waits together.
    pub(crate) fn new(patience: Duration) -> Self {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        Self {
            cores: (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect(),
            best: f64::INFINITY,
            patience,
            repeated: 0,
        }
    }

    /// So many cores for a peer, and the others, if there are others.
    pub(crate) fn parted(&self, count: usize) -> Option<(&[usize], &[usize])> {
        let (others, last) = self.cores.split_at_checked(self.cores.len().checked_sub(count)?)?;
        (!others.is_empty()).then_some((last, others))
    }

    /// How many turns were taken again.
    pub(crate) const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Takes a turn at full speed, as often as that needs; one that fails on a slow machine as well.
    pub(crate) fn calmly<T, E>(
        &mut self,
        progress: &mut Progress,
        mut turn: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        loop {
            self.wait(progress);
            let taken = turn();
            if self.is_still_calm() {
                return taken;
            }
        }
    }

    /// Waits until all cores run at full speed, or patience is at its end.
    pub(crate) fn wait(&mut self, progress: &mut Progress) {
        let began = Instant::now();
        let mut is_told = false;
        while !self.patience.is_zero() && self.slowness() > SLOW {
            if !is_told {
                progress.say("a core runs slowly: waiting");
                is_told = true;
            }
            thread::sleep(PAUSE);
            if began.elapsed() >= self.patience {
                progress.say("measuring all the same");
                self.patience = Duration::ZERO;
            }
        }
        self.patience = self
            .patience
            .saturating_sub(if is_told { began.elapsed() } else { Duration::ZERO });
    }

    /// Whether what was just measured was measured at full speed; if not, that it is to be measured again is noted.
    pub(crate) fn is_still_calm(&mut self) -> bool {
        let is_calm = self.patience.is_zero() || self.slowness() <= SLOW;
        self.repeated += u64::from(!is_calm);
        is_calm
    }

    /// What the slowest core takes now, in times of the least that any has taken.
    fn slowness(&mut self) -> f64 {
        let times: Vec<f64> = thread::scope(|scope| {
            let looks: Vec<_> = self.cores.iter().map(|&core| scope.spawn(move || look(core))).collect();
            looks.into_iter().filter_map(|look| look.join().ok()).collect()
        });
        self.best = times.iter().copied().fold(self.best, f64::min);
        times.into_iter().fold(0.0, f64::max) / self.best
    }
}

/// Seconds of processor time that a piece of work takes on a core.
fn look(core: usize) -> f64 {
    // Where that is not allowed, any core is looked at.
    keep_thread_to(&[core]);
    let mut times: Vec<f64> = (0..PIECES)
        .map(|_| {
            thread::sleep(BETWEEN);
            piece()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(PIECES / 2).copied().unwrap_or_default()
}

fn piece() -> f64 {
    let began = thread_time();
    let mut value = 1_u64;
    for step in 0..STEPS {
        value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
    }
    (thread_time() - began).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_core_is_looked_at() {
        let mut machine = Machine::new(Duration::ZERO);
        let slowness = machine.slowness();
        assert!(slowness >= 1.0 && machine.best > 0.0, "{slowness} {machine:?}");
        assert_eq!(machine.cores.len(), thread::available_parallelism().unwrap().get());
    }

    #[test]
    fn a_turn_of_a_slow_machine_is_taken_again_until_patience_is_at_its_end() {
        let mut machine = Machine::new(Duration::from_millis(1));
        // As if it had once been faster than any machine is.
        machine.best = 1e-12;
        let mut turns = 0;
        let taken = machine.calmly(&mut Progress::default(), || {
            turns += 1;
            Ok::<_, String>(turns)
        });
        assert_eq!((taken, turns, machine.repeated()), (Ok(1), 1, 0));
        assert!(machine.patience.is_zero());
    }

    #[test]
    fn a_turn_after_which_a_core_is_slow_is_noted() {
        let mut machine = Machine::new(Duration::from_secs(1));
        machine.best = 1e-12;
        assert!(!machine.is_still_calm());
        assert_eq!(machine.repeated(), 1);
    }

    #[test]
    fn a_turn_that_fails_at_full_speed_has_failed() {
        let mut machine = Machine::new(Duration::from_secs(60));
        // As if nothing had ever been so slow.
        machine.best = f64::MAX;
        let failed = machine.calmly(&mut Progress::default(), || Err::<(), _>("gone"));
        assert_eq!(failed, Err("gone"));
    }
}
