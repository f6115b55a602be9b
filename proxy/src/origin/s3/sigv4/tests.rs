//! Our signatures against those of AWS's own signer.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
};
use proptest::prelude::*;

use super::*;
use crate::canonical_path::CanonicalPath;

const HOST: &str = "bucket.s3.eu-central-1.amazonaws.com";
const REGION: &str = "eu-central-1";

fn access(session_token: Option<&str>) -> AccessKey {
    AccessKey {
        id: "AKIDEXAMPLE".into(),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
        session_token: session_token.map(|token| Secret::new(token.into())),
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn ours(access: &AccessKey, target: Target<'_>, now: SystemTime) -> Vec<(String, String)> {
    let now = Instant::of(now).unwrap();
    let signed = SigningKey::derive(access, REGION, now)
        .unwrap()
        .sign(target, now)
        .unwrap();
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let mut headers = vec![
        ("authorization".to_owned(), text(&signed.authorization)),
        ("x-amz-content-sha256".to_owned(), EMPTY_PAYLOAD_SHA256.to_owned()),
        ("x-amz-date".to_owned(), text(&signed.date)),
    ];
    headers.extend(
        signed
            .security_token
            .as_ref()
            .map(|token| ("x-amz-security-token".to_owned(), text(token))),
    );
    headers
}

fn theirs(access: &AccessKey, target: Target<'_>, now: SystemTime) -> Vec<(String, String)> {
    let identity = Credentials::new(
        access.id.clone(),
        access.secret.expose().clone(),
        access.session_token.as_ref().map(|token| token.expose().clone()),
        None,
        "test",
    )
    .into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let url = format!("https://{}{}", target.host, target.path);
    let request = SignableRequest::new(
        target.method.as_str(),
        &url,
        std::iter::empty(),
        SignableBody::Bytes(b""),
    )
    .unwrap();
    let (instructions, _) = aws_sigv4::http_request::sign(request, &params).unwrap().into_parts();
    let mut headers: Vec<_> = instructions
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    headers.sort();
    headers
}

#[track_caller]
fn agree(path: &str, method: &Method, token: Option<&str>, now: SystemTime) {
    let path = CanonicalPath::parse(path).unwrap();
    let target = Target {
        method,
        host: HOST,
        path: path.as_str(),
    };
    let access = access(token);
    assert_eq!(ours(&access, target, now), theirs(&access, target, now), "{path:?}");
}

const NOW: u64 = 1_790_000_000;

#[test]
fn plain_and_awkward_paths_are_signed_as_aws_signs_them() {
    for path in [
        "/",
        "/index.html",
        "/a%20b.txt",
        "/a+b",
        "/a%2Bb",
        "/a%2520b",
        "/é/日本語.html",
        "/%F0%9F%98%80",
        "//double//slashes/",
        "/a;b=c,d@e:f&g$h!i*j'k(l)m",
        "/~tilde-._",
        "/%25",
        "/%7e%41",
        "/%5b%5D",
    ] {
        agree(path, &Method::GET, None, at(NOW));
    }
}

#[test]
fn head_is_signed_as_head() {
    agree("/index.html", &Method::HEAD, None, at(NOW));
    let target = |method| Target {
        method,
        host: HOST,
        path: "/",
    };
    assert_ne!(
        ours(&access(None), target(&Method::GET), at(NOW)),
        ours(&access(None), target(&Method::HEAD), at(NOW))
    );
}

#[test]
fn session_tokens_are_signed_and_sent() {
    agree(
        "/a b".replace(' ', "%20").as_str(),
        &Method::GET,
        Some("FwoGZXIvYXdzE//Token+=="),
        at(NOW),
    );
}

#[test]
fn the_edges_of_a_day_a_year_and_a_leap_day_are_right() {
    for seconds in [
        0,
        86_399,
        86_400,
        951_782_400,
        951_868_799,
        1_798_761_599,
        1_798_761_600,
        4_107_542_400,
    ] {
        agree("/x", &Method::GET, None, at(seconds));
    }
}

#[test]
fn a_key_serves_its_own_day_only() {
    let noon = Instant::of(at(NOW)).unwrap();
    let key = SigningKey::derive(&access(None), REGION, noon).unwrap();
    assert!(key.serves(noon));
    assert!(!key.serves(Instant::of(at(NOW + 86_400)).unwrap()));
}

#[test]
fn a_clock_before_the_epoch_or_beyond_four_digits_signs_nothing() {
    assert_eq!(Instant::of(UNIX_EPOCH - Duration::from_secs(1)), Err(SignError::Clock));
    assert_eq!(Instant::of(at(253_402_300_800)), Err(SignError::Clock));
    assert!(Instant::of(at(253_402_300_799)).is_ok());
}

#[test]
fn an_access_key_that_no_header_can_carry_is_refused() {
    let now = Instant::of(at(NOW)).unwrap();
    let line_break = AccessKey {
        id: "A\nB".into(),
        ..access(None)
    };
    assert_eq!(
        SigningKey::derive(&line_break, REGION, now).unwrap_err(),
        SignError::Unprintable
    );
    assert_eq!(
        SigningKey::derive(&access(Some("a\r\nb")), REGION, now).unwrap_err(),
        SignError::Unprintable
    );
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let now = Instant::of(at(NOW)).unwrap();
    let access = access(Some("session-token"));
    let key = SigningKey::derive(&access, REGION, now).unwrap();
    let signed = key
        .sign(
            Target {
                method: &Method::GET,
                host: HOST,
                path: "/",
            },
            now,
        )
        .unwrap();
    let shown = format!("{access:?} {key:?} {signed:?} {:?}", signed.authorization);
    assert!(
        !shown.contains("wJalr") && !shown.contains("session-token") && !shown.contains("Signature="),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_canonical_path_is_signed_as_aws_signs_it(
        segments in proptest::collection::vec("[^/\\\\\\x00-\\x1f\\x7f]{0,12}", 0..5),
        seconds in 0_u64..4_102_444_800,
        token in proptest::option::of("[A-Za-z0-9+/=]{1,40}"),
        head in proptest::bool::ANY,
    ) {
        let encoded: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
        let Ok(path) = CanonicalPath::parse(format!("/{}", encoded.join("/"))) else { return Ok(()) };
        let method = if head { Method::HEAD } else { Method::GET };
        let target = Target { method: &method, host: HOST, path: path.as_str() };
        let access = access(token.as_deref());
        prop_assert_eq!(ours(&access, target, at(seconds)), theirs(&access, target, at(seconds)));
    }
}

fn encode(segment: &str) -> String {
    segment.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
