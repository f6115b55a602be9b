//! The store as Pingora's cache sees it.
//!
//! Pingora's state machine decides who fetches, who waits and who revalidates; this is where it puts things.
//! There are two of them over one store. [`Streaming`] lets others read a response along while it is fetched,
//! which Pingora pays for with a failed request when a response turns out larger than may be kept. So it is
//! used where the length is known beforehand, and [`Whole`] elsewhere: there others wait for the end.

use std::{any::Any, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use pingora::{
    Error, ErrorType, Result,
    cache::{
        CacheKey, CacheMeta, HitHandler, MissHandler, PurgeOutcome, PurgeTarget, PurgeType, Storage,
        key::CacheHashKey as _,
        storage::{HandleHit, HandleMiss, MissFinishType},
        trace::SpanHandle,
    },
};

use super::{
    entry::{Entry, Head, Owner},
    fill::{Fill, FillReader},
    key::Slot,
    store::{Found, Store},
};

/// Others read along.
#[derive(Debug)]
pub(super) struct Streaming(pub(super) Arc<Store>);

/// Others wait for the end.
#[derive(Debug)]
pub(super) struct Whole(pub(super) Arc<Store>);

/// Whose the response will be, and when it was asked for; rides on the [`CacheKey`].
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) owner: Owner,
    pub(super) generation: u64,
}

fn lookup(store: &Store, key: &CacheKey) -> Option<(CacheMeta, HitHandler)> {
    let found = store.find(&Slot::of(key), SystemTime::now())?;
    Some(match found {
        Found::Entry(entry) => (entry.head.meta(), Box::new(Hit::whole(entry.body.clone()))),
        Found::Fill(fill) => (fill.head.meta(), Box::new(Hit::Filling(FillReader::new(fill)))),
    })
}

fn begin(store: &Arc<Store>, key: &CacheKey, meta: &CacheMeta) -> Result<MissHandler> {
    let destination = key
        .extensions
        .get::<Destination>()
        .ok_or_else(|| Error::explain(ErrorType::InternalError, "a response without a destination"))?;
    let head = Head::new(destination.owner.clone(), meta);
    let miss = Miss {
        store: Arc::clone(store),
        slot: Slot::of(key),
        fill: Arc::new(Fill::new(head, destination.generation)),
    };
    store.begin(miss.slot, Arc::clone(&miss.fill));
    Ok(Box::new(miss))
}

fn purge(store: &Store, target: PurgeTarget<'_>) -> PurgeOutcome {
    let key = target.key();
    let slot = Slot {
        primary: key.primary_bin(),
        variance: key.variance_bin(),
    };
    if store.remove(&slot) {
        PurgeOutcome::Purged(None)
    } else {
        PurgeOutcome::NotFound
    }
}

macro_rules! storage {
    ($name:ty, $streams:literal) => {
        #[async_trait]
        impl Storage for $name {
            async fn lookup(
                &'static self,
                key: &CacheKey,
                _trace: &SpanHandle,
            ) -> Result<Option<(CacheMeta, HitHandler)>> {
                Ok(lookup(&self.0, key))
            }

            async fn lookup_streaming_write(
                &'static self,
                _key: &CacheKey,
                tag: Option<&[u8]>,
                _trace: &SpanHandle,
            ) -> Result<Option<(CacheMeta, HitHandler)>> {
                let tag = tag.and_then(|tag| tag.try_into().ok());
                Ok(tag.and_then(|tag| self.0.fill(&tag)).map(|fill| {
                    let handler: HitHandler = Box::new(Hit::Filling(FillReader::new(Arc::clone(&fill))));
                    (fill.head.meta(), handler)
                }))
            }

            async fn get_miss_handler(
                &'static self,
                key: &CacheKey,
                meta: &CacheMeta,
                _trace: &SpanHandle,
            ) -> Result<MissHandler> {
                begin(&self.0, key, meta)
            }

            async fn purge(
                &'static self,
                target: PurgeTarget<'_>,
                _why: PurgeType,
                _trace: &SpanHandle,
            ) -> Result<PurgeOutcome> {
                Ok(purge(&self.0, target))
            }

            async fn update_meta(&'static self, key: &CacheKey, meta: &CacheMeta, _trace: &SpanHandle) -> Result<bool> {
                Ok(self.0.renew(Slot::of(key), meta))
            }

            fn support_streaming_partial_write(&self) -> bool {
                $streams
            }

            fn as_any(&self) -> &(dyn Any + Send + Sync + 'static) {
                self
            }
        }
    };
}

storage!(Streaming, true);
storage!(Whole, false);

/// A body to be served.
enum Hit {
    /// At hand; `None` once it has been given.
    Whole { body: Bytes, rest: Option<Bytes> },
    /// Still coming.
    Filling(FillReader),
}

impl Hit {
    fn whole(body: Bytes) -> Self {
        Self::Whole {
            rest: Some(body.clone()),
            body,
        }
    }
}

#[async_trait]
impl HandleHit for Hit {
    async fn read_body(&mut self) -> Result<Option<Bytes>> {
        match self {
            Self::Whole { rest, .. } => Ok(rest.take()),
            Self::Filling(reader) => reader.read().await,
        }
    }

    async fn finish(
        self: Box<Self>,
        _storage: &'static (dyn Storage + Sync),
        _key: &CacheKey,
        _trace: &SpanHandle,
    ) -> Result<()> {
        Ok(())
    }

    fn can_seek(&self) -> bool {
        matches!(self, Self::Whole { .. })
    }

    /// `end` is the position after the last byte.
    fn seek(&mut self, start: usize, end: Option<usize>) -> Result<()> {
        let Self::Whole { body, rest } = self else {
            return Error::e_explain(ErrorType::InternalError, "a body that is still coming has no positions");
        };
        let end = end.unwrap_or(body.len()).min(body.len());
        if start >= end {
            return Error::e_explain(ErrorType::InternalError, "a part that is not there");
        }
        *rest = Some(body.slice(start..end));
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn as_any_mut(&mut self) -> &mut (dyn Any + Send + Sync) {
        self
    }
}

/// A body to be kept.
struct Miss {
    store: Arc<Store>,
    slot: Slot,
    fill: Arc<Fill>,
}

#[async_trait]
impl HandleMiss for Miss {
    async fn write_body(&mut self, chunk: Bytes, _is_last: bool) -> Result<()> {
        self.fill.push(chunk);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<MissFinishType> {
        let body = self.fill.complete();
        let length = body.len();
        let meta = with_length(self.fill.head.meta(), length)?;
        let head = Head::new(self.fill.head.owner.clone(), &meta);
        self.store.end(self.slot, &self.fill, Some(Entry::new(head, body)));
        Ok(MissFinishType::Created(length))
    }

    fn streaming_write_tag(&self) -> Option<&[u8]> {
        Some(&self.fill.tag)
    }
}

impl Drop for Miss {
    fn drop(&mut self) {
        self.fill.abandon();
        self.store.end(self.slot, &self.fill, None);
    }
}

/// By now the length is known, whatever the origin knew.
fn with_length(mut meta: CacheMeta, length: usize) -> Result<CacheMeta> {
    let header = meta.response_header_mut();
    header.remove_header(&TRANSFER_ENCODING);
    header.insert_header(CONTENT_LENGTH, length)?;
    Ok(meta)
}
