//! The sites as they run: who decides, where the content is, what is counted.

use std::sync::Arc;

use auth_core::{Authenticator, Capabilities, ConfiguredHeaders};
use auth_driver::{Driver, ReqwestClient};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, DATE, EXPIRES, TRANSFER_ENCODING, UPGRADE},
};

use crate::{
    behaviour::Behaviours,
    config::{AuthSettings, Conduct, HeaderPrecedence, HostPattern, HttpViewers, SiteSettings},
    generation::Means,
    header_value,
    identity::{Identity, spelling::Pattern},
    metrics::SiteMetrics,
    parity::{self, Place, is_forbidden},
    request_id,
};

/// Time for everything a sign-in asks of the identity provider; viewers do not wait longer.
const PROVIDER_BUDGET: std::time::Duration = std::time::Duration::from_secs(15);

/// A site that is being served.
#[derive(Debug)]
pub(crate) struct Site {
    /// Its label.
    pub(crate) name: String,
    hosts: Vec<HostPattern>,
    /// `None`: everything is public.
    pub(crate) gate: Option<Arc<Gate>>,
    /// What its origins are told of viewers.
    pub(crate) identity: Identity,
    /// How its requests are served, by their path.
    pub(crate) behaviours: Behaviours,
    /// The configured headers of every response.
    pub(crate) headers: Vec<SiteHeader>,
    /// The same as they are written, unless they are such that others have to know of them.
    pub(crate) lines: Option<Vec<u8>>,
    /// Whose headers count where both the origin and the configuration have them.
    pub(crate) precedence: HeaderPrecedence,
    /// What becomes of viewers on plain http.
    pub(crate) http_viewers: HttpViewers,
    /// What is counted.
    pub(crate) metrics: SiteMetrics,
    /// Whose equal it is.
    pub(crate) conduct: Conduct,
}

/// A configured header.
#[derive(Debug)]
pub(crate) struct SiteHeader {
    /// Its name.
    pub(crate) name: HeaderName,
    /// Its name in the configured case.
    pub(crate) spelling: Bytes,
    /// Its value.
    pub(crate) value: HeaderValue,
}

/// Who decides, and who carries out the calls that a decision needs.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Decides.
    pub(crate) authenticator: Authenticator,
    /// Calls the identity provider; to be used on the control runtime alone, which its connections belong to.
    pub(crate) driver: Arc<Driver<ReqwestClient>>,
}

impl Site {
    /// A site at work. Its origins have been connected. A gate for the same sign-in may be `kept`: it goes
    /// on with its keys and the tokens that it has verified.
    pub(crate) fn new(settings: SiteSettings, behaviours: Behaviours, kept: Option<Arc<Gate>>, means: &Means) -> Self {
        let name = settings.name;
        let conduct = settings.conduct;
        let (capabilities, budget) = match conduct {
            Conduct::Proxy => (Capabilities::PROXY, PROVIDER_BUDGET),
            Conduct::Edge => (Capabilities::EDGE, parity::PROVIDER_BUDGET),
        };
        let mut identity = settings.identity;
        let headers;
        let gate = match settings.auth {
            AuthSettings::Off { headers: configured } => {
                headers = site_headers(&configured, conduct);
                None
            }
            AuthSettings::Required { config, .. } => {
                headers = site_headers(config.http_headers(), conduct);
                if config.keeps_authorization() {
                    identity.remove.push(Pattern::exactly(&AUTHORIZATION));
                }
                Some(kept.unwrap_or_else(|| {
                    let driver = Driver::new(means.client.clone(), budget)
                        .with_observer(means.metrics.observer(&name))
                        .with_clock(means.clock);
                    Arc::new(Gate {
                        authenticator: Authenticator::new(*config, capabilities),
                        driver: Arc::new(driver),
                    })
                }))
            }
        };
        Self {
            metrics: means.metrics.site(&name),
            name,
            hosts: settings.hosts,
            gate,
            identity: Identity::new(identity),
            behaviours,
            lines: site_lines(&headers),
            headers,
            conduct,
            precedence: settings.precedence,
            http_viewers: settings.http_viewers,
        }
    }
}

