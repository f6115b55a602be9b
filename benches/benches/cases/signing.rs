//! Signing a request to S3: by the proxy's own signer with the key of the day, and by the AWS SDK's, which derives
//! that key each time.

use std::{
    hint::black_box,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use proxy::doors::Signer;

use super::Case;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-central-1";
const HOST: &str = "bucket.s3.eu-central-1.amazonaws.com";
const PATH: &str = "/assets/index.js";
const EMPTY_PAYLOAD_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// `Signature=` and 64 digits: what both must agree upon.
const SIGNATURE: usize = 74;

/// Both sign the same request, and their first signatures are compared.
pub(crate) fn cases() -> Vec<Case> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let signer = Signer::new(ID, SECRET, REGION, now).expect("the access key can be sent");
    let ours = move || {
        let signed = signer.authorization(black_box(HOST), black_box(PATH), now);
        let signed = signed.expect("the key is of the day");
        signed.to_str().expect("a signature is ASCII").to_owned()
    };
    let params = params(now);
    let theirs = move || by_sdk(&params);
    assert_eq!(tail(&ours()), tail(&theirs()), "one request, one signature");
    vec![
        Case::new("sigv4/ours", move || drop(black_box(ours()))),
        Case::new("sigv4/aws_sigv4_crate", move || drop(black_box(theirs()))),
    ]
}

fn tail(authorization: &str) -> String {
    authorization[authorization.len() - SIGNATURE..].to_owned()
}

fn params(now: SystemTime) -> SigningParams<'static> {
    let identity = Credentials::new(ID, SECRET, None, None, "bench").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    v4::SigningParams::builder()
        // As long as the process, as a bench's preparation may be.
        .identity(Box::leak(Box::new(identity)))
        .region(REGION)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()
        .expect("all parameters are there")
        .into()
}

fn by_sdk(params: &SigningParams<'_>) -> String {
    let url = format!("https://{}{}", black_box(HOST), black_box(PATH));
    let body = SignableBody::Precomputed(EMPTY_PAYLOAD_SHA256.to_owned());
    let request = SignableRequest::new("GET", &url, std::iter::empty(), body).expect("the request can be signed");
    let (instructions, _) = sign(request, params).expect("the request is signed").into_parts();
    let mut headers = instructions.headers();
    let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    found.expect("a signature is in a header").1.to_owned()
}
