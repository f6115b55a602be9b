//! The one loop between the core and the network.

use std::{fmt, time::Duration};

use auth_core::{AfterAttempt, CallError, Decision, HttpCall, HttpReply, PendingCall, Step};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    Clock, HttpClient, NoObserver, Observer, OutcomeClass, SettledCall, SystemEntropy,
    single_flight::{Flown, SingleFlight},
};

/// Carries out what the core asks for, within a time budget. Share one behind an `Arc`.
pub struct Driver<C> {
    client: C,
    budget: Duration,
    flights: SingleFlight,
    observer: Box<dyn Observer>,
    clock: Clock,
}

impl<C> fmt::Debug for Driver<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl<C: HttpClient> Driver<C> {
    /// A driver whose [`settle`](Self::settle) takes `budget` at most, all its calls, attempts and pauses included.
    pub fn new(client: C, budget: Duration) -> Self {
        Self {
            client,
            budget,
            flights: SingleFlight::default(),
            observer: Box::new(NoObserver),
            clock: Clock::System,
        }
    }

    /// The same driver, telling the core what this clock shows.
    #[must_use]
    pub const fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same driver, telling `observer` of its calls.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Carries out the call, and those that follow from it, until the core has decided.
    ///
    /// When the budget is used up, the core hears [`CallError::Timeout`] and decides upon that, so there
    /// is always an answer. The future is `Send`, and `'static` when it owns its `Arc<Driver>`.
    pub async fn settle(&self, pending: PendingCall) -> Decision {
        self.settle_within(pending, self.budget).await
    }

    /// The same with a budget for this one time, as where each request brings a deadline of its own.
    pub async fn settle_within(&self, mut pending: PendingCall, budget: Duration) -> Decision {
        let deadline = Instant::now() + budget;
        loop {
            let outcome = self.carry_out_by(pending.call(), deadline).await;
            match pending.resume(outcome, self.clock.now(), &mut SystemEntropy::new()) {
                Step::Call(next) => pending = next,
                Step::Decided(decision) => return decision,
            }
        }
    }

    /// Carries out one call: attempts and pauses by its own policy, shared with equal calls under way.
    ///
    /// # Errors
    /// The outcome of the last attempt, [`CallError::Timeout`] when the budget was used up.
    pub async fn carry_out(&self, call: &HttpCall) -> Result<HttpReply, CallError> {
        self.carry_out_by(call, Instant::now() + self.budget).await
    }

    async fn carry_out_by(&self, call: &HttpCall, deadline: Instant) -> Result<HttpReply, CallError> {
        let Some(key) = call.coalesce_key() else {
            return self.attempts(call, deadline).await;
        };
        // Whoever leads keeps to the deadline in each attempt; a follower has to keep to it while waiting.
        let stays = |outcome: &Result<HttpReply, CallError>| call.stays(outcome);
        let flight = self.flights.run(key, stays, || self.attempts(call, deadline));
        match timeout_at(deadline, flight).await {
            Ok(Flown::Led(outcome)) => outcome,
            Ok(Flown::Followed(outcome)) => {
                self.observer.call_shared(call.purpose);
                outcome
            }
            Err(_) => Err(CallError::Timeout),
        }
    }

    async fn attempts(&self, call: &HttpCall, deadline: Instant) -> Result<HttpReply, CallError> {
        let start = Instant::now();
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            let outcome = self.attempt(call, deadline).await;
            match call.retry.after_attempt(attempts, &outcome, &mut SystemEntropy::new()) {
                AfterAttempt::RetryAfter(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                AfterAttempt::RetryAfter(_) | AfterAttempt::Settle => break outcome,
            }
        };
        self.observer.call_settled(SettledCall {
            purpose: call.purpose,
            attempts,
            duration: start.elapsed(),
            outcome: OutcomeClass::of(&outcome),
        });
        outcome
    }

    async fn attempt(&self, call: &HttpCall, deadline: Instant) -> Result<HttpReply, CallError> {
        let limit = deadline.min(Instant::now() + call.attempt_timeout);
        timeout_at(limit, self.client.send(call))
            .await
            .unwrap_or(Err(CallError::Timeout))
    }
}
