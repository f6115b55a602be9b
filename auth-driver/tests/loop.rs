//! The driver's loop with a scripted client and paused time: every pause and limit is exact.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{CallError, CallPurpose, Decision, HttpCall, HttpReply, PendingCall, RetryPolicy, Secret, Sharing};
use auth_driver::{Driver, HttpClient, Observer, OutcomeClass, SettledCall};
use tokio::time::Instant;

type Outcome = Result<HttpReply, CallError>;

/// Replies as scripted; `None` never replies. Notes when each attempt began.
#[derive(Clone, Default)]
struct Script {
    replies: Arc<Mutex<VecDeque<Option<Outcome>>>>,
    starts: Arc<Mutex<Vec<Instant>>>,
}

impl Script {
    fn of(replies: impl IntoIterator<Item = Option<Outcome>>) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            starts: Arc::default(),
        }
    }

    fn gaps(&self) -> Vec<Duration> {
        self.starts
            .lock()
            .unwrap()
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect()
    }

    fn attempts(&self) -> usize {
        self.starts.lock().unwrap().len()
    }
}

impl HttpClient for Script {
    async fn send(&self, _: &HttpCall) -> Outcome {
        self.starts.lock().unwrap().push(Instant::now());
        // As a network would: others get their turn.
        tokio::task::yield_now().await;
        let next = self.replies.lock().unwrap().pop_front();
        match next.expect("an attempt too many") {
            Some(outcome) => outcome,
            None => pending().await,
        }
    }
}

#[derive(Clone, Default)]
struct Record {
    settled: Arc<Mutex<Vec<SettledCall>>>,
    shared: Arc<Mutex<Vec<CallPurpose>>>,
}

impl Observer for Record {
    fn call_settled(&self, call: SettledCall) {
        self.settled.lock().unwrap().push(call);
    }

    fn call_shared(&self, purpose: CallPurpose) {
        self.shared.lock().unwrap().push(purpose);
    }
}

fn broken() -> Option<Outcome> {
    Some(Err(CallError::Broken("reset".to_owned())))
}

fn json(status: u16, body: &str) -> Option<Outcome> {
    Some(Ok(HttpReply {
        status,
        content_type: Some("application/json".to_owned()),
        body: body.as_bytes().to_vec(),
    }))
}

fn exchange() -> HttpCall {
    HttpCall {
        purpose: CallPurpose::TokenExchange,
        url: "https://auth.example/oauth2/token".to_owned(),
        authorization: None,
        form: Some(Secret::new("grant_type=authorization_code".to_owned())),
        attempt_timeout: Duration::from_secs(4),
        max_reply_bytes: 1000,
        retry: RetryPolicy::TokenEndpoint,
        sharing: Sharing::Alone,
    }
}

fn key_set() -> HttpCall {
    HttpCall {
        purpose: CallPurpose::KeySet,
        form: None,
        retry: RetryPolicy::KeySet,
        sharing: Sharing::SameUrl,
        ..exchange()
    }
}

const BUDGET: Duration = Duration::from_millis(4600);

