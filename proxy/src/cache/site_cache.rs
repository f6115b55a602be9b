//! The cache as one site or behaviour uses it.

use std::sync::Arc;

use http::{HeaderMap, Method, header};
use pingora::cache::key::HashBinary;
use prometheus::IntCounter;

use super::{Cache, Outcome, Parts, entry::Owner, storage::Destination, ticket::Ticket};
use crate::{
    config::{CacheSettings, CachedQuery},
    metrics::Metrics,
};

/// What a site or behaviour keeps, and where.
#[derive(Debug)]
pub(crate) struct SiteCache {
    pub(super) cache: &'static Cache,
    /// For how long, and how much.
    pub(crate) settings: CacheSettings,
    site: Arc<str>,
    origin: String,
    counters: [IntCounter; Outcome::ALL.len()],
}

impl SiteCache {
    pub(crate) fn new(
        cache: &'static Cache,
        settings: CacheSettings,
        (site, origin): (&str, &str),
        metrics: &Metrics,
    ) -> Self {
        Self {
            cache,
            settings,
            site: site.into(),
            origin: origin.to_owned(),
            counters: Outcome::ALL.map(|outcome| metrics.cache(site, outcome)),
        }
    }

    /// Where the answer to a request is kept.
    pub(crate) fn hash(&self, scheme: &str, host: &str, path: &str, query: &str) -> HashBinary {
        Parts {
            scheme,
            host,
            site: &self.site,
            origin: &self.origin,
            path,
            query: self.counted(query),
        }
        .hash()
    }

    /// The query as far as it counts, for the cache and for the origin.
    pub(crate) const fn counted<'q>(&self, query: &'q str) -> &'q str {
        match self.settings.query {
            CachedQuery::All => query,
            CachedQuery::None => "",
        }
    }

    /// Entries of this site under that hash.
    pub(crate) const fn cache(&self) -> &'static Cache {
        self.cache
    }

    /// What lets Pingora fetch or revalidate it.
    pub(crate) fn ticket(&self, primary: HashBinary, path: &str) -> Ticket {
        let owner = Owner {
            site: Arc::clone(&self.site),
            path: path.into(),
        };
        Ticket::new(
            self.cache,
            primary,
            Destination {
                owner,
                generation: self.cache.store.generation(),
            },
            self.settings.max_object_bytes,
        )
    }

    /// A request has ended.
    pub(crate) fn count(&self, outcome: Outcome) {
        if let Some(counter) = self.counters.get(outcome.index()) {
            counter.inc();
        }
    }
}

/// Whether a request is one that the cache has to do with: it asks for content, and not for a connection.
pub(crate) fn is_cacheable(method: &Method, headers: &HeaderMap) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(header::UPGRADE)
}
