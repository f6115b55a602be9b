//! A body on its way from the origin into the cache: one request brings it, others read along.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::{Bytes, BytesMut};
use pingora::{Error, ErrorType, Result};
use tokio::sync::watch;

use super::entry::Head;

/// A number for one fill, as Pingora wants it.
pub(super) type Tag = [u8; 8];

/// How far a fill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// So many chunks are there.
    Chunks(usize),
    /// So many, and no more will come.
    Complete(usize),
    /// The origin, or who asked it, has given up.
    Broken,
}

/// A response of which the end has not come yet.
#[derive(Debug)]
pub(super) struct Fill {
    pub(super) head: Head,
    /// Which purge came last when it began; a later one may have meant it.
    pub(super) generation: u64,
    /// Tells the fills of one slot apart.
    pub(super) tag: Tag,
    chunks: Mutex<Vec<Bytes>>,
    progress: watch::Sender<Progress>,
}

impl Fill {
    pub(super) fn new(head: Head, generation: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            head,
            generation,
            tag: NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes(),
            chunks: Mutex::default(),
            progress: watch::Sender::new(Progress::Chunks(0)),
        }
    }

    pub(super) fn push(&self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        let count = {
            let mut chunks = self.chunks();
            chunks.push(chunk);
            chunks.len()
        };
        self.progress.send_replace(Progress::Chunks(count));
    }

    /// The end has come. Gives the whole body.
    pub(super) fn complete(&self) -> Bytes {
        let (count, body) = {
            let chunks = self.chunks();
            (chunks.len(), join(&chunks))
        };
        self.progress.send_replace(Progress::Complete(count));
        body
    }

    /// The end will not come, unless it has come already.
    pub(super) fn abandon(&self) {
        self.progress.send_if_modified(|progress| {
            let is_open = matches!(progress, Progress::Chunks(_));
            if is_open {
                *progress = Progress::Broken;
            }
            is_open
        });
    }

    fn chunks(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One piece of memory of just that size: the chunks may be parts of larger ones.
fn join(chunks: &[Bytes]) -> Bytes {
    let mut body = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        body.extend_from_slice(chunk);
    }
    body.freeze()
}

/// Reads along with a fill from its beginning.
#[derive(Debug)]
pub(super) struct FillReader {
    fill: Arc<Fill>,
    progress: watch::Receiver<Progress>,
    next: usize,
}

impl FillReader {
    pub(super) fn new(fill: Arc<Fill>) -> Self {
        Self {
            progress: fill.progress.subscribe(),
            fill,
            next: 0,
        }
    }

    /// The next chunk, once it is there; `None` after the last. An error when the body breaks off: what was
    /// promised cannot be delivered, and the connection has to be cut.
    pub(super) async fn read(&mut self) -> Result<Option<Bytes>> {
        loop {
            let progress = *self.progress.borrow_and_update();
            let chunk = self.fill.chunks().get(self.next).cloned();
            if chunk.is_some() {
                self.next += 1;
                return Ok(chunk);
            }
            match progress {
                Progress::Complete(_) => return Ok(None),
                Progress::Broken => return Err(broken()),
                Progress::Chunks(_) => self.progress.changed().await.map_err(|_| broken())?,
            }
        }
    }
}

fn broken() -> Box<Error> {
    Error::explain(ErrorType::ReadError, "the response broke off").into_up()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use pingora::{cache::CacheMeta, http::ResponseHeader};

    use super::*;
    use crate::cache::entry::Owner;

    fn fill() -> Arc<Fill> {
        let now = SystemTime::UNIX_EPOCH;
        let meta = CacheMeta::new(now, now, 0, 0, ResponseHeader::build(200, None).unwrap());
        let owner = Owner {
            site: "app".into(),
            path: "/".into(),
        };
        Arc::new(Fill::new(Head::new(owner, &meta), 0))
    }

    async fn all(mut reader: FillReader) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = reader.read().await? {
            body.extend(chunk);
        }
        Ok(body)
    }

    #[tokio::test]
    async fn readers_get_all_of_it_whenever_they_come() {
        let fill = fill();
        fill.push(Bytes::from_static(b"one "));
        let early = tokio::spawn(all(FillReader::new(Arc::clone(&fill))));
        tokio::task::yield_now().await;
        fill.push(Bytes::from_static(b""));
        fill.push(Bytes::from_static(b"two"));
        let late = FillReader::new(Arc::clone(&fill));
        assert_eq!(fill.complete(), "one two");
        fill.abandon();
        assert_eq!(early.await.unwrap().unwrap(), b"one two");
        assert_eq!(all(late).await.unwrap(), b"one two");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error_and_not_a_short_body() {
        let fill = fill();
        fill.push(Bytes::from_static(b"one "));
        let reader = tokio::spawn(all(FillReader::new(Arc::clone(&fill))));
        tokio::task::yield_now().await;
        fill.abandon();
        assert!(reader.await.unwrap().is_err());
        assert!(all(FillReader::new(fill)).await.is_err());
    }
}
