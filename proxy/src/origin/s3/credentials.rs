//! The credentials in force, and the signing key derived from them.
//!
//! They are renewed in the background before they expire and published for the requests to read. A request
//! never waits for a credentials service; it is refused only when the credentials have run out and no renewal
//! has succeeded since.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use auth_core::Secret;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError};
use aws_sdk_s3::error::DisplayErrorContext;
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::sigv4::{AccessKey, Instant, SignError, SignatureHeaders, SigningKey, Target};
use crate::origin::{OriginError, OriginSetupError, task::Background};

/// How long before they expire credentials are renewed; half of their life where that is shorter.
const MARGIN: Duration = Duration::from_secs(300);
const ATTEMPT: Duration = Duration::from_secs(30);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(60);

/// Credentials that stay fresh for as long as this lives.
#[derive(Debug)]
pub(crate) struct Credentials {
    current: Arc<ArcSwap<Issued>>,
    _renewal: Option<Background>,
}

#[derive(Debug)]
struct Issued {
    access: AccessKey,
    expires: Option<SystemTime>,
    key: ArcSwapOption<SigningKey>,
}

impl Credentials {
    /// Credentials that never change.
    ///
    /// # Errors
    /// When no header can carry them.
    pub(crate) fn fixed(access: AccessKey) -> Result<Self, OriginSetupError> {
        Ok(Self {
            current: Arc::new(ArcSwap::from_pointee(Issued::checked(access, None)?)),
            _renewal: None,
        })
    }

    /// Asks `provider` for the first credentials and keeps renewing them, all on `runtime`: a connection
    /// that one runtime has pooled stalls when another uses it.
    ///
    /// # Errors
    /// When there are none to begin with.
    pub(crate) async fn provided(
        provider: SharedCredentialsProvider,
        runtime: &Handle,
    ) -> Result<Self, OriginSetupError> {
        let first = {
            let provider = provider.clone();
            let attempt = runtime.spawn(async move { issue(&provider).await });
            attempt.await.map_err(|_| OriginSetupError::Interrupted)?
        };
        let first = first.map_err(|problem| OriginSetupError::Credentials { problem })?;
        let first = Issued::checked(first.access, first.expires)?;
        let expires = first.expires;
        let current = Arc::new(ArcSwap::from_pointee(first));
        let renewal =
            expires.map(|expires| Background::spawn(runtime, keep_fresh(provider, Arc::clone(&current), expires)));
        Ok(Self {
            current,
            _renewal: renewal,
        })
    }

    /// Signs a request with the credentials in force.
    ///
    /// # Errors
    /// Expired credentials, or an absurd clock.
    pub(crate) fn sign(
        &self,
        region: &str,
        target: Target<'_>,
        now: SystemTime,
    ) -> Result<SignatureHeaders, OriginError> {
        let issued = self.current.load();
        if issued.expires.is_some_and(|expires| expires <= now) {
            return Err(OriginError::CredentialsExpired);
        }
        issued.sign(region, target, now).map_err(|error| match error {
            SignError::Clock => OriginError::Clock,
            SignError::Unprintable => OriginError::Malformed,
        })
    }
}

impl Issued {
    fn new(access: AccessKey, expires: Option<SystemTime>) -> Self {
        Self {
            access,
            expires,
            key: ArcSwapOption::empty(),
        }
    }

    fn checked(access: AccessKey, expires: Option<SystemTime>) -> Result<Self, OriginSetupError> {
        let any_day = Instant::of(SystemTime::UNIX_EPOCH).map_err(|_| OriginSetupError::CredentialsUnprintable)?;
        SigningKey::derive(&access, "", any_day).map_err(|_| OriginSetupError::CredentialsUnprintable)?;
        Ok(Self::new(access, expires))
    }

    fn sign(&self, region: &str, target: Target<'_>, now: SystemTime) -> Result<SignatureHeaders, SignError> {
        let now = Instant::of(now)?;
        if let Some(key) = self.key.load().as_ref()
            && key.serves(now)
        {
            return key.sign(target, now);
        }
        let key = Arc::new(SigningKey::derive(&self.access, region, now)?);
        self.key.store(Some(Arc::clone(&key)));
        key.sign(target, now)
    }
}

async fn keep_fresh(provider: SharedCredentialsProvider, current: Arc<ArcSwap<Issued>>, mut expires: SystemTime) {
    let mut pause = RETRY_FIRST;
    sleep(until_renewal(expires, SystemTime::now())).await;
    loop {
        match issue(&provider).await {
            Ok(issued) => {
                pause = RETRY_FIRST;
                let next = issued.expires;
                current.store(Arc::new(issued));
                let Some(next) = next else { return };
                expires = next;
                sleep(until_renewal(expires, SystemTime::now())).await;
            }
            Err(problem) => {
                tracing::warn!(
                    problem,
                    "aws credentials could not be renewed; the old ones stay until they expire"
                );
                sleep(pause).await;
                pause = (pause * 2).min(RETRY_MOST);
            }
        }
    }
}

async fn issue(provider: &SharedCredentialsProvider) -> Result<Issued, String> {
    match timeout(ATTEMPT, provider.provide_credentials()).await {
        Ok(Ok(credentials)) => Ok(Issued::new(
            AccessKey {
                id: credentials.access_key_id().to_owned(),
                secret: Secret::new(credentials.secret_access_key().to_owned()),
                session_token: credentials.session_token().map(|token| Secret::new(token.to_owned())),
            },
            credentials.expiry(),
        )),
        Ok(Err(error)) => Err(explain(&error)),
        Err(_) => Err("provider does not answer".to_owned()),
    }
}

fn explain(error: &CredentialsError) -> String {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "none in environment, profile, web identity, container or instance".to_owned()
        }
        _ => DisplayErrorContext(error).to_string(),
    }
}

fn until_renewal(expires: SystemTime, now: SystemTime) -> Duration {
    let left = expires.duration_since(now).unwrap_or_default();
    left.saturating_sub(MARGIN).max(left / 2).max(RETRY_FIRST)
}

#[cfg(test)]
mod tests;
