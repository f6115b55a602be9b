//! Events in, results out, with a client that replies as a test scripts it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth_core::{CallError, HttpCall, HttpReply};
use auth_driver::HttpClient;
use edge_adapter::{Function, MAX_GENERATED_BYTES, Role, TIME_BUDGET};
use serde_json::{Value, json, value::RawValue};
use tokio::time::Instant;

const CONFIGURATION: &str = include_str!("data/configuration.json");
/// Signed by the first key of the JWK set in the configuration. Without `exp` it never expires.
const ID_TOKEN: &str = include_str!("data/id-token-without-exp.txt");
const COOKIES: &str = "CognitoIdentityServiceProvider.1example23456789abcdefghij";

/// What Lambda@Edge leaves an invocation.
const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// Never replies, and counts how often it was asked.
#[derive(Clone, Default)]
struct Silent(Arc<AtomicUsize>);

impl HttpClient for Silent {
    async fn send(&self, _: &HttpCall) -> Result<HttpReply, CallError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        pending().await
    }
}

fn function(role: Role) -> Function<Silent> {
    Function::new(role, CONFIGURATION.as_bytes(), Silent::default()).unwrap()
}

async fn answer(role: Role, event: &str) -> Box<RawValue> {
    function(role).answer(event, FIVE_SECONDS).await.unwrap()
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

fn event(request: &str) -> String {
    format!(
        r#"{{"Records":[{{"cf":{{"config":{{"distributionDomainName":"d1.cloudfront.net"}},"request":{request}}}}}]}}"#
    )
}

fn signed_in(uri: &str) -> String {
    let token = ID_TOKEN.trim();
    format!(
        r#"{{ "uri" : "{uri}", "method":"GET", "querystring":"",
        "headers": {{"host":[{{"key":"Host","value":"app.example"}}],
        "cookie":[{{"key":"Cookie","value":"{COOKIES}.LastAuthUser=jane; {COOKIES}.jane.idToken={token}"}}]}},
        "clientIp":"203.0.113.178", "unknown": [1.50, 1e2, {{"deep":"\u00e9\/"}}], "body":{{"data":"YQ=="}} }}"#
    )
}

fn signed_out(uri: &str, host: &str) -> String {
    event(&format!(
        r#"{{"uri":"{uri}","method":"GET","querystring":"","headers":{{"host":[{{"key":"Host","value":"{host}"}}]}}}}"#
    ))
}

#[tokio::test]
async fn a_request_that_passes_comes_back_to_the_byte() {
    let request = signed_in("/a");
    for role in [Role::CheckAuth, Role::AllInOne] {
        assert_eq!(answer(role, &event(&request)).await.get(), request);
    }
}