#[tokio::test(start_paused = true)]
async fn pauses_between_attempts_grow_as_the_policy_says() {
    let client = Script::of([broken(), broken(), broken(), broken(), json(200, "{}")]);
    let outcome = Driver::new(client.clone(), BUDGET).carry_out(&exchange()).await;
    assert_eq!(outcome.unwrap().status, 200);
    let gaps = client.gaps();
    for (gap, least, most) in [
        (gaps[0], 0, 5),
        (gaps[1], 100, 155),
        (gaps[2], 200, 280),
        (gaps[3], 400, 505),
    ] {
        let gap = gap.as_millis();
        assert!((least..=most).contains(&gap), "{gap} is not within {least} and {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_fifth_failure_is_the_outcome() {
    let client = Script::of([broken(), broken(), broken(), broken(), broken()]);
    let outcome = Driver::new(client.clone(), BUDGET).carry_out(&exchange()).await;
    assert_eq!(outcome, Err(CallError::Broken("reset".to_owned())));
    assert_eq!(client.attempts(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_the_token_endpoint_is_final() {
    let client = Script::of([json(400, "{\"error\":\"invalid_grant\"}")]);
    let outcome = Driver::new(client.clone(), BUDGET).carry_out(&exchange()).await;
    assert_eq!(outcome.unwrap().status, 400);
    assert_eq!(client.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_and_repeated() {
    let client = Script::of([None, json(200, "{}")]);
    let outcome = Driver::new(client.clone(), BUDGET).carry_out(&exchange()).await;
    assert_eq!(outcome.unwrap().status, 200);
    assert!(client.gaps()[0] >= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_the_budget_whatever_the_attempts_would_still_take() {
    let client = Script::of([None, None]);
    let start = Instant::now();
    let outcome = Driver::new(client.clone(), BUDGET).carry_out(&exchange()).await;
    assert_eq!(outcome, Err(CallError::Timeout));
    let took = start.elapsed();
    assert!(took >= BUDGET && took < BUDGET + Duration::from_millis(50), "{took:?}");
    assert_eq!(client.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_does_not_fit_the_budget_is_not_begun() {
    let client = Script::of([broken(), broken()]);
    let start = Instant::now();
    let outcome = Driver::new(client, Duration::from_millis(90))
        .carry_out(&exchange())
        .await;
    assert_eq!(outcome, Err(CallError::Broken("reset".to_owned())));
    assert!(start.elapsed() < Duration::from_millis(90));
}

#[tokio::test(start_paused = true)]
async fn token_calls_are_never_shared() {
    let client = Script::of([json(200, "1"), json(200, "2")]);
    let driver = Driver::new(client.clone(), BUDGET);
    let (one, other) = (exchange(), exchange());
    let (one, other) = tokio::join!(driver.carry_out(&one), driver.carry_out(&other));
    assert_ne!(one.unwrap().body, other.unwrap().body);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_shared_call_waits_no_longer_than_its_own_budget() {
    let client = Script::of([None, None, None, None]);
    let driver = Driver::new(client, Duration::from_secs(6));
    let (one, other) = (key_set(), key_set());
    let start = Instant::now();
    let (one, other) = tokio::join!(driver.carry_out(&one), driver.carry_out(&other));
    assert_eq!((one, other), (Err(CallError::Timeout), Err(CallError::Timeout)));
    assert!(start.elapsed() < Duration::from_millis(6100));
}

#[tokio::test(start_paused = true)]
async fn the_observer_hears_of_attempts_and_of_shared_calls() {
    let record = Record::default();
    let driver = Driver::new(Script::of([broken(), json(503, "")]), BUDGET).with_observer(record.clone());
    let (one, other) = (key_set(), key_set());
    let _ = tokio::join!(driver.carry_out(&one), driver.carry_out(&other));
    let settled = record.settled.lock().unwrap().clone();
    assert_eq!(settled.len(), 1);
    assert_eq!(
        (settled[0].purpose, settled[0].attempts, settled[0].outcome),
        (CallPurpose::KeySet, 2, OutcomeClass::ServerError)
    );
    assert_eq!(*record.shared.lock().unwrap(), [CallPurpose::KeySet]);
}

fn renewal(session: &str) -> HttpCall {
    HttpCall {
        purpose: CallPurpose::TokenRefresh,
        retry: RetryPolicy::Renewal,
        sharing: Sharing::SameSession {
            key: session.to_owned(),
            linger: Duration::from_secs(30),
            pause: Duration::from_secs(1),
        },
        ..exchange()
    }
}

/// pain 29, T-DOS-5
#[tokio::test(start_paused = true)]
async fn pain_29_a_thousand_requests_with_one_expired_session_are_one_token_request() {
    let client = Script::of([json(200, "{\"id_token\":\"new\"}")]);
    let record = Record::default();
    let driver = Arc::new(Driver::new(client.clone(), BUDGET).with_observer(record.clone()));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let driver = driver.clone();
            tokio::spawn(async move { driver.carry_out(&renewal("one")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().body, b"{\"id_token\":\"new\"}");
    }
    assert_eq!(client.attempts(), 1);
    assert_eq!(record.shared.lock().unwrap().len(), 999);
    // Late losers, who still bring the cookies of before.
    tokio::time::advance(Duration::from_secs(29)).await;
    assert!(driver.carry_out(&renewal("one")).await.is_ok());
    assert_eq!(client.attempts(), 1);
    assert!(!format!("{driver:?}").contains("new"));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_lingers_is_for_its_own_session_and_not_for_ever() {
    let client = Script::of([json(200, "{}"), json(200, "{}"), json(200, "{}")]);
    let driver = Driver::new(client.clone(), BUDGET);
    let (one, other) = (renewal("one"), renewal("another"));
    let _ = tokio::join!(driver.carry_out(&one), driver.carry_out(&other));
    assert_eq!(client.attempts(), 2);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(driver.carry_out(&one).await.is_ok());
    assert_eq!(client.attempts(), 3);
}

/// pain 29: whoever goes on asking with a dead session is answered here for a while.
#[tokio::test(start_paused = true)]
async fn pain_29_a_refusal_stands_for_a_while_and_trouble_for_a_moment() {
    let dead = "{\"error\":\"invalid_grant\"}";
    let client = Script::of([json(400, dead), json(400, dead), broken(), broken(), json(200, "{}")]);
    let driver = Driver::new(client.clone(), BUDGET);
    for (wait, calls) in [(0, 1), (9, 1), (1, 2)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(driver.carry_out(&renewal("dead")).await.unwrap().status, 400);
        assert_eq!(client.attempts(), calls);
    }
    assert!(driver.carry_out(&renewal("good")).await.is_err());
    assert!(driver.carry_out(&renewal("good")).await.is_err());
    assert_eq!(client.attempts(), 4, "one repetition, and none for the second request");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(driver.carry_out(&renewal("good")).await.is_ok());
}

/// Compiles or does not.
#[expect(dead_code, reason = "only its types are checked")]
fn settling_can_be_spawned_from_a_shared_driver(driver: Arc<Driver<Script>>, pending: PendingCall) {
    fn spawnable<F: Future<Output = Decision> + Send + 'static>(_: F) {}
    spawnable(async move { driver.settle(pending).await });
}
