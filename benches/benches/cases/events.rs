//! CloudFront's events in, results out: what the edge functions add to a decision.

use std::{hint::black_box, time::Duration};

use auth_core::{CallError, HttpCall, HttpReply, UnixTime};
use auth_driver::HttpClient;
use benches::{configuration, cookie_header, id_token_until};
use edge_adapter::{Function, Role};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::Case;

/// The edge looks at the clock itself: 2100-01-01.
const FAR_AWAY: UnixTime = UnixTime::from_secs(4_102_444_800);

pub(crate) fn cases() -> Vec<Case> {
    let signed_in = cookie_header(&id_token_until(FAR_AWAY, 0));
    vec![
        case(
            "event/known_session_passes",
            Role::CheckAuth,
            &viewer_request(&signed_in),
            "\"uri\"",
        ),
        case(
            "event/no_session_redirected",
            Role::CheckAuth,
            &viewer_request("theme=dark"),
            "\"status\":\"307\"",
        ),
        case(
            "event/response_headers_added",
            Role::HttpHeaders,
            &origin_response(),
            "x-frame-options",
        ),
    ]
}

/// No case asks anybody.
struct Nobody;

impl HttpClient for Nobody {
    async fn send(&self, _: &HttpCall) -> Result<HttpReply, CallError> {
        Err(CallError::Timeout)
    }
}

fn case(name: &'static str, role: Role, event: &Value, expected: &'static str) -> Case {
    let function = Function::new(role, configuration().as_bytes(), Nobody).expect("the configuration is right");
    let event = event.to_string();
    let answer = move || {
        let answer = function
            .answer(black_box(&event), Duration::from_secs(5))
            .now_or_never();
        answer.expect("it waits for nobody").expect("the event is one")
    };
    assert!(answer().get().contains(expected), "{name}: {}", answer());
    Case::new(name, move || drop(black_box(answer())))
}

/// As CloudFront sends it, with the headers of a browser.
fn viewer_request(cookies: &str) -> Value {
    let header = |name: &str, value: &str| json!([{"key": name, "value": value}]);
    record(json!({"request": {
        "clientIp": "203.0.113.178", "method": "GET", "querystring": "", "uri": "/assets/app.js",
        "headers": {
            "host": header("Host", "d111111abcdef8.cloudfront.net"),
            "user-agent": header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
            "accept": header("Accept", "*/*"),
            "accept-language": header("Accept-Language", "en-GB,en;q=0.5"),
            "accept-encoding": header("Accept-Encoding", "gzip, deflate, br, zstd"),
            "referer": header("Referer", "https://d111111abcdef8.cloudfront.net/"),
            "cookie": header("Cookie", cookies),
        }
    }}))
}

fn origin_response() -> Value {
    let header = |name: &str, value: &str| json!([{"key": name, "value": value}]);
    record(json!({
        "request": {"method": "GET", "uri": "/assets/app.js", "querystring": "", "headers": {
            "host": header("Host", "bucket.s3.eu-west-1.amazonaws.com")
        }},
        "response": {"status": "200", "statusDescription": "OK", "headers": {
            "content-type": header("Content-Type", "text/javascript"),
            "etag": header("ETag", "\"b54357faf0632cce46e942fa68356b38\""),
            "last-modified": header("Last-Modified", "Sun, 01 Nov 2026 10:00:00 GMT"),
            "server": header("Server", "AmazonS3"),
        }}
    }))
}

fn record(mut part: Value) -> Value {
    part["config"] = json!({
        "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
        "eventType": "viewer-request", "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="
    });
    json!({"Records": [{"cf": part}]})
}
