//! The sites as they run: who decides, where the content is, what is counted.

use std::sync::Arc;

use auth_core::{Authenticator, Capabilities};
use auth_driver::{Driver, ReqwestClient};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::{
    canonical_path::CanonicalPath,
    config::{AuthSettings, HostPattern, OriginSettings, SiteSettings, TrailingSlash},
    header_value,
    metrics::{Metrics, SiteMetrics},
    origin::Origin,
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
    pub(crate) gate: Option<Gate>,
    /// Where its content is.
    pub(crate) origin: Origin,
    /// The configured headers of every response, in place of what it has under their names. The names are
    /// valid and in their configured case.
    pub(crate) headers: Vec<(Bytes, HeaderValue)>,
    /// What is counted.
    pub(crate) metrics: SiteMetrics,
    default_root_object: Option<String>,
    trailing_slash: TrailingSlash,
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
    /// A site at work. The origin has been connected.
    pub(crate) fn new(settings: SiteSettings, origin: Origin, client: &ReqwestClient, metrics: &Metrics) -> Self {
        let name = settings.name;
        let mut headers = Vec::new();
        let gate = match settings.auth {
            AuthSettings::Off => None,
            AuthSettings::Required { config, .. } => {
                headers.extend(config.http_headers().iter().filter_map(|(name, value)| {
                    HeaderName::from_bytes(name.as_bytes()).ok()?;
                    Some((Bytes::copy_from_slice(name.as_bytes()), header_value::encode(value)))
                }));
                let driver = Driver::new(client.clone(), PROVIDER_BUDGET).with_observer(metrics.observer(&name));
                Some(Gate {
                    authenticator: Authenticator::new(*config, Capabilities::PROXY),
                    driver: Arc::new(driver),
                })
            }
        };
        Self {
            metrics: metrics.site(&name, origin_label(&settings.origin)),
            name,
            hosts: settings.hosts,
            gate,
            origin,
            headers,
            default_root_object: settings.default_root_object,
            trailing_slash: settings.trailing_slash,
        }
    }

    /// The path to ask the origin for: `/` and directories may stand for a file.
    pub(crate) fn origin_path(&self, path: CanonicalPath) -> CanonicalPath {
        let file = match (&self.default_root_object, self.trailing_slash) {
            (Some(root), _) if path.as_str() == "/" => root.as_str(),
            (_, TrailingSlash::ToIndex) if path.ends_with_slash() => "index.html",
            _ => return path,
        };
        path.join(file).unwrap_or(path)
    }
}

const fn origin_label(origin: &OriginSettings) -> &'static str {
    match origin {
        OriginSettings::S3(_) => "s3",
        OriginSettings::Custom(_) => "custom",
        OriginSettings::Directory(_) => "directory",
    }
}

/// All sites, found by host.
#[derive(Debug)]
pub(crate) struct Sites(Vec<Arc<Site>>);

impl Sites {
    pub(crate) const fn new(sites: Vec<Arc<Site>>) -> Self {
        Self(sites)
    }

    /// The site that answers to a host; of several patterns that match the most exact one counts.
    pub(crate) fn find(&self, name: &str, port: Option<u16>) -> Option<&Arc<Site>> {
        let fitting = self.0.iter().filter_map(|site| {
            let patterns = site.hosts.iter().filter(|pattern| pattern.matches(name, port));
            patterns.map(HostPattern::weight).max().map(|weight| (weight, site))
        });
        fitting.max_by_key(|(weight, _)| *weight).map(|(_, site)| site)
    }
}

#[cfg(test)]
mod tests {
    use crate::{config::DirectorySettings, origin::directory::DirectoryOrigin};

    use super::*;

    fn site(hosts: &[&str], root: Option<&str>, trailing_slash: TrailingSlash) -> Arc<Site> {
        let folder = DirectorySettings {
            root: std::env::temp_dir(),
        };
        Arc::new(Site {
            name: hosts[0].to_owned(),
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            gate: None,
            origin: Origin::Directory(DirectoryOrigin::open(&folder).unwrap()),
            headers: Vec::new(),
            metrics: Metrics::new().unwrap().site(hosts[0], "directory"),
            default_root_object: root.map(ToOwned::to_owned),
            trailing_slash,
        })
    }

    fn asked(site: &Site, path: &str) -> String {
        site.origin_path(CanonicalPath::parse(path).unwrap())
            .as_str()
            .to_owned()
    }

    #[test]
    fn the_default_root_object_stands_for_the_root_alone() {
        let site = site(&["a.example"], Some("start.html"), TrailingSlash::Kept);
        assert_eq!(asked(&site, "/"), "/start.html");
        assert_eq!(asked(&site, "/docs/"), "/docs/");
        assert_eq!(asked(&site, "/docs"), "/docs");
    }

    #[test]
    fn directories_stand_for_their_index_where_configured() {
        let site = site(&["a.example"], None, TrailingSlash::ToIndex);
        assert_eq!(asked(&site, "/"), "/index.html");
        assert_eq!(asked(&site, "/docs/"), "/docs/index.html");
        assert_eq!(asked(&site, "/docs"), "/docs");
    }

    #[test]
    fn the_most_exact_pattern_finds_the_site() {
        let sites = Sites::new(vec![
            site(&["*.example.com"], None, TrailingSlash::Kept),
            site(&["*.b.example.com", "a.example.com"], None, TrailingSlash::Kept),
            site(&["a.example.com:81"], None, TrailingSlash::Kept),
        ]);
        let found = |name: &str, port| sites.find(name, port).map(|site| site.name.clone());
        assert_eq!(found("x.example.com", None).as_deref(), Some("*.example.com"));
        assert_eq!(found("x.b.example.com", None).as_deref(), Some("*.b.example.com"));
        assert_eq!(found("a.example.com", Some(80)).as_deref(), Some("*.b.example.com"));
        assert_eq!(found("a.example.com", Some(81)).as_deref(), Some("a.example.com:81"));
        assert_eq!(found("example.com", None), None);
        assert_eq!(found("evil-example.com", None), None);
    }
}
