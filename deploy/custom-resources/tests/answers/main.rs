//! What CloudFormation is told, and what AWS is asked, against a scripted endpoint.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and fails by panicking"
)]

mod scripted;

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use custom_resources::{Resource, Services, invocation::answer};
use serde_json::{Value, json};

use self::scripted::{Reply, Scripted};

const ENOUGH: Duration = Duration::from_secs(60);
const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:check";

fn services(aws: &Scripted) -> Arc<Services> {
    let credentials = aws_sdk_lambda::config::Credentials::new("id", "key", None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(aws.url())
        .credentials_provider(aws_sdk_lambda::config::SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .sleep_impl(aws_sdk_lambda::config::SharedAsyncSleep::new(TokioSleep))
        .build();
    Arc::new(Services::new(sdk).unwrap())
}

#[derive(Debug)]
struct TokioSleep;

impl aws_sdk_lambda::config::AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_lambda::config::Sleep {
        aws_sdk_lambda::config::Sleep::new(tokio::time::sleep(duration))
    }
}

fn event(cloudformation: &Scripted, request: &str, properties: Value) -> Value {
    json!({
        "RequestType": request, "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/site/0a1b",
        "RequestId": "r", "LogicalResourceId": "Thing", "PhysicalResourceId": "before",
        "ResponseURL": format!("{}/answer?signature=hidden", cloudformation.url()),
        "ResourceProperties": properties,
    })
}

/// Settles an event; gives the one answer.
async fn settled(resource: Resource, aws: &Scripted, request: &str, properties: Value, time: Duration) -> Value {
    let cloudformation = Scripted::start([Reply::ok("")]);
    let event = event(&cloudformation, request, properties);
    answer(resource, services(aws), event, time).await.unwrap();
    let requests = cloudformation.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].line.starts_with("PUT /answer?signature=hidden "),
        "{}",
        requests[0].line
    );
    assert_eq!(requests[0].header("content-type"), Some(""));
    requests[0].json()
}

fn client_urls() -> Value {
    json!({
        "UserPoolArn": POOL, "UserPoolClientId": "client", "CloudFrontDistributionDomainName": "d1.cloudfront.net",
        "RedirectPathSignIn": "/parseauth", "RedirectPathSignOut": "/", "OAuthScopes": ["openid"],
    })
}

fn described(callback_urls: Value) -> Reply {
    Reply::ok(&json!({"UserPoolClient": {
        "UserPoolId": "eu-west-1_Ab12Cd34E", "ClientId": "client", "ClientSecret": "hunter2",
        "CallbackURLs": callback_urls, "AMemberOfTheFuture": {"Deep": [1, 2]},
        "CreationDate": 1.0, "LastModifiedDate": 2.0,
    }}))
}

