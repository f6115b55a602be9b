//! The calls under way and the outcomes that stay, by key: bounded in number and in bytes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use super::Outcome;

/// Outcomes that are known and stay.
pub(super) const MOST_LANDED: usize = 8_192;
/// Bytes of their bodies.
pub(super) const MOST_BYTES: usize = 32 << 20;
/// How often what is over is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

pub(super) type Landing = watch::Receiver<Option<Landed>>;

/// What is known of all calls.
#[derive(Default)]
pub(super) struct Board {
    pub(super) flights: HashMap<String, Landing>,
    pub(super) under_way: usize,
    pub(super) landed_bytes: usize,
    pub(super) swept: Option<Instant>,
}

/// An outcome, and how long it stays.
#[derive(Clone)]
pub(super) struct Landed {
    pub(super) outcome: Arc<Outcome>,
    pub(super) until: Instant,
}

impl Board {
    pub(super) fn sweep_now_and_then(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now >= swept + SWEEP_EVERY) {
            self.sweep(now);
        }
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        self.swept = Some(now);
        self.flights.retain(|_, landing| !is_over(landing, now));
        self.landed_bytes = self.flights.values().map(bytes).sum();
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(landing) = self.flights.remove(key) {
            self.landed_bytes = self.landed_bytes.saturating_sub(bytes(&landing));
        }
    }

    /// Whether so much more may stay.
    pub(super) fn has_room_for(&mut self, more: usize, now: Instant) -> bool {
        let fits = |board: &Self| {
            board.flights.len() - board.under_way < MOST_LANDED && board.landed_bytes + more <= MOST_BYTES
        };
        if !fits(self) {
            self.sweep(now);
        }
        fits(self)
    }
}

pub(super) fn is_over(landing: &Landing, now: Instant) -> bool {
    landing.borrow().as_ref().is_some_and(|landed| landed.until <= now)
}

pub(super) fn bytes(landing: &Landing) -> usize {
    landing.borrow().as_ref().map_or(0, |landed| size(&landed.outcome))
}

pub(super) fn size(outcome: &Outcome) -> usize {
    outcome.as_ref().map_or(0, |reply| reply.body.len())
}
