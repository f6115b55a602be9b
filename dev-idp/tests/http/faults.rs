use std::io::ErrorKind;
use std::time::Duration;

use dev_idp::{Endpoint, Fault, FaultBody, Overrides, Running, Signer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::browser::{assert_error, part, post_form, start, verifies};
use crate::client::{Request, Response};

async fn refresh(idp: &Running) -> Response {
    let session = idp.mint_session("alice", "web", &Overrides::none()).unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "web"),
        ("refresh_token", &*session.refresh_token),
    ];
    post_form(idp, "/oauth2/token", None, &form).await
}

async fn ask_for_jwks(idp: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(idp.addr()).await.unwrap();
    stream
        .write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: idp\r\n\r\n")
        .await
        .unwrap();
    stream
}

/// Asks for the key set and reads until the connection ends.
async fn raw_jwks(idp: &Running) -> (Vec<u8>, std::io::Result<()>) {
    let mut received = Vec::new();
    let outcome = ask_for_jwks(idp).await.read_to_end(&mut received).await.map(drop);
    (received, outcome)
}

#[tokio::test]
async fn faults_last_as_long_as_told() {
    let idp = start().await;
    idp.faults().times(Endpoint::Token, 2, Fault::status(500));
    idp.faults().times(Endpoint::Token, 1, Fault::invalid_grant());
    assert_eq!(refresh(&idp).await.status(), 500);
    assert_eq!(refresh(&idp).await.status(), 500);
    assert_error(refresh(&idp).await, "invalid_grant").await;
    assert_eq!(refresh(&idp).await.status(), 200);
    assert_eq!(idp.requests().count(Endpoint::Token), 4);

    idp.faults().set(Endpoint::Token, Fault::status(503));
    for _ in 0..3 {
        assert_eq!(refresh(&idp).await.status(), 503);
    }
    idp.faults().clear_all();
    assert_eq!(refresh(&idp).await.status(), 200);
}

#[tokio::test]
async fn a_fault_concerns_its_endpoint_alone() {
    let idp = start().await;
    for endpoint in [
        Endpoint::Jwks,
        Endpoint::Revoke,
        Endpoint::Authorize,
        Endpoint::Login,
        Endpoint::UserInfo,
    ] {
        idp.faults().set(endpoint, Fault::status(500));
    }
    assert_eq!(refresh(&idp).await.status(), 200);
    for path in [
        "/.well-known/jwks.json",
        "/oauth2/authorize",
        "/login",
        "/oauth2/userInfo",
    ] {
        assert_eq!(
            Request::get(format!("{}{path}", idp.url())).send().await.status(),
            500,
            "{path}"
        );
    }
    assert_eq!(post_form(&idp, "/oauth2/revoke", None, &[]).await.status(), 500);
}

#[tokio::test]
async fn statuses_come_with_the_body_asked_for() {
    let idp = start().await;
    idp.faults().times(Endpoint::Token, 1, Fault::status(500));
    let response = refresh(&idp).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json().await["error"], "server_error");
    idp.faults().times(Endpoint::Token, 1, Fault::html_status(502));
    let response = refresh(&idp).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (502, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(response.text().await.contains("<h1>502"));
    idp.faults().times(
        Endpoint::Token,
        1,
        Fault::Status {
            status: 429,
            body: FaultBody::Empty,
        },
    );
    let response = refresh(&idp).await;
    assert_eq!((response.status().as_u16(), &*response.text().await), (429, ""));
}

#[tokio::test]
async fn a_delay_comes_before_the_true_answer_or_another_fault() {
    let idp = start().await;
    idp.faults()
        .times(Endpoint::Token, 1, Fault::delay(Duration::from_millis(30)));
    let before = std::time::Instant::now();
    assert_eq!(refresh(&idp).await.status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(30));
    idp.faults()
        .times(Endpoint::Token, 1, Fault::status(500).after(Duration::from_millis(1)));
    assert_eq!(refresh(&idp).await.status(), 500);
}

#[tokio::test]
async fn garbage_claims_to_be_json() {
    let idp = start().await;
    idp.faults().times(Endpoint::Token, 1, Fault::Garbage);
    let response = refresh(&idp).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json;charset=UTF-8".parse().unwrap())
    );
    let bytes = response.bytes().await;
    assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_err());
}

