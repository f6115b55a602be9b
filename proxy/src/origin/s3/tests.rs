//! Upstream headers as the store gets them.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::Secret;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::{
    canonical_path::CanonicalPath,
    config::{OriginTimeouts, S3Addressing, StaticCredentials},
    origin::Forwarded,
};

/// An origin whose store does not answer: nothing listens on the discard port.
async fn origin() -> S3Origin {
    let settings = S3Settings {
        bucket: "site".into(),
        region: Some("eu-west-1".into()),
        endpoint: Some("http://127.0.0.1:9".parse().unwrap()),
        addressing: S3Addressing::Path,
        prefix: "v1/".into(),
        credentials: Some(StaticCredentials {
            access_key_id: "AKID".into(),
            secret_access_key: Secret::new("secret".into()),
            session_token: Some(Secret::new("token".into())),
        }),
        missing_status: MissingStatus::NotFound,
        timeouts: OriginTimeouts::default(),
    };
    S3Origin::connect(&settings, &Handle::current()).await.unwrap()
}

fn dispatch(origin: &S3Origin, method: Method, headers: &HeaderMap) -> Result<Dispatch, OriginError> {
    let request = OriginRequest {
        method: &method,
        path: &CanonicalPath::parse("/a%20b+c").unwrap(),
        query: "list-type=2&acl",
        headers,
        identity: &[],
        forwarded: Forwarded {
            client: [192, 0, 2, 7].into(),
            via: Some(("https", "app.example.com")),
        },
    };
    origin.dispatch(&request, UNIX_EPOCH + Duration::from_secs(1_790_000_000))
}

fn viewer_headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[tokio::test]
async fn only_ranges_and_preconditions_of_a_viewer_reach_the_store() {
    let headers = viewer_headers(&[
        ("host", "app.example.com"),
        ("cookie", "idToken=secret"),
        ("authorization", "Bearer viewer"),
        ("x-amz-acl", "public-read"),
        ("x-amz-date", "19700101T000000Z"),
        ("x-amz-security-token", "viewer"),
        ("x-forwarded-for", "192.0.2.1"),
        ("connection", "range"),
        ("accept-encoding", "gzip"),
        ("range", "bytes=0-9"),
        ("if-range", "\"a\""),
        ("if-match", "\"a\""),
        ("if-none-match", "\"b\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ]);
    let Dispatch::Upstream { header, peer } = dispatch(&origin().await, Method::GET, &headers).unwrap() else {
        panic!("a bucket has no files at hand");
    };
    let mut names: Vec<&str> = header.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "host",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "range",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-security-token",
        ]
    );
    assert_eq!(header.headers["host"], "127.0.0.1:9");
    assert_eq!(header.headers["x-amz-date"], "20260921T141320Z");
    assert_eq!(header.headers["x-amz-security-token"], "token");
    assert!(
        header.headers["authorization"]
            .to_str()
            .unwrap()
            .contains("Credential=AKID/20260921/eu-west-1/s3/")
    );
    assert_eq!(
        header.raw_path(),
        b"/site/v1/a%20b%2Bc",
        "the viewer's query is not signed"
    );
    assert_eq!(peer._address.to_string(), "127.0.0.1:9");
}

#[tokio::test]
async fn head_goes_out_as_head() {
    let Ok(Dispatch::Upstream { header, .. }) = dispatch(&origin().await, Method::HEAD, &HeaderMap::new()) else {
        panic!("HEAD is allowed");
    };
    assert_eq!(header.method, Method::HEAD);
}

#[tokio::test]
async fn a_bucket_is_read_only() {
    let origin = origin().await;
    for method in [
        Method::PUT,
        Method::POST,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        let refused = dispatch(&origin, method, &HeaderMap::new()).unwrap_err();
        assert_eq!(refused, OriginError::MethodNotAllowed);
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn errors_of_the_store_are_replaced() {
    let origin = origin().await;
    for (status, shown) in [
        (403, 404),
        (404, 404),
        (416, 416),
        (500, 502),
        (503, 502),
        (301, 502),
        (307, 502),
    ] {
        let mut response = ResponseHeader::build(status, None).unwrap();
        let shown = StatusCode::from_u16(shown).unwrap();
        assert_eq!(origin.admit_response(&mut response), Admitted::Replace(shown));
    }
}