/// T-STACK-4
#[tokio::test]
async fn a_client_that_others_change_meanwhile_is_read_and_written_again() {
    let aws = Scripted::start([
        described(json!(["https://one/"])),
        Reply::refused("ConcurrentModificationException"),
        described(json!(["https://one/", "https://two/"])),
        Reply::ok("{}"),
    ]);
    let answer = settled(Resource::ClientUrls, &aws, "Create", client_urls(), ENOUGH).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(
        answer["Data"]["RedirectUrisSignIn"],
        "https://d1.cloudfront.net/parseauth"
    );
    let sent = aws.requests();
    assert_eq!(sent.len(), 4);
    assert_eq!(
        sent[3].json(),
        json!({
            "UserPoolId": "eu-west-1_Ab12Cd34E", "ClientId": "client", "AMemberOfTheFuture": {"Deep": [1, 2]},
            "CallbackURLs": ["https://one/", "https://two/", "https://d1.cloudfront.net/parseauth"],
            "LogoutURLs": ["https://d1.cloudfront.net/"], "AllowedOAuthScopes": ["openid"],
            "AllowedOAuthFlows": ["code"], "AllowedOAuthFlowsUserPoolClient": true,
        })
    );
    assert!(sent[3].header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256"));
}

#[tokio::test]
async fn a_client_that_is_gone_needs_no_cleaning() {
    let aws = Scripted::start([Reply::refused("ResourceNotFoundException")]);
    let answer = settled(Resource::ClientUrls, &aws, "Delete", client_urls(), ENOUGH).await;
    assert_eq!(
        (answer["Status"].as_str(), answer["PhysicalResourceId"].as_str()),
        (Some("SUCCESS"), Some("before"))
    );
}

#[tokio::test]
async fn functions_that_cloudfront_still_has_copies_of_do_not_keep_the_stack() {
    let aws = Scripted::start([
        Reply::refused("InvalidParameterValueException"),
        Reply::refused("ResourceNotFoundException"),
    ]);
    let properties = json!({"DeleteFunctions": [FUNCTION, FUNCTION]});
    let answer = settled(Resource::CodeUpdate, &aws, "Delete", properties, ENOUGH).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(aws.requests().len(), 2);
}

#[tokio::test]
async fn what_aws_refuses_is_told_with_its_code() {
    let aws = Scripted::start([Reply::refused("AccessDeniedException")]);
    let properties = json!({"DeleteFunctions": [FUNCTION]});
    let answer = settled(Resource::CodeUpdate, &aws, "Delete", properties, ENOUGH).await;
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["Reason"], "DeleteFunction: scripted (AccessDeniedException)");
    assert_eq!(answer["PhysicalResourceId"], "before");
}

#[tokio::test]
async fn an_unreachable_aws_is_a_failure_in_time() {
    let aws = Scripted::start([Reply::Never]);
    let properties = json!({"UserPoolArn": POOL, "UserPoolClientId": "client"});
    let short = Duration::from_millis(400);
    let answer = settled(Resource::ClientSecret, &aws, "Create", properties, short).await;
    assert_eq!(answer["Status"], "FAILED");
    assert!(
        answer["Reason"].as_str().unwrap().starts_with("not done after"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_bad_event_is_answered_too() {
    let aws = Scripted::start([]);
    let answer = settled(Resource::Jwks, &aws, "Explode", json!({}), ENOUGH).await;
    assert_eq!(answer["Reason"], "RequestType must be Create, Update or Delete");
    for resource in Resource::ALL
        .into_iter()
        .filter(|resource| *resource != Resource::UsEast1Stack)
    {
        let answer = settled(resource, &aws, "Create", json!([1, 2]), ENOUGH).await;
        assert_eq!(answer["Status"], "FAILED", "{resource:?}");
        let answer = settled(resource, &aws, "Delete", json!({}), ENOUGH).await;
        assert_eq!(
            answer["Status"], "SUCCESS",
            "{resource:?}: what was never made can be deleted"
        );
    }
    assert!(aws.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_was_not_taken_is_sent_again() {
    let aws = Scripted::start([]);
    let cloudformation = Scripted::start([Reply::Status(503, String::new()), Reply::ok("")]);
    let event = event(&cloudformation, "Delete", json!({}));
    answer(Resource::Jwks, services(&aws), event, ENOUGH).await.unwrap();
    let sent = cloudformation.requests();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].json(), sent[1].json());
}

#[tokio::test]
async fn an_event_that_nobody_waits_for_is_dropped() {
    let aws = Scripted::start([]);
    answer(Resource::Jwks, services(&aws), json!({"RequestType": "Create"}), ENOUGH)
        .await
        .unwrap();
    assert!(aws.requests().is_empty());
}

/// T-STACK-1
#[tokio::test]
async fn a_client_secret_is_masked() {
    let aws = Scripted::start([described(json!([]))]);
    let properties = json!({"UserPoolArn": POOL, "UserPoolClientId": "client"});
    let answer = settled(Resource::ClientSecret, &aws, "Create", properties, ENOUGH).await;
    assert_eq!(answer["NoEcho"], true);
    assert_eq!(answer["Data"]["ClientSecret"], "hunter2");
    assert!(!answer["PhysicalResourceId"].as_str().unwrap().contains("hunter2"));
}
