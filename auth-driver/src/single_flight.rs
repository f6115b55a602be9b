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

use std::{
    collections::HashMap,
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

/// Outcomes that are known and stay.
const MOST_LANDED: usize = 8_192;
/// Bytes of their bodies.
const MOST_BYTES: usize = 32 << 20;
/// Calls under way.
const MOST_FLIGHTS: usize = 512;
/// Requests that wait for calls of others.
const MOST_FOLLOWERS: usize = 8_192;
/// How often what is over is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

type Outcome = Result<HttpReply, CallError>;
type Landing = watch::Receiver<Option<Landed>>;

/// The flights under way and those that have landed, by key.
#[derive(Default)]
pub(crate) struct SingleFlight {
    board: Mutex<Board>,
    followers: AtomicUsize,
}

#[derive(Default)]
struct Board {
    flights: HashMap<String, Landing>,
    under_way: usize,
    landed_bytes: usize,
    swept: Option<Instant>,
}

#[derive(Clone)]
struct Landed {
    outcome: Arc<Outcome>,
    until: Instant,
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

impl Board {
    fn sweep_now_and_then(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now >= swept + SWEEP_EVERY) {
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.swept = Some(now);
        self.flights.retain(|_, landing| !is_over(landing, now));
        self.landed_bytes = self.flights.values().map(bytes).sum();
    }

    fn remove(&mut self, key: &str) {
        if let Some(landing) = self.flights.remove(key) {
            self.landed_bytes = self.landed_bytes.saturating_sub(bytes(&landing));
        }
    }

    /// Whether so much more may stay.
    fn has_room_for(&mut self, more: usize, now: Instant) -> bool {
        let fits = |board: &Self| {
            board.flights.len() - board.under_way < MOST_LANDED && board.landed_bytes + more <= MOST_BYTES
        };
        if !fits(self) {
            self.sweep(now);
        }
        fits(self)
    }
}

fn is_over(landing: &Landing, now: Instant) -> bool {
    landing.borrow().as_ref().is_some_and(|landed| landed.until <= now)
}

fn bytes(landing: &Landing) -> usize {
    landing.borrow().as_ref().map_or(0, |landed| size(&landed.outcome))
}

fn size(outcome: &Outcome) -> usize {
    outcome.as_ref().map_or(0, |reply| reply.body.len())
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
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;

    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    fn moment(_: &Outcome) -> Duration {
        MOMENT
    }

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
        assert_eq!(
            flights.run("a", moment, async || reply(200)).await,
            Flown::Led(reply(200))
        );
        tokio::time::advance(MOMENT - Duration::from_millis(1)).await;
        assert_eq!(
            flights.run("a", moment, async || reply(201)).await,
            Flown::Followed(reply(200))
        );
        assert_eq!(
            flights.run("b", moment, async || reply(202)).await,
            Flown::Led(reply(202))
        );
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(
            flights.run("a", moment, async || reply(203)).await,
            Flown::Led(reply(203))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn flights_of_long_ago_are_not_kept() {
        let flights = SingleFlight::default();
        for key in ["a", "b", "c"] {
            flights.run(key, moment, async || reply(200)).await;
        }
        tokio::time::advance(MOMENT).await;
        flights.run("d", moment, async || reply(200)).await;
        assert_eq!(flights.board().flights.len(), 1);
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
                    .run("a", moment, || async move {
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
                        .run("a", moment, || async move {
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
            .run("a", moment, || async {
                match flights.run("b", moment, async || reply(204)).await {
                    Flown::Led(outcome) => outcome,
                    Flown::Followed(_) => reply(500),
                }
            })
            .await;
        assert_eq!(inner, Flown::Led(reply(204)));
    }

    fn of_bytes(count: usize) -> Outcome {
        Ok(HttpReply {
            body: vec![0; count],
            ..reply(200).unwrap()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_bounded_in_bytes_and_the_bound_moves_on_with_time() {
        let flights = SingleFlight::default();
        for key in 0..5 {
            flights
                .run(&key.to_string(), moment, async || of_bytes(MOST_BYTES / 4))
                .await;
        }
        assert_eq!(flights.board().landed_bytes, MOST_BYTES);
        assert_eq!(flights.board().flights.len(), 4);
        tokio::time::advance(MOMENT).await;
        assert_eq!(
            flights.run("0", moment, async || of_bytes(7)).await,
            Flown::Led(of_bytes(7))
        );
        let board = flights.board();
        assert_eq!((board.landed_bytes, board.flights.len(), board.under_way), (7, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_bounded_in_number() {
        let flights = SingleFlight::default();
        for key in 0..MOST_LANDED + 100 {
            flights.run(&key.to_string(), moment, async || reply(200)).await;
        }
        assert_eq!(flights.board().flights.len(), MOST_LANDED);
    }

    /// T-DOS-5
    #[tokio::test(start_paused = true)]
    async fn t_dos_5_calls_under_way_are_bounded_and_whoever_is_too_many_is_told_at_once() {
        let flights = Arc::new(SingleFlight::default());
        let leaders: Vec<_> = (0..MOST_FLIGHTS)
            .map(|key| {
                let flights = flights.clone();
                tokio::spawn(async move {
                    flights
                        .run(&key.to_string(), moment, std::future::pending::<Outcome>)
                        .await
                })
            })
            .collect();
        while flights.board().under_way < MOST_FLIGHTS {
            tokio::task::yield_now().await;
        }
        let refused = Flown::Followed(Err(CallError::Busy));
        assert_eq!(flights.run("more", moment, async || reply(200)).await, refused);
        leaders.iter().for_each(tokio::task::JoinHandle::abort);
        for leader in leaders {
            assert!(leader.await.unwrap_err().is_cancelled());
        }
        assert_eq!(
            flights.run("more", moment, async || reply(200)).await,
            Flown::Led(reply(200))
        );
    }

    /// T-DOS-5
    #[tokio::test(start_paused = true)]
    async fn t_dos_5_those_who_wait_are_bounded() {
        let flights = Arc::new(SingleFlight::default());
        let ask = || {
            let flights = flights.clone();
            tokio::spawn(async move { flights.run("a", moment, std::future::pending::<Outcome>).await })
        };
        let tasks: Vec<_> = (0..=MOST_FOLLOWERS).map(|_| ask()).collect();
        tokio::task::yield_now().await;
        assert_eq!(ask().await.unwrap(), Flown::Followed(Err(CallError::Busy)));
        for task in tasks {
            task.abort();
        }
    }
}
