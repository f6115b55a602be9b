//! What an OpenID provider says of itself (OpenID Connect Discovery 1.0): asked when the proxy starts and whenever it
//! reloads, and put into the configuration where that leaves an endpoint open.
//!
//! One document of bounded size is fetched, within bounded time, from the address that follows from the configured
//! issuer; no redirect is followed. It has to name that very issuer, so that no other provider can put itself in its
//! place. What it says is then held to the same checks as what is written by hand. Requests never wait for it, and the
//! edge knows nothing of it.

mod document;

use std::{fmt, time::Duration};

use auth_core::{CallError, CallPurpose, HttpCall, HttpReply, RetryPolicy, Sharing};
use auth_driver::{Driver, ReqwestClient};
use thiserror::Error;

pub use document::DocumentError;
pub(crate) use document::Metadata;

use crate::config::{AuthSettings, ConfigError, Problem, Settings, SiteSettings};

/// Time for all of it, a repetition included: somebody waits for the start.
const BUDGET: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(5);
/// Large providers' documents have some 7 KB.
const MOST_BYTES: usize = 64 * 1024;

/// Why a provider's own word cannot be had or used.
#[derive(Debug, Error)]
pub enum DiscoveryError {
    /// No complete reply.
    #[error("fetch {url}: {error}")]
    Call {
        /// Where it should be.
        url: String,
        /// What happened.
        error: CallError,
    },
    /// A reply that is not the document.
    #[error("fetch {url}: status {status}")]
    Status {
        /// Where it should be.
        url: String,
        /// What came instead of 200.
        status: u16,
    },
    /// A document that cannot be used.
    #[error("read {url}: {error}")]
    Document {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        error: DocumentError,
    },
    /// Endpoints that cannot be used.
    #[error("use what {url} says: {error}")]
    Endpoints {
        /// Where they are named.
        url: String,
        /// All that is wrong with them.
        error: ConfigError,
    },
}

/// A site whose provider cannot be asked.
#[derive(Debug)]
pub(crate) struct SiteDiscoveryError {
    /// Its place in the configuration.
    pub(crate) index: usize,
    pub(crate) site: String,
    pub(crate) error: DiscoveryError,
}

impl DiscoveryError {
    /// Whether the operator's settings are to blame, and not the state of the network.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Document { .. } | Self::Endpoints { .. })
    }
}

/// Where a provider says what it is. A slash at the issuer's end does not count there (section 4.1).
#[must_use]
pub(crate) fn address(issuer: &str) -> String {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{issuer}/.well-known/openid-configuration")
}

/// The settings with all endpoints in them. Each provider is asked once, however many sites have it.
///
/// # Errors
/// The first site whose provider cannot be asked.
pub(crate) async fn settle(settings: &Settings, client: &ReqwestClient) -> Result<Settings, SiteDiscoveryError> {
    let mut asked: Vec<(String, Metadata)> = Vec::new();
    let mut settled = settings.clone();
    for (index, site) in settled.sites.iter_mut().enumerate() {
        let failed = |error| SiteDiscoveryError {
            index,
            site: site.name.clone(),
            error,
        };
        let Some(issuer) = site.auth.undiscovered().map(str::to_owned) else {
            continue;
        };
        let known = asked.iter().find(|(known, _)| *known == issuer);
        let metadata = match known {
            Some((_, metadata)) => metadata.clone(),
            None => ask(&issuer, client).await.map_err(failed)?,
        };
        site.auth = settled_with(&site.auth, &issuer, &metadata).map_err(failed)?;
        asked.push((issuer, metadata));
    }
    Ok(settled)
}

/// The same for somebody who has no runtime and wants to see what is wrong with the configuration.
///
/// # Errors
/// What came of it, as a problem of the configuration.
pub(crate) fn settle_now(settings: &Settings) -> Result<Settings, ConfigError> {
    let problem = |path: String, found: String| {
        let expected = "an OpenID provider that can be asked for its endpoints".to_owned();
        ConfigError::from(Problem { path, found, expected })
    };
    let here = |error: &dyn fmt::Display| problem("(identity providers)".to_owned(), error.to_string());
    let client = ReqwestClient::new().map_err(|error| here(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let settled = runtime
        .map_err(|error| here(&error))?
        .block_on(settle(settings, &client));
    settled.map_err(|SiteDiscoveryError { index, error, .. }| {
        problem(format!("sites[{index}].auth.enhancements.oidc"), error.to_string())
    })
}

/// The same for one site.
///
/// # Errors
/// Why its provider cannot be asked.
pub(crate) async fn settle_site(site: &SiteSettings, client: &ReqwestClient) -> Result<AuthSettings, DiscoveryError> {
    match site.auth.undiscovered() {
        Some(issuer) => settled_with(&site.auth, issuer, &ask(issuer, client).await?),
        None => Ok(site.auth.clone()),
    }
}

fn settled_with(auth: &AuthSettings, issuer: &str, metadata: &Metadata) -> Result<AuthSettings, DiscoveryError> {
    auth.discovered(metadata).map_err(|error| DiscoveryError::Endpoints {
        url: address(issuer),
        error,
    })
}

async fn ask(issuer: &str, client: &ReqwestClient) -> Result<Metadata, DiscoveryError> {
    let url = address(issuer);
    let call = HttpCall {
        purpose: CallPurpose::Discovery,
        url: url.clone(),
        authorization: None,
        form: None,
        attempt_timeout: ATTEMPT,
        max_reply_bytes: MOST_BYTES,
        retry: RetryPolicy::KeySet,
        sharing: Sharing::Alone,
    };
    let driver = Driver::new(client.clone(), BUDGET);
    let HttpReply { status, body, .. } = match driver.carry_out(&call).await {
        Ok(reply) => reply,
        Err(error) => return Err(DiscoveryError::Call { url, error }),
    };
    if status != 200 {
        return Err(DiscoveryError::Status { url, status });
    }
    Metadata::parse(&body, issuer).map_err(|error| DiscoveryError::Document { url, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_follows_from_the_issuer_with_or_without_a_slash_at_its_end() {
        for (issuer, expected) in [
            (
                "https://id.example",
                "https://id.example/.well-known/openid-configuration",
            ),
            (
                "https://id.example/",
                "https://id.example/.well-known/openid-configuration",
            ),
            (
                "https://id.example/realms/a",
                "https://id.example/realms/a/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(address(issuer), expected);
        }
    }
}