fn site_headers(configured: &ConfiguredHeaders, conduct: Conduct) -> Vec<SiteHeader> {
    let allowed = |name: &str| conduct != Conduct::Edge || !is_forbidden(name, Place::OriginResponse);
    let configured = configured.iter().filter(|(name, _)| allowed(name));
    let header = |(name, value): (&str, &str)| {
        Some(SiteHeader {
            name: HeaderName::from_bytes(name.as_bytes()).ok()?,
            spelling: Bytes::copy_from_slice(name.as_bytes()),
            value: header_value::encode(value),
        })
    };
    configured.filter_map(header).collect()
}

/// The lines of these headers; `None` if one of them comes twice, or has a say in how a response is written or kept.
fn site_lines(headers: &[SiteHeader]) -> Option<Vec<u8>> {
    const TOLD_ELSEWHERE: [HeaderName; 8] = [
        CACHE_CONTROL,
        CONNECTION,
        CONTENT_LENGTH,
        DATE,
        EXPIRES,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static(request_id::HEADER),
    ];
    let mut lines = Vec::new();
    for (at, header) in headers.iter().enumerate() {
        let comes_twice = headers.iter().take(at).any(|other| other.name == header.name);
        if comes_twice || TOLD_ELSEWHERE.contains(&header.name) {
            return None;
        }
        push_line(&mut lines, &header.spelling, header.value.as_bytes());
    }
    Some(lines)
}

/// Adds a header's line.
pub(crate) fn push_line(lines: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        lines.extend_from_slice(part);
    }
}

/// All sites, found by host.
#[derive(Debug)]
pub(crate) struct Sites(Vec<Arc<Site>>);

impl Sites {
    pub(crate) const fn new(sites: Vec<Arc<Site>>) -> Self {
        Self(sites)
    }

    /// The site at that place of the configuration.
    pub(crate) fn at(&self, index: usize) -> Option<&Arc<Site>> {
        self.0.get(index)
    }

    /// The site that answers to a host; of several patterns that match the most exact one counts.
    pub(crate) fn find(&self, name: &str, port: Option<u16>) -> Option<&Arc<Site>> {
        let fitting = self
            .0
            .iter()
            .filter_map(|site| HostPattern::best(&site.hosts, name, port).map(|weight| (weight, site)));
        fitting.max_by_key(|(weight, _)| *weight).map(|(_, site)| site)
    }
}

#[cfg(test)]
mod tests {
    use auth_driver::Clock;
    use tokio::runtime::Handle;

    use super::*;
    use crate::metrics::Metrics;

    async fn sites(hosts: &[&str]) -> Sites {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let site = |hosts: &&str| {
            format!(
                "[[sites]]\nhosts = \"{hosts}\"\nauth = {{ insecure_auth_off = true }}\norigin = {{ kind = \"directory\", root = \".\" }}\n"
            )
        };
        let sites: String = hosts.iter().map(site).collect();
        std::fs::write(&file, format!("listen.http = [\"127.0.0.1:0\"]\n{sites}")).unwrap();
        let settings = crate::config::Settings::load(Some(&file), &Default::default()).unwrap();
        let means = Means {
            metrics: Arc::new(Metrics::new().unwrap()),
            client: ReqwestClient::new().unwrap(),
            control: Handle::current(),
            clock: Clock::System,
            cache: Arc::default(),
        };
        let mut sites = Vec::new();
        for site in settings.sites {
            let behaviours = Behaviours::connect(&site, None, &means.metrics, &means.control)
                .await
                .unwrap();
            sites.push(Arc::new(Site::new(site, behaviours, None, &means)));
        }
        Sites::new(sites)
    }

    #[tokio::test]
    async fn the_most_exact_pattern_finds_the_site() {
        let sites = sites(&["*.example.com", "*.b.example.com, a.example.com", "a.example.com:81"]).await;
        let found = |name: &str, port| sites.find(name, port).map(|site| site.name.clone());
        assert_eq!(found("x.example.com", None).as_deref(), Some("*.example.com"));
        assert_eq!(found("x.b.example.com", None).as_deref(), Some("*.b.example.com"));
        assert_eq!(found("a.example.com", Some(80)).as_deref(), Some("*.b.example.com"));
        assert_eq!(found("a.example.com", Some(81)).as_deref(), Some("a.example.com:81"));
        assert_eq!(found("example.com", None), None);
        assert_eq!(found("evil-example.com", None), None);
    }
}
