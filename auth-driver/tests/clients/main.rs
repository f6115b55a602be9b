//! Both HTTP clients against loopback servers: every case runs with each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authority;
mod server;

use std::{env, process, time::Duration};

use auth_core::{CallError, CallPurpose, HttpCall, HttpReply, RetryPolicy, Secret, Sharing};
use auth_driver::{Driver, HttpClient, HyperClient, ReqwestClient};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::{
    authority::Authority,
    server::{Act, Seen, plain, reply, tls},
};

trait Make: HttpClient + Sized {
    fn make(roots: Option<Vec<CertificateDer<'static>>>) -> Self;
}

impl Make for HyperClient {
    fn make(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        roots.map_or_else(Self::new, Self::with_roots)
    }
}

impl Make for ReqwestClient {
    fn make(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        roots.map_or_else(Self::new, Self::with_roots).unwrap()
    }
}

/// A client for plain http; it must not depend on the machine's certificates.
fn any_client<C: Make>() -> C {
    C::make(Some(vec![Authority::new().root()]))
}

macro_rules! with_each_client {
    ($($name:ident),* $(,)?) => {
        mod hyper {
            $(#[tokio::test] async fn $name() { super::$name::<auth_driver::HyperClient>().await })*
        }
        mod reqwest {
            $(#[tokio::test] async fn $name() { super::$name::<auth_driver::ReqwestClient>().await })*
        }
    };
}

with_each_client![
    a_form_is_posted_with_its_authorization,
    a_call_without_a_form_is_a_get,
    names_below_localhost_reach_loopback,
    a_chunked_reply_is_put_together,
    a_content_type_is_handed_on_as_it_came,
    a_redirect_is_not_followed,
    a_reply_that_stalls_ends_with_the_attempt,
    a_server_that_never_replies_ends_with_the_attempt,
    a_reset_connection_is_a_broken_exchange,
    bytes_that_are_not_http_are_a_broken_exchange,
    a_truncated_body_is_a_broken_exchange,
    a_body_of_exactly_the_limit_is_taken,
    a_body_announced_too_long_is_refused_unread,
    a_body_without_length_is_cut_off_at_the_limit,
    an_absent_server_is_a_failed_connection,
    a_url_that_is_none_is_an_error_and_no_panic,
    an_authorization_that_is_no_header_value_is_not_shown,
    a_certificate_of_a_trusted_authority_is_accepted,
    a_certificate_for_another_name_gets_no_request,
    a_certificate_of_an_unknown_authority_gets_no_request,
];

fn call(url: String) -> HttpCall {
    HttpCall {
        purpose: CallPurpose::KeySet,
        url,
        authorization: None,
        form: None,
        // Long enough for a busy machine; tests of the limit itself set their own.
        attempt_timeout: Duration::from_secs(30),
        max_reply_bytes: 1000,
        retry: RetryPolicy::KeySet,
        sharing: Sharing::SameUrl,
    }
}

/// One attempt, with the call's time limit and without retries.
async fn send<C: Make>(client: &C, call: &HttpCall) -> Result<HttpReply, CallError> {
    tokio::time::timeout(call.attempt_timeout, client.send(call))
        .await
        .unwrap_or(Err(CallError::Timeout))
}

async fn send_to<C: Make>(act: Act) -> (Result<HttpReply, CallError>, Seen) {
    let (address, seen) = plain(vec![act]).await;
    (
        send(&any_client::<C>(), &call(format!("http://{address}/x"))).await,
        seen,
    )
}

async fn a_form_is_posted_with_its_authorization<C: Make>() {
    let (address, seen) = plain(vec![Act::Send(reply("200 OK", "{}"))]).await;
    let call = HttpCall {
        purpose: CallPurpose::TokenExchange,
        authorization: Some(Secret::new("Basic YTpi".to_owned())),
        form: Some(Secret::new("a=b&c=d".to_owned())),
        ..call(format!("http://{address}/oauth2/token"))
    };
    let outcome = send(&any_client::<C>(), &call).await.unwrap();
    assert_eq!((outcome.status, outcome.body), (200, b"{}".to_vec()));
    let request = seen.all().remove(0);
    assert!(request.starts_with("POST /oauth2/token HTTP/1.1\r\n"), "{request}");
    let lower = request.to_lowercase();
    assert!(lower.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"));
    assert!(request.contains(": Basic YTpi\r\n"));
    assert!(lower.contains(&format!("\r\nhost: {address}\r\n")));
    assert!(request.ends_with("\r\n\r\na=b&c=d"));
}

async fn a_call_without_a_form_is_a_get<C: Make>() {
    let (_, seen) = send_to::<C>(Act::Send(reply("200 OK", "{}"))).await;
    let request = seen.all().remove(0);
    assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
    let lower = request.to_lowercase();
    assert!(!lower.contains("\r\nauthorization:") && !lower.contains("\r\naccept-encoding:"));
}

async fn names_below_localhost_reach_loopback<C: Make>() {
    let (address, seen) = plain(vec![Act::Send(reply("200 OK", "{}"))]).await;
    let url = format!("http://auth.localhost:{}/", address.port());
    assert_eq!(send(&any_client::<C>(), &call(url)).await.unwrap().status, 200);
    assert_eq!(seen.count(), 1);
}

async fn a_chunked_reply_is_put_together<C: Make>() {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n4\r\na\":1\r\n1\r\n}\r\n0\r\n\r\n";
    let (outcome, _) = send_to::<C>(Act::Send(text.to_owned())).await;
    assert_eq!(outcome.unwrap().body, b"{\"a\":1}");
}

async fn a_content_type_is_handed_on_as_it_came<C: Make>() {
    for (head, expected) in [
        (
            "Content-Type: text/html; charset=UTF-8\r\n",
            Some("text/html; charset=UTF-8"),
        ),
        ("content-type: APPLICATION/json\r\n", Some("APPLICATION/json")),
        ("", None),
    ] {
        let text = format!("HTTP/1.1 503 Busy\r\n{head}Content-Length: 0\r\n\r\n");
        let (outcome, _) = send_to::<C>(Act::Send(text)).await;
        let outcome = outcome.unwrap();
        assert_eq!((outcome.status, outcome.content_type.as_deref()), (503, expected));
    }
}

async fn a_redirect_is_not_followed<C: Make>() {
    let text = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (outcome, seen) = send_to::<C>(Act::Send(text.to_owned())).await;
    assert_eq!(outcome.unwrap().status, 302);
    assert_eq!(seen.count(), 1);
}

async fn ends_with_the_attempt<C: Make>(act: Act) {
    let (address, seen) = plain(vec![act]).await;
    let call = HttpCall {
        attempt_timeout: Duration::from_millis(300),
        ..call(format!("http://{address}/"))
    };
    assert_eq!(send(&any_client::<C>(), &call).await, Err(CallError::Timeout));
    assert!(seen.count() <= 1);
}

async fn a_reply_that_stalls_ends_with_the_attempt<C: Make>() {
    ends_with_the_attempt::<C>(Act::Stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned())).await;
}

async fn a_server_that_never_replies_ends_with_the_attempt<C: Make>() {
    ends_with_the_attempt::<C>(Act::Stall(String::new())).await;
}

async fn a_reset_connection_is_a_broken_exchange<C: Make>() {
    let (outcome, seen) = send_to::<C>(Act::Reset).await;
    assert!(matches!(outcome, Err(CallError::Broken(_))), "{outcome:?}");
    assert_eq!(seen.count(), 1);
}

async fn bytes_that_are_not_http_are_a_broken_exchange<C: Make>() {
    let (outcome, _) = send_to::<C>(Act::Send("this is not http at all\r\n\r\n".to_owned())).await;
    assert!(matches!(outcome, Err(CallError::Broken(_))), "{outcome:?}");
}

async fn a_truncated_body_is_a_broken_exchange<C: Make>() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}";
    let (outcome, _) = send_to::<C>(Act::Send(text.to_owned())).await;
    assert!(matches!(outcome, Err(CallError::Broken(_))), "{outcome:?}");
}

async fn a_body_of_exactly_the_limit_is_taken<C: Make>() {
    let (outcome, _) = send_to::<C>(Act::Send(reply("200 OK", &"x".repeat(1000)))).await;
    assert_eq!(outcome.unwrap().body.len(), 1000);
}

async fn a_body_announced_too_long_is_refused_unread<C: Make>() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    let (outcome, _) = send_to::<C>(Act::Stall(text.to_owned())).await;
    assert_eq!(outcome, Err(CallError::TooLarge));
}

