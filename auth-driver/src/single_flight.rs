//! Equal calls under way at the same time share one reply.
//!
//! The first to ask leads and makes the call; the others follow and wait. A leader that goes away
//! without an outcome (its request was cancelled, its task panicked) strands no one: one of its
//! followers leads the next flight.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use auth_core::{CallError, HttpReply};
use tokio::sync::watch;

type Outcome = Result<HttpReply, CallError>;
type Landing = watch::Receiver<Option<Outcome>>;

/// The flights under way, by key.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    flights: Mutex<HashMap<String, Landing>>,
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
                    let landed = landing.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
                    if let Ok(Some(outcome)) = landed {
                        return Flown::Followed(outcome);
                    }
                }
            }
        }
    }

    fn join(&self, key: &str) -> Role<'_> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
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

/// A flight under way. Dropped, it is off the board before its followers learn of its end.
struct Flight<'a> {
    all: &'a SingleFlight,
    key: String,
    sender: watch::Sender<Option<Outcome>>,
}

impl Flight<'_> {
    fn land(self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
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

    #[tokio::test]
    async fn a_flight_that_has_landed_is_not_joined_by_later_callers() {
        let flights = SingleFlight::default();
        assert_eq!(flights.run("a", async || reply(200)).await, Flown::Led(reply(200)));
        assert_eq!(flights.run("a", async || reply(201)).await, Flown::Led(reply(201)));
        assert!(flights.flights.lock().unwrap().is_empty());
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
