//! Renewal before expiry, and what requests see of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::provider::future;
use http::Method;

use super::*;

/// Gives out numbered credentials of one hour, and fails where the script says so.
#[derive(Debug)]
struct Scripted {
    calls: Arc<AtomicUsize>,
    fails: fn(usize) -> bool,
}

impl ProvideCredentials for Scripted {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        future::ProvideCredentials::ready(if (self.fails)(call) {
            Err(CredentialsError::provider_error("service is down"))
        } else {
            let expires = SystemTime::now() + Duration::from_secs(3600);
            Ok(aws_credential_types::Credentials::new(
                format!("ID{call}"),
                "secret",
                None,
                Some(expires),
                "test",
            ))
        })
    }
}

async fn scripted(fails: fn(usize) -> bool) -> (Result<Credentials, OriginSetupError>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let provider = SharedCredentialsProvider::new(Scripted {
        calls: Arc::clone(&calls),
        fails,
    });
    (Credentials::provided(provider, &Handle::current()).await, calls)
}

const TARGET: Target<'static> = Target {
    method: &Method::GET,
    host: "h",
    path: "/",
};

fn authorization(credentials: &Credentials, now: SystemTime) -> Result<String, OriginError> {
    let signed = credentials.sign("eu-west-1", TARGET, now)?;
    Ok(signed.authorization.to_str().unwrap().to_owned())
}

async fn wait_for_id(credentials: &Credentials, id: &str) {
    while credentials.current.load().access.id != id {
        // Time is paused: it moves on by itself to the next timer.
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_are_renewed_before_they_expire() {
    let (credentials, _) = scripted(|_| false).await;
    let credentials = credentials.unwrap();
    let start = tokio::time::Instant::now();
    wait_for_id(&credentials, "ID1").await;
    assert!(
        start.elapsed() < Duration::from_secs(3600 - 290),
        "{:?}",
        start.elapsed()
    );
    assert!(
        authorization(&credentials, SystemTime::now())
            .unwrap()
            .contains("Credential=ID1/")
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_service_is_asked_again_and_the_old_credentials_stay() {
    let (credentials, calls) = scripted(|call| (1..4).contains(&call)).await;
    let credentials = credentials.unwrap();
    while calls.load(Ordering::SeqCst) < 3 {
        sleep(Duration::from_secs(1)).await;
    }
    assert!(
        authorization(&credentials, SystemTime::now())
            .unwrap()
            .contains("Credential=ID0/")
    );
    wait_for_id(&credentials, "ID4").await;
}

#[tokio::test]
async fn without_first_credentials_there_is_no_origin() {
    let (credentials, _) = scripted(|_| true).await;
    assert!(
        matches!(credentials, Err(OriginSetupError::Credentials { problem }) if problem.contains("service is down"))
    );
}

#[tokio::test]
async fn expired_credentials_sign_nothing() {
    let (credentials, _) = scripted(|_| false).await;
    let late = SystemTime::now() + Duration::from_secs(3601);
    let refused = authorization(&credentials.unwrap(), late).unwrap_err();
    assert_eq!(refused, OriginError::CredentialsExpired);
    assert_eq!(refused.status(), http::StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn the_key_of_a_day_is_kept_until_the_next() {
    let access = AccessKey {
        id: "ID".into(),
        secret: Secret::new("s".into()),
        session_token: None,
    };
    let credentials = Credentials::fixed(access).unwrap();
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(43_200);
    let day = |seconds| authorization(&credentials, noon + Duration::from_secs(seconds)).unwrap();
    assert!(day(0).contains("/19700101/"));
    let key = credentials.current.load().key.load_full().unwrap();
    assert!(day(1).contains("/19700101/"));
    assert!(Arc::ptr_eq(&key, &credentials.current.load().key.load_full().unwrap()));
    assert!(day(86_400).contains("/19700102/"));
}

#[test]
fn credentials_that_no_header_can_carry_are_refused_at_start() {
    let access = AccessKey {
        id: "I\nD".into(),
        secret: Secret::new("s".into()),
        session_token: None,
    };
    assert_eq!(
        Credentials::fixed(access).unwrap_err(),
        OriginSetupError::CredentialsUnprintable
    );
}

#[test]
fn renewal_is_five_minutes_early_or_at_half_of_a_short_life() {
    let now = SystemTime::UNIX_EPOCH;
    let wait = |left| until_renewal(now + Duration::from_secs(left), now).as_secs();
    assert_eq!(
        [wait(3600), wait(600), wait(400), wait(100), wait(1), wait(0)],
        [3300, 300, 200, 50, 1, 1]
    );
}
