//! What may be kept of an origin's answers, and for how long.

use std::time::Duration;

use super::{
    origin::OriginSettings,
    section::Section,
    units::{ByteSize, Span},
};

const HOUR: Duration = Duration::from_secs(3600);

/// The smallest cache.
const SMALLEST: usize = 8 << 20;

/// Into how many parts the cache is divided.
pub(super) const SHARDS: usize = crate::cache::SHARDS as usize;

/// The `cache` table of a site or behaviour that is switched on. The times mean what CloudFront's mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// What is kept is fresh at least as long, unless the origin forbids it.
    pub min_ttl: Duration,
    /// How long what the origin says nothing about is fresh.
    pub default_ttl: Duration,
    /// Nothing is fresh for longer.
    pub max_ttl: Duration,
    /// How long a 404 or 410 is kept; nothing: not at all.
    pub error_ttl: Duration,
    /// How long stale answers are served while they are revalidated, where the origin does not say.
    pub stale_while_revalidate: Duration,
    /// How long stale answers are served when the origin fails, where the origin does not say.
    pub stale_if_error: Duration,
    /// Larger bodies are not kept.
    pub max_object_bytes: usize,
    /// Whether the query makes another answer.
    pub query: CachedQuery,
}

/// What a query means to the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CachedQuery {
    /// Another query is another answer.
    #[default]
    All,
    /// It means nothing, and the origin is asked without it.
    None,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            min_ttl: Duration::ZERO,
            default_ttl: 24 * HOUR,
            max_ttl: 365 * 24 * HOUR,
            error_ttl: Duration::ZERO,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            max_object_bytes: 8 << 20,
            query: CachedQuery::All,
        }
    }
}

/// What the `cache` tables say so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CacheKeys {
    is_on: bool,
    /// Whether this very table says so.
    is_own: bool,
    settings: CacheSettings,
}

impl CacheKeys {
    /// Reads a table; what is not there is as here.
    pub(super) fn read(&self, mut section: Section<'_>) -> Self {
        let own = section.parsed("enabled", "true or false");
        let keys = Self {
            is_on: own.unwrap_or(self.is_on),
            is_own: own == Some(true),
            settings: settings(&mut section, &self.settings),
        };
        let CacheSettings {
            min_ttl,
            default_ttl,
            max_ttl,
            ..
        } = keys.settings;
        if min_ttl > default_ttl || default_ttl > max_ttl {
            section.refuse(
                "default_ttl",
                "less than min_ttl or more than max_ttl",
                "a duration between the two",
            );
        }
        section.finish();
        keys
    }

    /// The settings for that origin. `section` is the one that has the table.
    pub(super) fn settle(self, section: &Section<'_>, origin: &OriginSettings) -> Option<CacheSettings> {
        if !self.is_on {
            return None;
        }
        if matches!(origin, OriginSettings::Directory(_) | OriginSettings::Nothing) {
            if self.is_own {
                let found = format!("true with an origin of the kind {}", origin.kind());
                section.refuse("cache.enabled", found, "false: there is nothing to fetch");
            }
            return None;
        }
        Some(self.settings)
    }
}

fn settings(section: &mut Section<'_>, inherited: &CacheSettings) -> CacheSettings {
    let mut span = |key, inherited| {
        section
            .parsed::<Span>(key, "a duration as `30s`")
            .map_or(inherited, |span| span.0)
    };
    let min_ttl = span("min_ttl", inherited.min_ttl);
    let max_ttl = span("max_ttl", inherited.max_ttl);
    CacheSettings {
        min_ttl,
        max_ttl,
        default_ttl: span(
            "default_ttl",
            inherited.default_ttl.clamp(min_ttl, max_ttl.max(min_ttl)),
        ),
        error_ttl: span("error_ttl", inherited.error_ttl),
        stale_while_revalidate: span("stale_while_revalidate", inherited.stale_while_revalidate),
        stale_if_error: span("stale_if_error", inherited.stale_if_error),
        max_object_bytes: section
            .parsed::<ByteSize>("max_object_bytes", "a size as `8MiB`")
            .map_or(inherited.max_object_bytes, |size| size.0),
        query: query(section).unwrap_or(inherited.query),
    }
}

fn query(section: &mut Section<'_>) -> Option<CachedQuery> {
    match &*section.text("query")? {
        "all" => Some(CachedQuery::All),
        "none" => Some(CachedQuery::None),
        other => {
            section.refuse("query", format!("{other:?}"), "`all` or `none`");
            None
        }
    }
}

/// The `cache` table at the top: the bytes of everything that is kept.
pub(super) fn total(section: &mut Section<'_>) -> usize {
    let total = section
        .parsed::<ByteSize>("max_bytes", "a size as `256MiB`")
        .map_or(256 << 20, |size| size.0);
    if total < SMALLEST {
        section.refuse("max_bytes", total.to_string(), "8MiB or more");
    }
    total
}
