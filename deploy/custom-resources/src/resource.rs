//! Which custom resource a function keeps.

use std::{fmt, str::FromStr};

use crate::{
    client_secret, client_urls, code_update, event::Event, jwks, nonce_secret, outcome::Done, problem::Problem,
    sample_site, services::Services, us_east_1_stack, user_pool_domain,
};

/// A kind of custom resource. All functions hold the same program; the kind comes from `_HANDLER`, which
/// Lambda sets to the function's Handler property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The callback and sign-out URLs of an app client.
    ClientUrls,
    /// The secret of an app client.
    ClientSecret,
    /// The domain of a user pool's hosted UI.
    UserPoolDomain,
    /// The keys of a user pool.
    Jwks,
    /// The secret that signs nonces.
    NonceSecret,
    /// Configuration and published versions of the edge functions.
    CodeUpdate,
    /// The stack in us-east-1 that holds the edge functions of a stack elsewhere.
    UsEast1Stack,
    /// The sample content of the bucket.
    SampleSite,
}

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::ClientUrls,
        Self::ClientSecret,
        Self::UserPoolDomain,
        Self::Jwks,
        Self::NonceSecret,
        Self::CodeUpdate,
        Self::UsEast1Stack,
        Self::SampleSite,
    ];

    /// The value of the Handler property.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientUrls => "client-urls",
            Self::ClientSecret => "client-secret",
            Self::UserPoolDomain => "user-pool-domain",
            Self::Jwks => "jwks",
            Self::NonceSecret => "nonce-secret",
            Self::CodeUpdate => "code-update",
            Self::UsEast1Stack => "us-east-1-stack",
            Self::SampleSite => "sample-site",
        }
    }

    pub(crate) async fn apply(self, event: &Event, services: &Services) -> Result<Done, Problem> {
        match self {
            Self::ClientUrls => client_urls::apply(event, services).await,
            Self::ClientSecret => client_secret::apply(event, services).await,
            Self::UserPoolDomain => user_pool_domain::apply(event, services).await,
            Self::Jwks => jwks::apply(event, services).await,
            Self::NonceSecret => nonce_secret::apply(event, services).await,
            Self::CodeUpdate => code_update::apply(event, services).await,
            Self::UsEast1Stack => us_east_1_stack::apply(event, services).await,
            Self::SampleSite => sample_site::apply(event, services).await,
        }
    }
}

/// A Handler property that names no custom resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownResource(String);

impl fmt::Display for UnknownResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Resource::ALL.into_iter().map(Resource::as_str).collect();
        write!(
            f,
            "handler {:?} names no custom resource; use one of {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownResource {}

impl FromStr for Resource {
    type Err = UnknownResource;

    fn from_str(handler: &str) -> Result<Self, UnknownResource> {
        let known = Self::ALL.into_iter().find(|resource| resource.as_str() == handler);
        known.ok_or_else(|| UnknownResource(handler.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_is_found_by_its_handler() {
        for resource in Resource::ALL {
            assert_eq!(resource.as_str().parse(), Ok(resource));
        }
        let error = "bundle.handler".parse::<Resource>().unwrap_err().to_string();
        assert!(
            error.contains("bundle.handler") && error.contains("code-update"),
            "{error}"
        );
    }
}
