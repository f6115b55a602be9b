//! What is known of a viewer's connection while its requests are served, from whichever of them.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use pingora::{
    http::ResponseHeader,
    protocols::{Ssl, raw_connect::ProxyDigest},
    proxy::Session,
};
use tokio::{net::TcpStream, sync::watch};

use crate::upstreams::Pipe;

use super::copy_in_use::CopyAtHand;

/// A viewer's connection. Pingora has a place for such a thing beside each stream, meant for the answer of
/// a CONNECT proxy, which viewers do not come through.
#[derive(Debug)]
pub(crate) struct ViewerConnection {
    requests: AtomicU32,
    /// What the TLS handshake asked for, in lower case.
    server_name: OnceLock<String>,
    /// Milliseconds; 0: no end.
    age: AtomicU64,
    retire: watch::Sender<bool>,
    lent: Mutex<Option<Pipe>>,
    /// What its stream need not copy.
    pub(super) copy: CopyAtHand,
}

impl ViewerConnection {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicU32::new(0),
            server_name: OnceLock::new(),
            age: AtomicU64::new(0),
            retire: watch::Sender::new(false),
            lent: Mutex::default(),
            copy: CopyAtHand::default(),
        })
    }

    /// Takes the server's name from a handshake that is done (RFC 6066, section 3).
    pub(super) fn take_name(&self, handshake: &impl Ssl) {
        let name = handshake.get_ssl().and_then(|ssl| ssl.server_name());
        if let Some(name) = name.map(str::to_ascii_lowercase) {
            // A connection has one handshake.
            let _ = self.server_name.set(name);
        }
    }

    /// The server that the viewer's handshake named; `None` on plain connections, and where it named none.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.server_name.get().map(String::as_str)
    }

    /// For the stream, made once.
    pub(super) fn digest(self: &Arc<Self>) -> Option<Arc<ProxyDigest>> {
        let unused = ResponseHeader::build(200, None).ok()?;
        Some(Arc::new(ProxyDigest::new(
            Box::new(unused),
            Some(Box::new(Arc::clone(self))),
        )))
    }

    /// The connection that a request came in on.
    pub(crate) fn of(session: &Session) -> Option<&Self> {
        let data = session.digest()?.proxy_digest.as_ref()?.user_data.as_ref()?;
        data.downcast_ref::<Arc<Self>>().map(AsRef::as_ref)
    }

    /// The same from a stream's digest.
    pub(crate) fn in_digest(digest: Option<&Arc<ProxyDigest>>) -> Option<Arc<Self>> {
        digest?.user_data.as_ref()?.downcast_ref::<Arc<Self>>().cloned()
    }

    /// Counts a request; with the last one that is allowed, the viewer is told to take another connection.
    pub(crate) fn count(&self, most: u32) {
        if self.requests.fetch_add(1, Ordering::Relaxed) + 1 == most {
            let _ = self.retire.send(true);
        }
    }

    /// `true`: no further request.
    pub(super) fn retired(&self) -> watch::Receiver<bool> {
        self.retire.subscribe()
    }

    /// Retires the connection.
    pub(super) fn retire(&self) {
        let _ = self.retire.send(true);
    }

    /// From now on the connection is no older than that when it is cut off.
    pub(crate) fn limit_age(&self, age: Duration) {
        let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX).max(1);
        self.age.store(millis, Ordering::Relaxed);
    }

    pub(super) fn age(&self) -> Option<Duration> {
        match self.age.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }

    /// Until it is taken back, what is written comes out of this pipe, whatever the writer believes to write.
    /// Plain connections only.
    pub(crate) fn lend(&self, pipe: Pipe) {
        *self.lent() = Some(pipe);
    }

    /// Takes the pipe back.
    pub(crate) fn take_back(&self) -> Option<Pipe> {
        self.lent().take()
    }

    pub(super) fn has_pipe(&self) -> bool {
        self.lent().is_some()
    }

    /// Writes up to so many bytes from the pipe that is lent.
    pub(super) fn empty_pipe(&self, into: &TcpStream, most: usize) -> io::Result<usize> {
        match self.lent().as_mut() {
            Some(pipe) => pipe.empty(into, most),
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn lent(&self) -> MutexGuard<'_, Option<Pipe>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