#[tokio::test]
async fn a_known_session_passes_again_without_a_call() {
    let client = Silent::default();
    let function = Function::new(Role::CheckAuth, CONFIGURATION.as_bytes(), client.clone()).unwrap();
    let request = signed_in("/a");
    for _ in 0..3 {
        let answer = function.answer(&event(&request), FIVE_SECONDS).await.unwrap();
        assert_eq!(answer.get(), request);
    }
    assert_eq!(client.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_viewer_without_a_session_is_sent_to_the_hosted_ui() {
    let answer = value(&answer(Role::CheckAuth, &signed_out("/a", "app.example")).await);
    assert_eq!(
        (&answer["status"], &answer["statusDescription"]),
        (&json!("307"), &json!("Temporary Redirect"))
    );
    let location = answer["headers"]["location"][0]["value"].as_str().unwrap();
    assert!(
        location.starts_with("https://login.example/oauth2/authorize?"),
        "{location}"
    );
    assert_eq!(answer["headers"]["set-cookie"].as_array().unwrap().len(), 3);
    assert_eq!(
        answer["headers"]["x-frame-options"],
        json!([{"key": "X-Frame-Options", "value": "DENY"}])
    );
    assert!(answer.get("body").is_none());
}

#[tokio::test]
async fn one_function_for_all_paths_tells_them_apart() {
    for (uri, kind) in [
        ("/parseauth", "sign-in-issue"),
        ("/refreshauth", "refresh-issue"),
        ("/signout", "signed-out"),
    ] {
        let answer = value(&answer(Role::AllInOne, &signed_out(uri, "app.example")).await);
        let body = answer["body"].as_str().unwrap();
        assert!(body.contains(&format!("data-page=\"{kind}\"")), "{uri}: {body}");
    }
    let answer = value(&answer(Role::AllInOne, &signed_out("/signout-x", "app.example")).await);
    assert_eq!(answer["status"], "307");
}

#[tokio::test]
async fn a_function_bound_to_an_endpoint_does_not_look_at_the_path() {
    for (role, kind) in [
        (Role::ParseAuth, "sign-in-issue"),
        (Role::RefreshAuth, "refresh-issue"),
        (Role::SignOut, "signed-out"),
    ] {
        let answer = value(&answer(role, &signed_out("/anywhere", "app.example")).await);
        assert!(
            answer["body"]
                .as_str()
                .unwrap()
                .contains(&format!("data-page=\"{kind}\""))
        );
    }
}

/// A request to the sign-in path that leads to a call: state, nonce, HMAC and PKCE belong together.
fn callback() -> String {
    let nonce = "9999999999Tabcdefghijklmnop";
    let signature = {
        use ring::hmac::{HMAC_SHA256, Key, sign};
        let key = Key::new(HMAC_SHA256, b"jvfgVwXyZ0123456789abcdefGHIJKLM");
        base64(sign(&key, nonce.as_bytes()).as_ref())[..16]
            .replace('+', "-")
            .replace('/', "_")
    };
    let state = base64(format!(r#"{{"nonce":"{nonce}","requestedUri":"/a"}}"#).as_bytes());
    let state = state.trim_end_matches('=').replace('+', "-").replace('/', "_");
    event(&format!(
        r#"{{"uri":"/parseauth","method":"GET","querystring":"code=c&state={state}","headers":{{
        "host":[{{"key":"Host","value":"app.example"}}],"cookie":[{{"key":"Cookie","value":
        "spa-auth-edge-nonce={nonce}; spa-auth-edge-nonce-hmac={signature}; spa-auth-edge-pkce=p"}}]}}}}"#
    ))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, &byte| bits << 8 | usize::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = char::from(ALPHABET[bits >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

async fn time_to_give_up(remaining: Duration) -> (Value, Duration, usize) {
    let client = Silent::default();
    let function = Function::new(Role::ParseAuth, CONFIGURATION.as_bytes(), client.clone()).unwrap();
    let start = Instant::now();
    let answer = function.answer(&callback(), remaining).await.unwrap();
    (value(&answer), start.elapsed(), client.0.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn a_silent_token_endpoint_ends_in_a_page_before_lambda_ends_the_function() {
    let (answer, took, attempts) = time_to_give_up(FIVE_SECONDS).await;
    assert!(took >= TIME_BUDGET && took < Duration::from_millis(4700), "{took:?}");
    assert_eq!(attempts, 2);
    let body = answer["body"].as_str().unwrap();
    assert!(body.contains("data-reason=\"token-endpoint\""), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_function_with_less_time_gives_up_earlier() {
    let (answer, took, _) = time_to_give_up(Duration::from_secs(3)).await;
    assert!(
        took >= Duration::from_millis(2600) && took < Duration::from_millis(2700),
        "{took:?}"
    );
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains("data-reason=\"token-endpoint\"")
    );
    let (_, took, _) = time_to_give_up(Duration::ZERO).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

#[tokio::test]
async fn sites_are_told_apart_by_host_and_an_unknown_one_is_turned_away() {
    let other = CONFIGURATION.replace("login.example", "other-login.example");
    let sites = format!(r#"{{"sites":{{"app.example":{CONFIGURATION},"other.example":{other}}}}}"#);
    let function = Function::new(Role::CheckAuth, sites.as_bytes(), Silent::default()).unwrap();
    for (host, login) in [
        ("app.example", "https://login.example/"),
        ("OTHER.example", "https://other-login.example/"),
    ] {
        let answer = value(&function.answer(&signed_out("/", host), FIVE_SECONDS).await.unwrap());
        let location = answer["headers"]["location"][0]["value"].as_str().unwrap();
        assert!(location.starts_with(login), "{host}: {location}");
    }
    let answer = value(
        &function
            .answer(&signed_out("/", "evil.example"), FIVE_SECONDS)
            .await
            .unwrap(),
    );
    assert_eq!(
        (&answer["status"], &answer["statusDescription"]),
        (&json!("421"), &json!("Misdirected Request"))
    );
    assert!(answer["headers"].get("set-cookie").is_none() && answer["headers"].get("location").is_none());
}

#[tokio::test]
async fn headers_are_added_to_the_origins_response_and_all_else_stays() {
    let event = r#"{"Records":[{"cf":{"request":{"uri":"/","headers":{}},
        "response":{"status":"200","headers":{"x-frame-options":[{"value":"ALLOW"}],"etag":[{"key":"ETag","value":"\"a\""}]},"n":1.50}}}]}"#;
    assert_eq!(
        answer(Role::HttpHeaders, event).await.get(),
        r#"{"status":"200","headers":{"x-frame-options":[{"key":"X-Frame-Options","value":"DENY"}],"etag":[{"key":"ETag","value":"\"a\""}]},"n":1.50}"#
    );
}

#[tokio::test]
async fn only_the_uri_of_a_directory_is_rewritten() {
    let request = signed_in("/docs/");
    let rewritten = answer(Role::RewriteTrailingSlash, &event(&request)).await;
    let mut expected: Value = serde_json::from_str(&request).unwrap();
    expected["uri"] = json!("/docs/index.html");
    assert_eq!(value(&rewritten), expected);
    assert!(rewritten.get().contains("1.50") && rewritten.get().contains("1e2"));

    let request = signed_in("/docs");
    assert_eq!(
        answer(Role::RewriteTrailingSlash, &event(&request)).await.get(),
        request
    );
}

#[tokio::test]
async fn rewriting_needs_no_configuration() {
    for configuration in ["{}", "", "not json"] {
        assert!(Function::new(Role::RewriteTrailingSlash, configuration.as_bytes(), Silent::default()).is_ok());
    }
}

#[tokio::test]
async fn a_page_that_quotes_a_very_long_error_stays_within_the_limit() {
    let long = "%22".repeat(9_000);
    let event = event(&format!(
        r#"{{"uri":"/parseauth","querystring":"error=e&error_description={long}","headers":{{"host":[{{"value":"a"}}]}}}}"#
    ));
    assert!(answer(Role::ParseAuth, &event).await.get().len() <= MAX_GENERATED_BYTES);
}

#[tokio::test]
async fn an_event_of_another_kind_fails_the_invocation() {
    let viewer_request = signed_out("/", "app.example");
    let error = function(Role::HttpHeaders).answer(&viewer_request, FIVE_SECONDS).await;
    assert_eq!(error.unwrap_err().to_string(), "event has no response");
    for role in Role::ALL {
        for event in [
            "",
            "null",
            "{}",
            r#"{"Records":[]}"#,
            r#"{"Records":[{"cf":{"request":{"uri":7}}}]}"#,
        ] {
            assert!(
                function(role).answer(event, FIVE_SECONDS).await.is_err(),
                "{role:?} {event}"
            );
        }
    }
}