#[tokio::test]
async fn the_wrong_content_type_stands_over_the_true_answer() {
    let idp = start().await;
    idp.faults().times(Endpoint::Token, 1, Fault::WrongContentType);
    let response = refresh(&idp).await;
    assert_eq!(response.headers()["content-type"], "text/html;charset=UTF-8");
    assert!(response.json().await.get("id_token").is_some());
}

#[tokio::test]
async fn a_redirect_points_where_told() {
    let idp = start().await;
    idp.faults().times(
        Endpoint::Token,
        1,
        Fault::Redirect {
            location: "http://127.0.0.1:9/x".into(),
        },
    );
    assert_eq!(crate::browser::location(&refresh(&idp).await), "http://127.0.0.1:9/x");
}

#[tokio::test]
async fn a_huge_body_is_valid_and_of_the_length_asked_for() {
    let idp = start().await;
    for bytes in [100, 16 * 1024 + 14, 3_000_000] {
        idp.faults().times(Endpoint::Token, 1, Fault::HugeBody { bytes });
        let response = refresh(&idp).await;
        assert!(response.headers().get("content-length").is_none());
        let body = response.text().await;
        assert_eq!(body.len(), bytes);
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
    }
}

#[tokio::test]
async fn a_closed_connection_ends_without_a_byte() {
    let idp = start().await;
    idp.faults().times(Endpoint::Jwks, 1, Fault::Close);
    let (received, outcome) = raw_jwks(&idp).await;
    assert_eq!(received, b"");
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test]
async fn a_reset_connection_fails_without_a_byte() {
    let idp = start().await;
    idp.faults().times(Endpoint::Jwks, 1, Fault::Reset);
    let (received, outcome) = raw_jwks(&idp).await;
    assert_eq!(received, b"");
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_truncated_answer_ends_before_its_announced_length() {
    let idp = start().await;
    idp.faults().times(Endpoint::Jwks, 1, Fault::Truncated);
    let (received, _) = raw_jwks(&idp).await;
    let received = String::from_utf8(received).unwrap();
    assert!(received.contains("content-length: 32\r\n"), "{received}");
    assert!(received.ends_with("\r\n\r\n{\"id_token\":\"eyJ"), "{received}");
}

#[tokio::test]
async fn a_stalled_answer_begins_and_never_goes_on() {
    let idp = start().await;
    idp.faults().times(Endpoint::Jwks, 1, Fault::Stalled);
    let mut stream = ask_for_jwks(&idp).await;
    let mut received = Vec::new();
    while !received.ends_with(b"{\"id_token\":\"eyJ") {
        assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0);
    }
    idp.shutdown().await;
    let length = received.len();
    stream.read_to_end(&mut received).await.ok();
    assert_eq!(received.len(), length, "cut off by the shutdown, not finished");
}

#[tokio::test]
async fn a_hanging_request_gets_no_answer_until_the_provider_stops() {
    let idp = start().await;
    idp.faults().times(Endpoint::Jwks, 1, Fault::Hang);
    let mut stream = ask_for_jwks(&idp).await;
    idp.requests().wait_for(Endpoint::Jwks, 1).await;
    idp.shutdown().await;
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.ok();
    assert_eq!(received, b"");
}

#[tokio::test]
async fn the_token_endpoint_lies_on_demand() {
    let idp = start().await;
    let lie = Overrides::none()
        .claim("aud", "other")
        .without_claim("exp")
        .signed_by(Signer::Foreign);
    idp.faults().times(Endpoint::Token, 1, Fault::IdToken(lie));
    let reply = refresh(&idp).await.json().await;
    let token = reply["id_token"].as_str().unwrap();
    assert_eq!(
        (&part(token, 1)["aud"], part(token, 1).get("exp")),
        (&"other".into(), None)
    );
    assert!(!verifies(token, &idp.jwks()));
    assert!(verifies(reply["access_token"].as_str().unwrap(), &idp.jwks()));

    idp.faults()
        .times(Endpoint::Token, 1, Fault::reply("id_token", serde_json::Value::Null));
    assert!(refresh(&idp).await.json().await.get("id_token").is_none());
    idp.faults().times(Endpoint::Token, 1, Fault::reply("id_token", 7));
    assert_eq!(refresh(&idp).await.json().await["id_token"], 7);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let idp = start().await;
    let padding = "x".repeat(300 * 1024);
    assert_eq!(
        post_form(&idp, "/oauth2/token", None, &[("code", &padding)])
            .await
            .status(),
        413
    );
}
