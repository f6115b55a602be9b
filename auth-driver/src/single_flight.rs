//! Equal calls at about the same time share one reply.
//!
//! The first to ask leads and makes the call; the others follow and wait. A leader that goes away
//! without an outcome (its request was cancelled, its task panicked) strands no one: one of its
//! followers leads the next flight.
//!
//! An outcome stays for a moment: a decision to call that was taken before it was known, but comes
//! here after, is answered with it instead of with a second call.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use auth_core::{CallError, HttpReply};
use tokio::{sync::watch, time::Instant};

/// Longer than a decision takes from its look at the keys to its call, and far shorter than keys live.
const STAY: Duration = Duration::from_secs(1);

type Outcome = Result<HttpReply, CallError>;
type Landing = watch::Receiver<Option<Landed>>;

/// The flights under way and those just landed, by key.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    flights: Mutex<HashMap<String, Landing>>,
}

#[derive(Clone, Debug)]
struct Landed {
    outcome: Outcome,
    at: Instant,
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
}

impl SingleFlight {
    /// The outcome of the flight under way for `key`, or of `lead` where there is none.
    pub(crate) async fn run<F, Fut>(&self, key: &str, lead: F) -> Flown
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Outcome> + Send,
    {
        loop {
            match self.join(key) {
                Role::Leader(flight) => {
                    let outcome = lead().await;
                    flight.land(outcome.clone());
                    return Flown::Led(outcome);
                }
                Role::Follower(mut landing) => {
                    let landed = landing.wait_for(Option::is_some).await.map(|landed| landed.clone());
                    if let Ok(Some(landed)) = landed {
                        return Flown::Followed(landed.outcome);
                    }
                }
            }
        }
    }

    fn join(&self, key: &str) -> Role<'_> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, landing| {
            landing
                .borrow()
                .as_ref()
                .is_none_or(|landed| landed.at.elapsed() < STAY)
        });
        if let Some(landing) = flights.get(key) {
            return Role::Follower(landing.clone());
        }
        let (sender, landing) = watch::channel(None);
        flights.insert(key.to_owned(), landing);
        Role::Leader(Flight {
            all: self,
            key: key.to_owned(),
            sender,
        })
    }
}

/// A flight under way. Dropped without an outcome, it is off the board before its followers learn of its end.
struct Flight<'a> {
    all: &'a SingleFlight,
    key: String,
    sender: watch::Sender<Option<Landed>>,
}

impl Flight<'_> {
    fn land(self, outcome: Outcome) {
        let at = Instant::now();
        self.sender.send_replace(Some(Landed { outcome, at }));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.sender.borrow().is_some() {
            return;
        }
        let mut flights = self.all.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;

    use super::*;

    fn reply(status: u16) -> Outcome {
        Ok(HttpReply {
            status,
            content_type: None,
            body: Vec::new(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_has_landed_is_joined_for_a_moment_and_no_longer() {
        let flights = SingleFlight::default();
        assert_eq!(flights.run("a", async || reply(200)).await, Flown::Led(reply(200)));
        tokio::time::advance(STAY - Duration::from_millis(1)).await;
        assert_eq!(flights.run("a", async || reply(201)).await, Flown::Followed(reply(200)));
        assert_eq!(flights.run("b", async || reply(202)).await, Flown::Led(reply(202)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(flights.run("a", async || reply(203)).await, Flown::Led(reply(203)));
    }

    #[tokio::test(start_paused = true)]
    async fn flights_of_long_ago_are_not_kept() {
        let flights = SingleFlight::default();
        for key in ["a", "b", "c"] {
            flights.run(key, async || reply(200)).await;
        }
        tokio::time::advance(STAY).await;
        flights.run("d", async || reply(200)).await;
        assert_eq!(flights.flights.lock().unwrap().len(), 1);
    }

    /// Starts a leader that never lands and three followers; gives the leader's task and the followers'.
    async fn stranded(
        flights: &Arc<SingleFlight>,
        leads: &Arc<AtomicUsize>,
        how: impl Fn() + Send + 'static,
    ) -> (
        tokio::task::JoinHandle<Flown>,
        Vec<tokio::task::JoinHandle<Flown>>,
        Arc<Notify>,
    ) {
        let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let leader = tokio::spawn({
            let (flights, started, go) = (flights.clone(), started.clone(), go.clone());
            async move {
                flights
                    .run("a", || async move {
                        started.notify_one();
                        go.notified().await;
                        how();
                        reply(500)
                    })
                    .await
            }
        });
        started.notified().await;
        let followers = (0..3)
            .map(|_| {
                let (flights, leads) = (flights.clone(), leads.clone());
                tokio::spawn(async move {
                    flights
                        .run("a", || async move {
                            leads.fetch_add(1, Ordering::Relaxed);
                            tokio::task::yield_now().await;
                            reply(200)
                        })
                        .await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        (leader, followers, go)
    }

    #[tokio::test]
    async fn followers_of_a_cancelled_leader_make_one_flight_of_their_own() {
        let (flights, leads) = (Arc::default(), Arc::default());
        let (leader, followers, _go) = stranded(&flights, &leads, || ()).await;
        leader.abort();
        for follower in followers {
            let (Flown::Led(outcome) | Flown::Followed(outcome)) = follower.await.unwrap();
            assert_eq!(outcome, reply(200));
        }
        assert_eq!(leads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn followers_of_a_panicking_leader_make_one_flight_of_their_own() {
        let (flights, leads) = (Arc::default(), Arc::default());
        let (leader, followers, go) = stranded(&flights, &leads, || panic!("a client of little skill")).await;
        go.notify_one();
        assert!(leader.await.unwrap_err().is_panic());
        for follower in followers {
            let (Flown::Led(outcome) | Flown::Followed(outcome)) = follower.await.unwrap();
            assert_eq!(outcome, reply(200));
        }
        assert_eq!(leads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn different_keys_do_not_wait_for_each_other() {
        let flights = SingleFlight::default();
        let inner = flights
            .run("a", || async {
                match flights.run("b", async || reply(204)).await {
                    Flown::Led(outcome) => outcome,
                    Flown::Followed(_) => reply(500),
                }
            })
            .await;
        assert_eq!(inner, Flown::Led(reply(204)));
    }
}
