//! What a resource calls: AWS by its SDK, and plain HTTP.

use std::io;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::http::Http;

/// Throttling is usual while a stack is made; patience is not expensive here.
const ATTEMPTS: u32 = 6;

/// Clients for everything that a resource calls.
pub struct Services {
    sdk: SdkConfig,
    pub(crate) http: Http,
}

impl Services {
    /// Credentials, region and endpoints as the SDK finds them; in Lambda these are environment variables.
    ///
    /// # Errors
    /// When the system has no root certificates.
    pub async fn load() -> io::Result<Self> {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .load()
            .await;
        Self::new(sdk)
    }

    /// Clients with this configuration.
    ///
    /// # Errors
    /// When the system has no root certificates.
    pub fn new(sdk: SdkConfig) -> io::Result<Self> {
        Ok(Self {
            sdk,
            http: Http::new()?,
        })
    }

    /// An endpoint that stands for AWS, as `AWS_ENDPOINT_URL` names it.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.sdk.endpoint_url()
    }

    pub(crate) fn cognito(&self, region: &str) -> aws_sdk_cognitoidentityprovider::Client {
        let config = aws_sdk_cognitoidentityprovider::config::Builder::from(&self.sdk);
        aws_sdk_cognitoidentityprovider::Client::from_conf(config.region(named(region)).build())
    }

    pub(crate) fn lambda(&self, region: &str) -> aws_sdk_lambda::Client {
        let config = aws_sdk_lambda::config::Builder::from(&self.sdk);
        aws_sdk_lambda::Client::from_conf(config.region(named(region)).build())
    }

    /// CloudFormation in a region, or in the function's own.
    pub(crate) fn cloudformation(&self, region: Option<&str>) -> aws_sdk_cloudformation::Client {
        let mut config = aws_sdk_cloudformation::config::Builder::from(&self.sdk);
        if let Some(region) = region {
            config = config.region(named(region));
        }
        aws_sdk_cloudformation::Client::from_conf(config.build())
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.sdk)
    }

    pub(crate) fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.sdk)
    }
}

fn named(region: &str) -> Region {
    Region::new(region.to_owned())
}
