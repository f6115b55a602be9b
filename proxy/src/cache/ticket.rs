//! A request's way through Pingora's cache: who fetches, who waits, and what of the answer is kept.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue,
    header::{AGE, CONNECTION, CONTENT_LENGTH, DATE},
};
use pingora::{
    Result,
    cache::{
        CacheKey, CacheMeta, CacheOptionOverrides, HttpCache, NoCacheReason, RespCacheable, Storage, key::HashBinary,
    },
    http::ResponseHeader,
};

use super::{Cache, Codings, RefreshClaim, freshness, storage::Destination};
use crate::{behaviour::Behaviour, config::CacheSettings, exchange::Passed, site::Site};

/// Seen for the first time, the length is learned from the answer that is not kept.
pub(super) const UNKNOWN_LENGTH: &str = "length-unknown";
/// How long a viewer waits for what others fetch before the origin is asked for it alone.
const WAIT: Duration = Duration::from_secs(15);

/// Lets Pingora look up, fetch and keep one response.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    cache: &'static Cache,
    primary: HashBinary,
    destination: Destination,
    max_object_bytes: usize,
    /// Whether the length is known to be unknown.
    is_whole: bool,
}

/// The date and age of a 304: of what it confirms from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validated {
    date: Option<HeaderValue>,
    age: Option<HeaderValue>,
}

/// What a response is judged by.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// What an operator wants.
    pub(crate) settings: &'a CacheSettings,
    /// The viewer's header.
    pub(crate) request: &'a HeaderMap,
    /// What the origin said.
    pub(crate) said: HeaderMap,
}

/// A revalidation behind the back of a viewer who has got a stale answer. It has been decided upon already,
/// with that viewer's request.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) id: String,
    pub(crate) site: Arc<Site>,
    pub(crate) behaviour: Arc<Behaviour>,
    pub(crate) passed: Passed,
    pub(crate) codings: Codings,
    pub(crate) ticket: Box<Ticket>,
    /// Released at the errand's end, whatever it is.
    pub(crate) claim: RefreshClaim,
}

impl Validated {
    /// Notes the date and age of a 304.
    pub(crate) fn by(response: &ResponseHeader) -> Self {
        Self {
            date: response.headers.get(DATE).cloned(),
            age: response.headers.get(AGE).cloned(),
        }
    }

    /// Pingora merges a 304 into what is kept, but for these.
    fn apply(&self, said: &mut HeaderMap) {
        for (name, value) in [(DATE, &self.date), (AGE, &self.age)] {
            said.remove(&name);
            if let Some(value) = value {
                said.insert(name, value.clone());
            }
        }
    }
}

impl Ticket {
    pub(super) fn new(
        cache: &'static Cache,
        primary: HashBinary,
        destination: Destination,
        max_object_bytes: usize,
    ) -> Self {
        Self {
            cache,
            primary,
            destination,
            max_object_bytes,
            is_whole: cache.unknown_lengths.get(&primary).is_some(),
        }
    }

    /// Switches Pingora's cache on for a request.
    pub(crate) fn enable(&self, cache: &mut HttpCache) {
        let storage: &'static (dyn Storage + Sync) = if self.is_whole {
            &self.cache.whole
        } else {
            &self.cache.streaming
        };
        let mut options = CacheOptionOverrides::default();
        options.wait_timeout = Some(WAIT);
        cache.enable(
            storage,
            None,
            Some(&self.cache.predictor),
            Some(&self.cache.lock),
            Some(options),
        );
        if self.is_whole {
            // Elsewhere the length has been looked at before the first byte.
            cache.set_max_file_size_bytes(self.max_object_bytes);
        }
    }

    /// The key, without a text that could get into a log.
    pub(crate) fn key(&self) -> CacheKey {
        let mut key = CacheKey::new(Vec::new(), String::new());
        key.set_primary_bin_override(self.primary);
        key.extensions.insert(self.destination.clone());
        key
    }

    /// Whether a response is kept. `plain_length` is that of a body which is being compressed.
    pub(crate) fn judge(
        &self,
        mut asked: Asked<'_>,
        response: &ResponseHeader,
        plain_length: Option<u64>,
        validated: Option<&Validated>,
    ) -> Result<RespCacheable> {
        let now = SystemTime::now();
        if let Some(validated) = validated {
            validated.apply(&mut asked.said);
        }
        let judged = freshness::judge(asked.settings, asked.request, response.status, &asked.said, now);
        let lifetime = match judged {
            Ok(lifetime) => lifetime,
            Err(unfit) => return Ok(uncacheable(NoCacheReason::Custom(unfit.as_str()))),
        };
        if let Some(reason) = self.refuse_length(&response.headers, plain_length) {
            return Ok(uncacheable(reason));
        }
        let mut header = response.clone();
        if let Some(date) = validated.and_then(|validated| validated.date.clone()) {
            header.insert_header(DATE, date)?;
        }
        for name in [AGE, CONNECTION] {
            header.remove_header(&name);
        }
        let fresh_until = if lifetime.fresh.is_zero() {
            now.checked_sub(Duration::from_secs(1))
        } else {
            now.checked_add(lifetime.fresh)
        };
        let mut meta = CacheMeta::new(
            fresh_until.unwrap_or(SystemTime::UNIX_EPOCH),
            now,
            lifetime.stale_while_revalidate,
            lifetime.stale_if_error,
            header,
        );
        meta.set_epoch_override(now.checked_sub(lifetime.age).unwrap_or(SystemTime::UNIX_EPOCH));
        Ok(RespCacheable::Cacheable(meta))
    }

    fn refuse_length(&self, response: &HeaderMap, plain_length: Option<u64>) -> Option<NoCacheReason> {
        let stated = || response.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        match plain_length.or_else(stated) {
            Some(length) if length > self.max_object_bytes as u64 => Some(NoCacheReason::ResponseTooLarge),
            Some(_) => None,
            None if self.is_whole => None,
            None => {
                self.cache.unknown_lengths.insert(self.primary, ());
                Some(NoCacheReason::Custom(UNKNOWN_LENGTH))
            }
        }
    }
}

const fn uncacheable(reason: NoCacheReason) -> RespCacheable {
    RespCacheable::Uncacheable(reason)
}
