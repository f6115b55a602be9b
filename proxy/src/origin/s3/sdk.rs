//! What the AWS SDK knows better: the standard chain of credentials and region, the rules by which a bucket's
//! name becomes an endpoint, and one HeadBucket to learn at once whether all that is right.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::{
    Client,
    config::{
        SharedHttpClient,
        endpoint::{DefaultResolver, Params, ResolveEndpoint},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::DisplayErrorContext,
    operation::head_bucket::{HeadBucketError, HeadBucketOutput},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use tokio::runtime::Handle;

use super::{bucket::Bucket, credentials::Credentials, sigv4::AccessKey};
use crate::{
    config::{S3Addressing, S3Settings},
    origin::OriginSetupError,
};

/// Stores that have an endpoint of their own seldom care for the region, but a signature needs one.
const REGION_OF_CUSTOM_ENDPOINTS: &str = "us-east-1";
/// HeadBucket only saves an operator time: it may not cost a start much.
const HEAD_BUCKET: Duration = Duration::from_secs(2);

pub(crate) struct Found {
    pub(crate) bucket: Bucket,
    pub(crate) credentials: Credentials,
}

/// Finds region, endpoint and credentials, and has a first look at the bucket.
pub(crate) async fn find(settings: &S3Settings, runtime: &Handle) -> Result<Found, OriginSetupError> {
    let mut environment = Environment::load(settings, runtime).await?;
    let mut bucket = environment.bucket(settings).await?;
    let (credentials, provider) = match &settings.credentials {
        Some(fixed) => {
            let access = AccessKey {
                id: fixed.access_key_id.clone(),
                secret: fixed.secret_access_key.clone(),
                session_token: fixed.session_token.clone(),
            };
            (Credentials::fixed(access.clone())?, sdk_credentials(&access))
        }
        None => {
            let provider = environment.provider()?;
            (Credentials::provided(provider.clone(), runtime).await?, provider)
        }
    };
    if let Some(region) = environment.first_look(settings, &bucket, provider, runtime).await? {
        tracing::warn!(
            bucket = bucket.name(),
            configured = bucket.region(),
            actual = region,
            "the bucket is in another region, and is asked there"
        );
        environment.region = region;
        bucket = environment.bucket(settings).await?;
    }
    Ok(Found { bucket, credentials })
}

fn sdk_credentials(access: &AccessKey) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(aws_credential_types::Credentials::new(
        access.id.clone(),
        access.secret.expose().clone(),
        access.session_token.as_ref().map(|token| token.expose().clone()),
        None,
        "configuration",
    ))
}

/// What the process' surroundings say: environment variables, profile, instance metadata.
struct Environment {
    http: SharedHttpClient,
    /// `None` where the configuration says all there is to know, so that nothing is asked of anyone.
    sdk: Option<SdkConfig>,
    region: String,
    endpoint: Option<String>,
}