/// T-DOS-3
async fn a_body_without_length_is_cut_off_at_the_limit<C: Make>() {
    // It never ends: only a limit kept while reading can stop it.
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1001));
    let (outcome, _) = send_to::<C>(Act::Stall(endless)).await;
    assert_eq!(outcome, Err(CallError::TooLarge));
}

async fn an_absent_server_is_a_failed_connection<C: Make>() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = send(&any_client::<C>(), &call(format!("http://{address}/"))).await;
    assert!(matches!(outcome, Err(CallError::Connect(_))), "{outcome:?}");
}

async fn a_url_that_is_none_is_an_error_and_no_panic<C: Make>() {
    for url in [
        "",
        "/path",
        "https://",
        "https://a b/",
        "ftp://x/",
        "https://[::1/",
        "http://:1/",
    ] {
        let outcome = send(&any_client::<C>(), &call(url.to_owned())).await;
        assert!(outcome.is_err(), "{url}: {outcome:?}");
    }
}

async fn an_authorization_that_is_no_header_value_is_not_shown<C: Make>() {
    let call = HttpCall {
        authorization: Some(Secret::new("hunter2\n".to_owned())),
        ..call("http://127.0.0.1:1/".to_owned())
    };
    let error = send(&any_client::<C>(), &call).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(_)));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

