//! Endpoints by the SDK's rules, and what HeadBucket's answers mean.

use auth_core::Secret;

use super::*;
use crate::config::{MissingStatus, OriginTimeouts, StaticCredentials};

fn settings(bucket: &str, addressing: S3Addressing, endpoint: Option<&str>) -> S3Settings {
    S3Settings {
        bucket: bucket.into(),
        region: Some("eu-west-1".into()),
        endpoint: endpoint.map(|url| url.parse().unwrap()),
        addressing,
        prefix: String::new(),
        credentials: Some(StaticCredentials {
            access_key_id: "id".into(),
            secret_access_key: Secret::new("secret".into()),
            session_token: None,
        }),
        missing_status: MissingStatus::NotFound,
        timeouts: OriginTimeouts::default(),
    }
}

async fn endpoint(region: &str, settings: &S3Settings) -> Result<Bucket, OriginSetupError> {
    let environment = Environment {
        http: Builder::new().build_http(),
        sdk: None,
        region: region.to_owned(),
        endpoint: settings.endpoint.as_ref().map(ToString::to_string),
    };
    environment.bucket(settings).await
}

#[tokio::test]
async fn a_bucket_is_named_in_the_host_by_default() {
    let bucket = endpoint("eu-west-1", &settings("site", S3Addressing::VirtualHost, None))
        .await
        .unwrap();
    assert_eq!(bucket.authority(), "site.s3.eu-west-1.amazonaws.com");
    assert_eq!((bucket.region(), bucket.port()), ("eu-west-1", 443));
}

#[tokio::test]
async fn path_style_and_other_partitions_follow_the_rules_of_aws() {
    let bucket = endpoint("cn-north-1", &settings("site", S3Addressing::Path, None))
        .await
        .unwrap();
    assert_eq!(bucket.authority(), "s3.cn-north-1.amazonaws.com.cn");
    let path = crate::CanonicalPath::parse("/a").unwrap();
    assert_eq!(bucket.object_path(&path).unwrap(), "/site/a");
}

#[tokio::test]
async fn a_name_with_dots_is_never_put_in_the_host_of_a_tls_endpoint() {
    let bucket = endpoint(
        "eu-west-1",
        &settings("www.example.com", S3Addressing::VirtualHost, None),
    )
    .await
    .unwrap();
    assert_eq!(bucket.authority(), "s3.eu-west-1.amazonaws.com");
}

#[tokio::test]
async fn an_endpoint_override_takes_both_styles() {
    let by_path = settings("site", S3Addressing::Path, Some("http://store.internal:9000"));
    assert_eq!(
        endpoint("us-east-1", &by_path).await.unwrap().authority(),
        "store.internal:9000"
    );
    let by_host = settings("site", S3Addressing::VirtualHost, Some("http://store.internal:9000"));
    assert_eq!(
        endpoint("us-east-1", &by_host).await.unwrap().authority(),
        "site.store.internal:9000"
    );
    let by_address = settings("site", S3Addressing::VirtualHost, Some("http://127.0.0.1:9000"));
    assert_eq!(
        endpoint("us-east-1", &by_address).await.unwrap().authority(),
        "127.0.0.1:9000"
    );
}

#[tokio::test]
async fn signatures_other_than_sigv4_are_refused() {
    let express = settings("site--euw1-az1--x-s3", S3Addressing::VirtualHost, None);
    assert!(matches!(
        endpoint("eu-west-1", &express).await,
        Err(OriginSetupError::Endpoint { .. })
    ));
}

#[tokio::test]
async fn what_the_configuration_says_is_not_asked_of_the_environment() {
    let mut settings = settings("site", S3Addressing::Path, Some("http://127.0.0.1:9000"));
    settings.region = None;
    let environment = Environment::load(&settings, &Handle::current()).await.unwrap();
    assert!(environment.sdk.is_none());
    assert_eq!(environment.region, REGION_OF_CUSTOM_ENDPOINTS);
}

fn answer(status: u16, region: Option<&str>) -> Look {
    Look::Answer {
        status,
        region: region.map(str::to_owned),
    }
}

#[test]
fn pain_25_a_redirect_names_the_region_to_ask_in() {
    let bucket = Bucket::at("https://site.s3.eu-west-1.amazonaws.com", "site", "eu-west-1", "").unwrap();
    for status in [301, 307, 400] {
        let region = answer(status, Some("us-east-2")).other_region(&bucket);
        assert_eq!(region.as_deref(), Some("us-east-2"), "{status}");
    }
}

#[test]
fn other_answers_say_nothing_of_the_region() {
    let bucket = Bucket::at("https://site.s3.eu-west-1.amazonaws.com", "site", "eu-west-1", "").unwrap();
    for look in [
        answer(301, Some("eu-west-1")),
        answer(301, None),
        answer(403, Some("us-east-2")),
        answer(404, None),
        answer(503, None),
        Look::None("refused".into()),
    ] {
        assert_eq!(look.other_region(&bucket), None, "{look:?}");
    }
}
