//! How the requests of a site are served, by their path: CloudFront's cache behaviours at work.
//!
//! The behaviour of a request is chosen once, after admission, by the decoded form of the canonical path that is
//! also decided upon and forwarded (T-PATH). It never has a say in who may pass: the auth endpoints and every
//! other decision are the core's, whatever a behaviour's pattern says (T-PATH-5).

use std::sync::Arc;

use pingora::upstreams::peer::HttpPeer;
use tokio::runtime::Handle;

use crate::{
    cache::{Cache, SiteCache},
    canonical_path::CanonicalPath,
    compression::Offer,
    config::{
        AllowedMethods, BehaviourSettings, Compression, Conduct, ErrorPages, OriginChoice, OriginSettings, PathPattern,
        SiteSettings, TrailingSlash,
    },
    generation::SiteError,
    metrics::{Metrics, OriginMetrics},
    origin::Origin,
};

/// How a request is served once it may pass.
#[derive(Debug)]
pub(crate) struct Behaviour {
    /// Where the content is; several behaviours may share one.
    pub(crate) origin: Arc<SiteOrigin>,
    /// The methods that reach the origin.
    pub(crate) methods: AllowedMethods,
    /// What takes the place of the origin's errors.
    pub(crate) error_pages: ErrorPages,
    /// The codings in which content is compressed; `None`: it is not.
    pub(crate) compress: Option<Offer>,
    /// What is kept of the origin's answers; `None`: nothing.
    pub(crate) cache: Option<SiteCache>,
    default_root_object: Option<String>,
    trailing_slash: TrailingSlash,
}

/// An origin and what is counted of it.
#[derive(Debug)]
pub(crate) struct SiteOrigin {
    /// Where the content is.
    pub(crate) origin: Origin,
    /// What is counted.
    pub(crate) metrics: OriginMetrics,
    /// Which one it is, for the cache.
    identity: String,
}

impl SiteOrigin {
    /// A connection is at hand.
    pub(crate) fn connected(&self, peer: &HttpPeer, reused: bool) {
        self.metrics.connected(reused);
        if let Origin::Custom(custom) = &self.origin
            && !reused
        {
            custom.connected(peer);
        }
    }

    /// A connection could not be made. Says how many servers there are to try.
    pub(crate) fn connect_failed(&self, peer: &HttpPeer) -> usize {
        match &self.origin {
            Origin::Custom(custom) => custom.connect_failed(peer),
            _ => 1,
        }
    }
}

