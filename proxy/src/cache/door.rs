//! A kept object without a proxy around it, for the micro-benches.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use pingora::{cache::CacheMeta, http::ResponseHeader};

use super::{
    Cache, Codings, SiteCache,
    entry::{Entry, Head, Owner},
    hit,
    key::Slot,
    store::Store,
};
use crate::{compression::Accepted, config::CacheSettings, metrics::Metrics};

const ROOM: u64 = 64 << 20;
const HOST: &str = "app.example";
const PATH: &str = "/assets/index.js";
const HOUR: Duration = Duration::from_secs(3600);

/// One object in a cache of its own, which lives as long as the process.
#[derive(Debug)]
pub struct KeptObject(SiteCache);

impl KeptObject {
    /// Keeps an object of that length. `None`: it has no header.
    #[must_use]
    pub fn new(length: usize) -> Option<Self> {
        let cache = Box::leak(Box::new(Cache::new(Arc::new(Store::new(ROOM)))));
        let metrics = Metrics::new().ok()?;
        let site = SiteCache::new(cache, CacheSettings::default(), ("app", "http://origin"), &metrics);
        let mut header = ResponseHeader::build(200, None).ok()?;
        for (name, value) in [
            ("Content-Type", "text/javascript"),
            ("Cache-Control", "public, max-age=3600"),
            ("ETag", "\"9e107d9d372bb6826bd81d3542a419d6\""),
            ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            header.insert_header(name, value).ok()?;
        }
        header.insert_header("Content-Length", length).ok()?;
        let now = SystemTime::now();
        let owner = Owner {
            site: "app".into(),
            path: PATH.into(),
        };
        let head = Head::new(owner, &CacheMeta::new(now + HOUR, now, 0, 0, header));
        let slot = Slot {
            primary: site.hash("https", HOST, PATH, ""),
            variance: None,
        };
        cache.store.keep(slot, Entry::new(head, vec![b'x'; length].into()));
        Some(Self(site))
    }

    /// What a GET for it is answered with, before anything of the site and of this very request is added.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap) -> Option<(ResponseHeader, Bytes)> {
        let hash = self.0.hash("https", HOST, PATH, "");
        let codings = Codings::Acceptable(Accepted::of(request));
        let now = SystemTime::now();
        let entry = self.0.cache().find(hash, request, codings)?;
        let is_fresh = entry.is_fresh(now);
        is_fresh.then(|| hit(&entry, &Method::GET, request, now).ok())?
    }
}
