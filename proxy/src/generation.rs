//! What one configuration makes, as one value that never changes.
//!
//! A reload builds the next generation beside the one in force and puts it in its place in one step. A
//! request takes the generation once, when it begins, and keeps it to its end: it never sees half of one
//! configuration and half of another.

use std::{net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use auth_driver::{Clock, ReqwestClient};
use tokio::runtime::Handle;

use crate::{
    admission::AdmissionRules,
    behaviour::Behaviours,
    cache::{Cache, CacheCell},
    config::{Limits, Settings, SiteSettings},
    discovery::{self, SiteDiscoveryError},
    forward_auth::ForwardAuth,
    metrics::Metrics,
    origin::OriginSetupError,
    site::{Gate, Site, Sites},
};

/// A configuration at work.
#[derive(Debug)]
pub(crate) struct Generation {
    /// The sites.
    pub(crate) sites: Sites,
    /// What a request must be.
    pub(crate) rules: AdmissionRules,
    /// The servers that may ask whether a request may pass.
    pub(crate) forward_auth: ForwardAuth,
    /// What a request may use up.
    pub(crate) limits: Limits,
    /// The addresses at which balancers speak the PROXY protocol.
    pub(crate) announced: Vec<SocketAddr>,
    /// What the sites were made of, in their order.
    settings: Vec<SiteSettings>,
}

/// Why there is no generation.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// A site's origin.
    Site(SiteError),
    /// A site's identity provider.
    Provider(SiteDiscoveryError),
}

impl From<SiteError> for BuildError {
    fn from(error: SiteError) -> Self {
        Self::Site(error)
    }
}

/// A site of which an origin cannot be set up.
#[derive(Debug)]
pub(crate) struct SiteError {
    /// The site's name, and the origin's where it has one.
    pub(crate) site: String,
    /// What is wrong with its origin.
    pub(crate) error: OriginSetupError,
}

/// What outlives every generation.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Calls identity providers.
    pub(crate) client: ReqwestClient,
    /// Where they are called, and where origins are kept fresh.
    pub(crate) control: Handle,
    /// The time that decisions go by.
    pub(crate) clock: Clock,
    /// What sites keep.
    pub(crate) cache: Arc<CacheCell>,
}

impl Generation {
    /// Sets up what the settings say. Sites of `before` that have not changed are taken over as they are,
    /// with their keys, their verified tokens and their connections.
    ///
    /// # Errors
    /// The first identity provider that cannot be asked, or origin that cannot be set up. Nothing is left behind.
    pub(crate) async fn build(settings: &Settings, means: &Means, before: Option<&Self>) -> Result<Self, BuildError> {
        let settled = discovery::settle(settings, &means.client).await;
        let settings = &settled.map_err(BuildError::Provider)?;
        let mut sites = Vec::with_capacity(settings.sites.len());
        let wants_cache = settings.sites.iter().any(SiteSettings::has_cache);
        let cache = wants_cache.then(|| means.cache.open(settings.cache_bytes, &means.metrics));
        for site in &settings.sites {
            sites.push(match before.and_then(|before| before.unchanged(site)) {
                Some(same) => same,
                None => Arc::new(open(site, cache, means, before.and_then(|before| before.gate_of(site))).await?),
            });
        }
        Ok(Self {
            announced: settings.listen.proxy_protocol.clone(),
            settings: settings.sites.clone(),
            sites: Sites::new(sites),
            rules: AdmissionRules {
                limits: settings.limits,
                websocket_origins: settings.websocket_origins.clone(),
                trusted_proxies: settings.trusted_proxies.clone(),
                plain_http: settings.listen.plain_http,
            },
            forward_auth: settings.forward_auth.clone(),
            limits: settings.limits,
        })
    }

    /// A site that would come out the same. One whose origin draws on files or on credentials that the
    /// settings only point to is set up anew: what they hold may have changed.
    fn unchanged(&self, site: &SiteSettings) -> Option<Arc<Site>> {
        let at = self.settings.iter().position(|settings| settings == site)?;
        if site.draws_on_others() {
            return None;
        }
        self.sites.at(at).cloned()
    }

    /// The gate of the site of that name, if its sign-in is the same.
    fn gate_of(&self, site: &SiteSettings) -> Option<Arc<Gate>> {
        let at = self
            .settings
            .iter()
            .position(|known| known.name == site.name && known.conduct == site.conduct && known.auth == site.auth)?;
        self.sites.at(at)?.gate.clone()
    }
}

async fn open(
    site: &SiteSettings,
    cache: Option<&'static Cache>,
    means: &Means,
    gate: Option<Arc<Gate>>,
) -> Result<Site, SiteError> {
    let behaviours = Behaviours::connect(site, cache, &means.metrics, &means.control).await?;
    Ok(Site::new(site.clone(), behaviours, gate, means))
}

/// The generation in force.
#[derive(Debug)]
pub(crate) struct InForce(ArcSwap<Generation>);

impl InForce {
    /// Begins with that one.
    pub(crate) fn new(generation: Generation) -> Self {
        Self(ArcSwap::from_pointee(generation))
    }

    /// The one to take for a new request or connection.
    pub(crate) fn take(&self) -> Arc<Generation> {
        self.0.load_full()
    }

    /// From now on, requests that begin are served by that one.
    pub(crate) fn replace(&self, generation: Generation) {
        self.0.store(Arc::new(generation));
    }
}