impl Behaviour {
    fn new(settings: BehaviourSettings, origin: Arc<SiteOrigin>, cache: Option<SiteCache>, offer: Offer) -> Self {
        Self {
            origin,
            methods: settings.methods,
            error_pages: settings.error_pages,
            compress: match settings.compress {
                Compression::Off => None,
                Compression::Edge => Some(Offer::CloudFront),
                Compression::All => Some(offer),
            },
            cache,
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

/// All behaviours of a site.
#[derive(Debug)]
pub(crate) struct Behaviours {
    by_path: Vec<(PathPattern, Arc<Behaviour>)>,
    default: Arc<Behaviour>,
}

impl Behaviours {
    /// Connects the site's origins, each once, and hands them to the behaviours.
    ///
    /// # Errors
    /// The first origin that cannot be set up.
    pub(crate) async fn connect(
        site: &SiteSettings,
        cache: Option<&'static Cache>,
        metrics: &Metrics,
        runtime: &Handle,
    ) -> Result<Self, SiteError> {
        let connect = async |settings: &OriginSettings, name: Option<&str>| {
            let place = || name.map_or_else(|| site.name.clone(), |name| format!("{}, {name}", site.name));
            let origin = Origin::connect(settings, runtime).await;
            let origin = origin.map_err(|error| SiteError { site: place(), error })?;
            let metrics = metrics.origin(&site.name, name.unwrap_or(settings.kind()));
            if let Origin::Custom(custom) = &origin {
                custom.show_health(metrics.fit());
            }
            Ok(Arc::new(SiteOrigin {
                origin,
                metrics,
                identity: settings.identity(),
            }))
        };
        let default = connect(&site.origin, None).await?;
        let mut named = Vec::with_capacity(site.origins.len());
        for (name, settings) in &site.origins {
            named.push((name.as_str(), connect(settings, Some(name)).await?));
        }
        let chosen = |choice: &OriginChoice| {
            let found = match choice {
                OriginChoice::Default => None,
                OriginChoice::Named(name) => named.iter().find(|(known, _)| known == name),
            };
            // That the name is there has been checked when the configuration was read.
            Arc::clone(found.map_or(&default, |(_, origin)| origin))
        };
        let offer = match site.conduct {
            Conduct::Proxy => Offer::All,
            Conduct::Edge => Offer::CloudFront,
        };
        let make = |settings: &BehaviourSettings| {
            let origin = chosen(&settings.origin);
            let keep = |(cache, kept)| SiteCache::new(cache, kept, (&site.name, &origin.identity), metrics);
            let kept = cache.zip(settings.cache).map(keep);
            Arc::new(Behaviour::new(settings.clone(), origin, kept, offer))
        };
        Ok(Self {
            by_path: site
                .behaviours
                .iter()
                .map(|entry| (entry.path.clone(), make(&entry.settings)))
                .collect(),
            default: make(&site.default),
        })
    }

    /// The one for paths that no pattern fits.
    pub(crate) const fn default(&self) -> &Arc<Behaviour> {
        &self.default
    }

    /// The first whose pattern fits, else the default one.
    pub(crate) fn find(&self, path: &CanonicalPath) -> &Arc<Behaviour> {
        let path = path.decoded();
        let found = self.by_path.iter().find(|(pattern, _)| pattern.matches(path));
        found.map_or(&self.default, |(_, behaviour)| behaviour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn behaviours(site: &str) -> Behaviours {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = format!(
            "listen.http = [\"127.0.0.1:0\"]\n[[sites]]\nhosts = [\"a.example\"]\nauth = {{ insecure_auth_off = true }}\norigin = {{ kind = \"directory\", root = \".\" }}\n{site}"
        );
        std::fs::write(&file, text).unwrap();
        let settings = crate::config::Settings::load(Some(&file), &Default::default()).unwrap();
        let metrics = Metrics::new().unwrap();
        Behaviours::connect(&settings.sites[0], None, &metrics, &Handle::current())
            .await
            .unwrap()
    }

    fn asked(behaviours: &Behaviours, path: &str) -> String {
        let path = CanonicalPath::parse(path).unwrap();
        behaviours.find(&path).origin_path(path).as_str().to_owned()
    }

    #[tokio::test]
    async fn the_default_root_object_stands_for_the_root_alone() {
        let behaviours = behaviours("default_root_object = \"start.html\"").await;
        assert_eq!(asked(&behaviours, "/"), "/start.html");
        assert_eq!(asked(&behaviours, "/docs/"), "/docs/");
        assert_eq!(asked(&behaviours, "/docs"), "/docs");
    }

    #[tokio::test]
    async fn directories_stand_for_their_index_where_configured() {
        let behaviours = behaviours("rewrite_trailing_slash_to_index = true").await;
        assert_eq!(asked(&behaviours, "/"), "/index.html");
        assert_eq!(asked(&behaviours, "/docs/"), "/docs/index.html");
        assert_eq!(asked(&behaviours, "/docs"), "/docs");
    }

    #[tokio::test]
    async fn the_first_pattern_that_fits_counts_and_the_site_stands_for_the_rest() {
        let behaviours = behaviours(
            "rewrite_trailing_slash_to_index = true
             [[sites.behaviours]]
             path = \"/api/raw/*\"
             rewrite_trailing_slash_to_index = false
             [[sites.behaviours]]
             path = \"/api/*\"
             methods = [\"GET\"]
             [[sites.behaviours]]
             path = \"/api/raw/never\"
             origin = \"other\"
             [sites.origins.other]
             kind = \"custom\"
             url = \"http://127.0.0.1:1\"",
        )
        .await;
        let find = |path: &str| Arc::clone(behaviours.find(&CanonicalPath::parse(path).unwrap()));
        assert_eq!(asked(&behaviours, "/api/raw/x/"), "/api/raw/x/");
        assert_eq!(asked(&behaviours, "/api/x/"), "/api/x/index.html");
        assert_eq!(find("/api/x").methods.to_string(), "GET");
        assert_eq!(find("/x").methods.to_string(), "GET, HEAD");
        assert!(matches!(find("/api/raw/never").origin.origin, Origin::Directory(_)));
        assert_eq!(find("/%61pi/x").methods.to_string(), "GET", "however it is written");
        assert!(Arc::ptr_eq(&find("/API/x"), &behaviours.default), "case counts");
    }
}
