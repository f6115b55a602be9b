//! Equal calls at about the same time share one reply.
//!
//! The first to ask leads and makes the call; the others follow and wait. A leader that goes away
//! without an outcome (its request was cancelled, its task panicked) strands no one: one of its
//! followers leads the next flight.
//!
//! An outcome stays for as long as its call says: a request that was decided upon before it was known, but comes
//! here after, is answered with it instead of with a second call. What stays may hold tokens. It is bounded in
//! number and in bytes, goes when its time is over, and has no Debug form. So are those who fly and wait: when the
//! far end is slow, further ones are told at once that it is (T-DOS-5).

mod board;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth_core::{CallError, HttpReply};
use tokio::{sync::watch, time::Instant};

use self::board::{Board, Landed, Landing, is_over, size};

/// Calls under way.
const MOST_FLIGHTS: usize = 512;
/// Requests that wait for calls of others.
const MOST_FOLLOWERS: usize = 8_192;

type Outcome = Result<HttpReply, CallError>;

/// The flights under way and those that have landed, by key.
#[derive(Default)]
pub(crate) struct SingleFlight {
    board: Mutex<Board>,
    followers: AtomicUsize,
}

/// How an outcome was come by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flown {
    Led(Outcome),
    Followed(Outcome),
}

enum Role<'a> {
    Leader(Flight<'a>),
    Follower(Landing),
    /// Nobody else may fly.
    Refused,
}

impl fmt::Debug for SingleFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

impl SingleFlight {
    /// The outcome of the flight for `key`, or of `lead` where there is none; `stays` says how long others get it.
    pub(crate) async fn run<F, Fut>(&self, key: &str, stays: impl Fn(&Outcome) -> Duration + Send, lead: F) -> Flown
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Outcome> + Send,
    {
        loop {
            match self.join(key) {
                Role::Leader(flight) => {
                    let outcome = lead().await;
                    let stay = stays(&outcome);
                    flight.land(outcome.clone(), stay);
                    return Flown::Led(outcome);
                }
                Role::Follower(mut landing) => {
                    let Some(_seat) = Seat::take(&self.followers) else {
                        return Flown::Followed(Err(CallError::Busy));
                    };
                    let landed = landing.wait_for(Option::is_some).await.map(|landed| landed.clone());
                    if let Ok(Some(landed)) = landed {
                        return Flown::Followed((*landed.outcome).clone());
                    }
                }
                Role::Refused => return Flown::Followed(Err(CallError::Busy)),
            }
        }
    }

    fn join(&self, key: &str) -> Role<'_> {
        let now = Instant::now();
        let mut board = self.board();
        board.sweep_now_and_then(now);
        let known = board.flights.get(key);
        if let Some(landing) = known.filter(|landing| !is_over(landing, now)) {
            return Role::Follower(landing.clone());
        }
        if board.under_way >= MOST_FLIGHTS {
            return Role::Refused;
        }
        board.remove(key);
        board.under_way += 1;
        let (sender, landing) = watch::channel(None);
        board.flights.insert(key.to_owned(), landing);
        Role::Leader(Flight {
            all: self,
            key: key.to_owned(),
            sender,
        })
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait.
struct Seat<'a>(&'a AtomicUsize);

impl<'a> Seat<'a> {
    fn take(taken: &'a AtomicUsize) -> Option<Self> {
        let seat = Self(taken);
        (taken.fetch_add(1, Ordering::Relaxed) < MOST_FOLLOWERS).then_some(seat)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A flight under way. Dropped without an outcome, it is off the board before its followers learn of its end.
struct Flight<'a> {
    all: &'a SingleFlight,
    key: String,
    sender: watch::Sender<Option<Landed>>,
}

impl Flight<'_> {
    /// Those who wait learn the outcome in any case; whether it stays for others is a matter of room.
    fn land(self, outcome: Outcome, stay: Duration) {
        let now = Instant::now();
        let more = size(&outcome);
        let mut board = self.all.board();
        if board.has_room_for(more, now) {
            board.landed_bytes += more;
        } else {
            board.flights.remove(&self.key);
        }
        drop(board);
        self.sender.send_replace(Some(Landed {
            outcome: Arc::new(outcome),
            until: now + stay,
        }));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut board = self.all.board();
        board.under_way -= 1;
        if self.sender.borrow().is_none() {
            board.flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