async fn send_tls<C: Make>(
    trusted: &Authority,
    server: &Authority,
    name: &str,
) -> (Result<HttpReply, CallError>, Seen) {
    let (address, seen) = tls(vec![Act::Send(reply("200 OK", "{}"))], server.acceptor(name)).await;
    let client = C::make(Some(vec![trusted.root()]));
    let url = format!("https://localhost:{}/", address.port());
    (send(&client, &call(url)).await, seen)
}

async fn a_certificate_of_a_trusted_authority_is_accepted<C: Make>() {
    let authority = Authority::new();
    let (outcome, seen) = send_tls::<C>(&authority, &authority, "localhost").await;
    assert_eq!(outcome.unwrap().status, 200);
    assert_eq!(seen.count(), 1);
}

async fn a_certificate_for_another_name_gets_no_request<C: Make>() {
    let authority = Authority::new();
    let (outcome, seen) = send_tls::<C>(&authority, &authority, "localhost.example").await;
    assert!(matches!(outcome, Err(CallError::Connect(_))), "{outcome:?}");
    assert_eq!(seen.count(), 0);
}

async fn a_certificate_of_an_unknown_authority_gets_no_request<C: Make>() {
    let (outcome, seen) = send_tls::<C>(&Authority::new(), &Authority::new(), "localhost").await;
    assert!(matches!(outcome, Err(CallError::Connect(_))), "{outcome:?}");
    assert_eq!(seen.count(), 0);
}

#[tokio::test]
async fn a_hundred_equal_calls_at_once_are_one_request() {
    let (address, seen) = plain(vec![Act::Send(reply("200 OK", "{\"keys\":[]}"))]).await;
    let driver = std::sync::Arc::new(Driver::new(any_client::<HyperClient>(), Duration::from_secs(30)));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (driver, call) = (driver.clone(), call(format!("http://{address}/jwks.json")));
            tokio::spawn(async move { driver.carry_out(&call).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().body, b"{\"keys\":[]}");
    }
    assert_eq!(seen.count(), 1);
}

/// The inner half of the next test, in a process whose environment names the file.
#[tokio::test]
#[ignore = "run by the_file_that_ssl_cert_file_names_is_trusted"]
async fn calls_with_the_trust_of_the_environment() {
    let url = env::var("PORTCULLIS_TEST_URL").unwrap();
    assert_eq!(send(&HyperClient::new(), &call(url.clone())).await.unwrap().status, 200);
    assert_eq!(
        send(&ReqwestClient::new().unwrap(), &call(url)).await.unwrap().status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_that_ssl_cert_file_names_is_trusted() {
    let authority = Authority::new();
    let (address, seen) = tls(vec![Act::Send(reply("200 OK", "{}"))], authority.acceptor("localhost")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.root_pem()).unwrap();
    let inner = process::Command::new(env::current_exe().unwrap())
        .args(["--exact", "calls_with_the_trust_of_the_environment", "--ignored"])
        .env("PORTCULLIS_TEST_URL", format!("https://localhost:{}/", address.port()))
        .env("SSL_CERT_FILE", file.path())
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(inner.status.success(), "{}", String::from_utf8_lossy(&inner.stdout));
    assert_eq!(seen.count(), 2);
}