impl Environment {
    async fn load(settings: &S3Settings, runtime: &Handle) -> Result<Self, OriginSetupError> {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let own_endpoint = settings.endpoint.as_ref().map(ToString::to_string);
        let known_region = settings
            .region
            .clone()
            .or_else(|| own_endpoint.is_some().then(|| REGION_OF_CUSTOM_ENDPOINTS.to_owned()));
        if let (Some(_), Some(region), Some(_)) = (&settings.credentials, &known_region, &own_endpoint) {
            return Ok(Self {
                http,
                sdk: None,
                region: region.clone(),
                endpoint: own_endpoint,
            });
        }
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http.clone());
        if let Some(region) = known_region {
            loader = loader.region(Region::new(region));
        }
        let sdk = runtime
            .spawn(loader.load())
            .await
            .map_err(|_| OriginSetupError::Interrupted)?;
        let region = sdk
            .region()
            .map(ToString::to_string)
            .ok_or_else(|| OriginSetupError::RegionMissing {
                bucket: settings.bucket.clone(),
            })?;
        let endpoint = own_endpoint
            .or_else(|| std::env::var("AWS_ENDPOINT_URL_S3").ok())
            .or_else(|| sdk.endpoint_url().map(str::to_owned));
        Ok(Self {
            http,
            sdk: Some(sdk),
            region,
            endpoint,
        })
    }

    fn provider(&self) -> Result<SharedCredentialsProvider, OriginSetupError> {
        let provider = self.sdk.as_ref().and_then(SdkConfig::credentials_provider);
        provider.ok_or_else(|| OriginSetupError::Credentials {
            problem: "none in environment, profile, web identity, container or instance".to_owned(),
        })
    }

    /// The bucket's own endpoint by the SDK's rules: partitions, dots in names, FIPS, dual stack, access points.
    async fn bucket(&self, settings: &S3Settings) -> Result<Bucket, OriginSetupError> {
        let unusable = |problem: String| OriginSetupError::Endpoint {
            bucket: settings.bucket.clone(),
            problem,
        };
        let flag = |read: fn(&SdkConfig) -> Option<bool>| self.sdk.as_ref().and_then(read).unwrap_or_default();
        let params = Params::builder()
            .bucket(&settings.bucket)
            .region(&self.region)
            .set_endpoint(self.endpoint.clone())
            .force_path_style(settings.addressing == S3Addressing::Path)
            .use_fips(flag(SdkConfig::use_fips))
            .use_dual_stack(flag(SdkConfig::use_dual_stack))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let endpoint = DefaultResolver::new()
            .resolve_endpoint(&params)
            .await
            .map_err(|error| unusable(DisplayErrorContext(&*error).to_string()))?;
        let scheme = endpoint.auth_schemes().first();
        if let Some(other) = scheme.map(|scheme| scheme.name()).filter(|name| *name != "sigv4") {
            return Err(unusable(format!("signatures of kind {other} are not supported")));
        }
        let signing_region = scheme
            .and_then(|scheme| scheme.get("signingRegion"))
            .and_then(|region| region.as_string());
        Bucket::at(
            endpoint.url(),
            &settings.bucket,
            signing_region.unwrap_or(&self.region),
            &settings.prefix,
        )
    }

    /// Asks the bucket whether it is there; gives the region where it really is, if that is another one.
    async fn first_look(
        &self,
        settings: &S3Settings,
        bucket: &Bucket,
        provider: SharedCredentialsProvider,
        runtime: &Handle,
    ) -> Result<Option<String>, OriginSetupError> {
        let client = self.client(settings, provider);
        let request = client.head_bucket().bucket(bucket.name());
        let outcome = runtime.spawn(async move { request.send().await.map_err(Look::from) });
        let look = match outcome.await.map_err(|_| OriginSetupError::Interrupted)? {
            Ok(HeadBucketOutput { .. }) => return Ok(None),
            Err(look) => look,
        };
        // A store with an endpoint of its own has one place, whatever it calls its region.
        if self.endpoint.is_none()
            && let Some(region) = look.other_region(bucket)
        {
            return Ok(Some(region));
        }
        look.log(bucket);
        Ok(None)
    }

    fn client(&self, settings: &S3Settings, provider: SharedCredentialsProvider) -> Client {
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::v2026_01_12())
            .http_client(self.http.clone())
            .credentials_provider(provider)
            .region(Region::new(self.region.clone()))
            .force_path_style(settings.addressing == S3Addressing::Path)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(HEAD_BUCKET).build());
        config.set_endpoint_url(self.endpoint.clone());
        Client::from_conf(config.build())
    }
}

/// Why HeadBucket had no success.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Look {
    /// The store answered with an error.
    Answer {
        status: u16,
        /// `x-amz-bucket-region`
        region: Option<String>,
    },
    /// There was no answer.
    None(String),
}

type HeadBucketFailure = aws_sdk_s3::error::SdkError<HeadBucketError, aws_sdk_s3::config::http::HttpResponse>;

impl From<HeadBucketFailure> for Look {
    fn from(error: HeadBucketFailure) -> Self {
        match error.raw_response() {
            Some(response) => Self::Answer {
                status: response.status().as_u16(),
                region: response.headers().get("x-amz-bucket-region").map(str::to_owned),
            },
            None => Self::None(DisplayErrorContext(&error).to_string()),
        }
    }
}

impl Look {
    fn other_region(&self, bucket: &Bucket) -> Option<String> {
        match self {
            Self::Answer {
                region: Some(actual),
                status: 301 | 307 | 400,
            } if actual != bucket.region() => Some(actual.clone()),
            _ => None,
        }
    }

    fn log(&self, bucket: &Bucket) {
        let bucket = bucket.name();
        match self {
            Self::Answer { status: 403, .. } => tracing::warn!(
                bucket,
                "HeadBucket is refused: without s3:ListBucket, or with wrong credentials, every missing key looks forbidden"
            ),
            Self::Answer { status: 404, .. } => tracing::error!(bucket, "there is no such bucket"),
            Self::Answer { status, .. } => tracing::warn!(bucket, status, "HeadBucket fails"),
            Self::None(problem) => tracing::warn!(bucket, problem, "store does not answer yet"),
        }
    }
}

#[cfg(test)]
mod tests;
