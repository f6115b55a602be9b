use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{
    board::{MOST_BYTES, MOST_LANDED},
    *,
};

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
