//! Connections to origins: made by Pingora's connector, and kept for the next request.
//!
//! Pingora's own pool has a task watch each connection that waits, to be started and ended by every request. Here
//! a connection is looked at when it is taken, and all that wait are looked at from time to time, so that one that
//! the origin has closed does not stay open on our side.

mod pipe;
mod plain;

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::{Duration, Instant},
};

use pingora::{
    Result,
    connectors::TransportConnector,
    protocols::Stream,
    upstreams::peer::{HttpPeer, Peer as _},
};
use tokio::{io::AsyncReadExt as _, task::unconstrained};

use self::pipe::Pipes;
pub(crate) use self::{pipe::Pipe, plain::PlainStream};

/// Connections of one worker that wait, to all origins together. A few HTTP/2 viewers have as many requests under
/// way; with Pingora's 128, every seventh of 256 at a time had to connect anew.
const MOST_KEPT: usize = 512;
/// How often those that wait are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// The connections of one worker.
pub(crate) struct Upstreams {
    connector: Arc<TransportConnector>,
    kept: Mutex<Kept>,
    /// For bodies that pass through the kernel alone.
    pub(crate) pipes: Pipes,
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams").finish_non_exhaustive()
    }
}

struct Kept {
    most: usize,
    /// By what a connection must have in common with the next request's. The last one in is the first one out.
    by_peer: HashMap<u64, VecDeque<Waiting>>,
    count: usize,
}

struct Waiting {
    stream: Stream,
    /// `None`: as long as the origin likes.
    until: Option<Instant>,
}

impl Upstreams {
    /// None yet.
    pub(crate) fn new(connector: Arc<TransportConnector>) -> Self {
        Self {
            connector,
            kept: Mutex::new(Kept::new(MOST_KEPT)),
            pipes: Pipes::default(),
        }
    }

    /// A connection that waits (true), or a new one.
    ///
    /// # Errors
    /// Why none can be made.
    pub(crate) async fn connect(&self, peer: &HttpPeer) -> Result<(Stream, bool)> {
        let waiting = self.lock().take(peer.reuse_hash(), Instant::now());
        match waiting {
            Some(stream) => Ok((stream, true)),
            // Boxed: every request would make room for what few of them need.
            None => Ok((Box::pin(self.make(peer)).await?, false)),
        }
    }

    async fn make(&self, peer: &HttpPeer) -> Result<Stream> {
        if PlainStream::serves(peer) {
            Ok(Box::new(PlainStream::connect(peer).await?))
        } else {
            self.connector.new_stream(peer).await
        }
    }

    /// Keeps a connection on which nothing is under way.
    pub(crate) fn keep(&self, peer: &HttpPeer, stream: Stream) {
        let until = peer.idle_timeout().map(|idle| Instant::now() + idle);
        self.lock().put(peer.reuse_hash(), Waiting { stream, until });
    }

    /// Lets go of what has waited too long or was closed at its other end, for ever.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.lock().sweep(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn new(most: usize) -> Self {
        Self {
            most,
            by_peer: HashMap::new(),
            count: 0,
        }
    }

    fn take(&mut self, peer: u64, now: Instant) -> Option<Stream> {
        let waiting = self.by_peer.get_mut(&peer)?;
        while let Some(mut next) = waiting.pop_back() {
            self.count -= 1;
            if next.is_fit(now) {
                return Some(next.stream);
            }
        }
        None
    }

    fn put(&mut self, peer: u64, stream: Waiting) {
        let waiting = self.by_peer.entry(peer).or_default();
        if self.count < self.most {
            self.count += 1;
        } else if waiting.pop_front().is_none() {
            // All belong to others, who would have to connect again.
            return;
        }
        waiting.push_back(stream);
    }

    fn sweep(&mut self, now: Instant) {
        self.by_peer.retain(|_, waiting| {
            waiting.retain_mut(|one| one.is_fit(now));
            !waiting.is_empty()
        });
        self.count = self.by_peer.values().map(VecDeque::len).sum();
    }
}

impl Waiting {
    /// Whether the connection is still good. Nothing may have come on it: an answer that nobody asked for is not
    /// to be taken for the next one's.
    fn is_fit(&mut self, now: Instant) -> bool {
        let is_in_time = self.until.is_none_or(|until| now < until);
        let mut byte = [0];
        // Without the task's budget, whose end would look like silence.
        let reading = pin!(unconstrained(self.stream.read(&mut byte)));
        is_in_time && reading.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt as _,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    struct Origin {
        listener: TcpListener,
        peer: HttpPeer,
        upstreams: Upstreams,
    }

    impl Origin {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut peer = HttpPeer::new(listener.local_addr().unwrap(), false, String::new());
            peer.options.idle_timeout = Some(Duration::from_secs(60));
            Self {
                listener,
                peer,
                upstreams: Upstreams::new(Arc::new(TransportConnector::new(None))),
            }
        }

        async fn connect(&self) -> (Stream, TcpStream) {
            let (made, accepted) = tokio::join!(self.upstreams.connect(&self.peer), self.listener.accept());
            let (stream, is_reused) = made.unwrap();
            assert!(!is_reused);
            (stream, accepted.unwrap().0)
        }

        fn waiting(&self) -> Option<Stream> {
            self.upstreams.lock().take(self.peer.reuse_hash(), Instant::now())
        }

        /// Until the other end's doing has arrived.
        async fn until_unfit(&self) {
            while self.upstreams.lock().count > 0 {
                tokio::task::yield_now().await;
                self.upstreams.lock().sweep(Instant::now());
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_kept_is_taken_by_the_next_request_for_the_same_peer_alone() {
        let origin = Origin::new().await;
        let (stream, _other_end) = origin.connect().await;
        origin.upstreams.keep(&origin.peer, stream);
        let mut elsewhere = origin.peer.clone();
        elsewhere.group_key = 7;
        assert!(
            origin
                .upstreams
                .lock()
                .take(elsewhere.reuse_hash(), Instant::now())
                .is_none()
        );
        let (_stream, is_reused) = origin.upstreams.connect(&origin.peer).await.unwrap();
        assert!(is_reused && origin.waiting().is_none());
    }

    #[tokio::test]
    async fn one_that_the_origin_closed_or_spoke_on_is_let_go() {
        let origin = Origin::new().await;
        let (stream, other_end) = origin.connect().await;
        origin.upstreams.keep(&origin.peer, stream);
        drop(other_end);
        origin.until_unfit().await;
        let (stream, mut other_end) = origin.connect().await;
        origin.upstreams.keep(&origin.peer, stream);
        other_end.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        origin.until_unfit().await;
        assert!(origin.waiting().is_none());
    }

    #[tokio::test]
    async fn none_waits_longer_than_it_may() {
        let origin = Origin::new().await;
        let (stream, _other_end) = origin.connect().await;
        origin.upstreams.keep(&origin.peer, stream);
        let later = Instant::now() + Duration::from_secs(60);
        assert!(origin.upstreams.lock().take(origin.peer.reuse_hash(), later).is_none());
    }

    #[tokio::test]
    async fn more_than_the_limit_drives_out_the_oldest_of_the_same_peer() {
        let origin = Origin::new().await;
        origin.upstreams.lock().most = 3;
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(origin.connect().await);
        }
        let (streams, mut other_ends): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        for stream in streams {
            origin.upstreams.keep(&origin.peer, stream);
        }
        assert_eq!(origin.upstreams.lock().count, 3);
        assert_eq!(other_ends[0].read(&mut [0]).await.unwrap(), 0);
    }
}
