//! The servers of one origin: asked in turn, left out for a while after a connection to one has failed, and for as
//! long as its health check fails. When none is left, all are asked as before: an origin that may be down is
//! better than one that is surely refused.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::HeaderValue;
use pingora::upstreams::peer::HttpPeer;
use prometheus::IntGauge;

use crate::origin::{OriginError, peer::Upstream};

/// How long a server is left out after a connection to it has failed.
const LEFT_OUT: Duration = Duration::from_secs(10);

/// One server and how it is.
#[derive(Debug)]
pub(super) struct Server {
    /// Its Host header.
    pub(super) host: HeaderValue,
    /// Where it is.
    pub(super) upstream: Upstream,
    /// Milliseconds since the servers' beginning until which it is left out. 0: it is not.
    left_out_until: AtomicU64,
    fails_check: AtomicBool,
}

impl Server {
    pub(super) const fn new(host: HeaderValue, upstream: Upstream) -> Self {
        Self {
            host,
            upstream,
            left_out_until: AtomicU64::new(0),
            fails_check: AtomicBool::new(false),
        }
    }

    fn is_fit(&self, now: u64) -> bool {
        !self.fails_check.load(Ordering::Relaxed) && self.left_out_until.load(Ordering::Relaxed) <= now
    }
}

/// All servers of one origin, at least one.
#[derive(Debug)]
pub(super) struct Servers {
    all: Vec<Server>,
    turn: AtomicUsize,
    beginning: Instant,
    fit: OnceLock<IntGauge>,
}

impl Servers {
    pub(super) fn new(all: Vec<Server>) -> Self {
        Self {
            all,
            turn: AtomicUsize::new(0),
            beginning: Instant::now(),
            fit: OnceLock::new(),
        }
    }

    pub(super) fn all(&self) -> &[Server] {
        &self.all
    }

    /// Shows from now on how many are fit.
    pub(super) fn show(&self, gauge: IntGauge) {
        // There is one gauge for an origin.
        let _ = self.fit.set(gauge);
        self.count();
    }

    /// The next one that is fit, and a peer to connect to.
    pub(super) fn next(&self) -> Result<(&Server, Box<HttpPeer>), OriginError> {
        if let [only] = self.all.as_slice() {
            return Ok((only, only.upstream.peer()?));
        }
        let now = self.now();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = || (0..self.all.len()).filter_map(|step| self.all.get(first.wrapping_add(step) % self.all.len()));
        let fit = in_turn().filter(|server| server.is_fit(now)).chain(in_turn());
        let mut peers = fit.map(|server| Ok((server, server.upstream.peer()?)));
        // A name that does not resolve is as good as a server that is down.
        peers.find(Result::is_ok).unwrap_or(Err(OriginError::Unresolved))
    }

    /// A connection has failed.
    pub(super) fn failed(&self, peer: &HttpPeer) {
        if self.all.len() < 2 {
            return;
        }
        if let Some(server) = self.of(peer) {
            let until = self.now().saturating_add(LEFT_OUT.as_millis() as u64);
            server.left_out_until.store(until, Ordering::Relaxed);
            self.count();
        }
    }

    /// A connection has been made.
    pub(super) fn succeeded(&self, peer: &HttpPeer) {
        if self.all.len() < 2 {
            return;
        }
        if let Some(server) = self.of(peer)
            && server.left_out_until.swap(0, Ordering::Relaxed) != 0
        {
            self.count();
        }
    }

    /// What a health check has found.
    pub(super) fn checked(&self, server: &Server, health: Health) {
        let fails = health == Health::Failing;
        if server.fails_check.swap(fails, Ordering::Relaxed) != fails {
            self.count();
        }
    }

    /// Every server has a pool of its own, which tells them apart.
    fn of(&self, peer: &HttpPeer) -> Option<&Server> {
        self.all.iter().find(|server| server.upstream.pool() == peer.group_key)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.beginning.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn count(&self) {
        let Some(gauge) = self.fit.get() else { return };
        let now = self.now();
        let fit = self.all.iter().filter(|server| server.is_fit(now)).count();
        gauge.set(i64::try_from(fit).unwrap_or(i64::MAX));
    }
}

/// What a health check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// The server answers.
    Passing,
    /// It does not, or with an error.
    Failing,
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::{config::OriginTimeouts, origin::peer::Encryption};

    async fn servers(count: u16) -> Servers {
        let runtime = Handle::current();
        let mut all = Vec::new();
        for port in 1..=count {
            let address = ("192.0.2.1", port);
            let upstream = Upstream::connect(address, Encryption::Plain, OriginTimeouts::default(), &runtime);
            all.push(Server::new(HeaderValue::from(port), upstream.await.unwrap()));
        }
        Servers::new(all)
    }

    fn asked(servers: &Servers, times: usize) -> Vec<String> {
        let next = || servers.next().unwrap().0.host.to_str().unwrap().to_owned();
        (0..times).map(|_| next()).collect()
    }

    #[tokio::test]
    async fn servers_are_asked_in_turn() {
        assert_eq!(asked(&servers(3).await, 5), ["1", "2", "3", "1", "2"]);
    }

    #[tokio::test]
    async fn a_server_that_failed_is_left_out_until_a_connection_succeeds() {
        let servers = servers(3).await;
        let gauge = IntGauge::new("fit", "fit").unwrap();
        servers.show(gauge.clone());
        let (_, first) = servers.next().unwrap();
        servers.failed(&first);
        assert_eq!(gauge.get(), 2);
        assert!(!asked(&servers, 6).contains(&"1".to_owned()));
        servers.succeeded(&first);
        assert_eq!(gauge.get(), 3);
        assert!(asked(&servers, 3).contains(&"1".to_owned()));
    }

    #[tokio::test]
    async fn a_server_that_fails_its_check_is_left_out_until_it_passes() {
        let servers = servers(2).await;
        servers.checked(&servers.all()[0], Health::Failing);
        assert_eq!(asked(&servers, 3), ["2", "2", "2"]);
        servers.checked(&servers.all()[0], Health::Passing);
        assert!(asked(&servers, 2).contains(&"1".to_owned()));
    }

    #[tokio::test]
    async fn when_none_is_fit_all_are_asked() {
        let servers = servers(2).await;
        for server in servers.all() {
            servers.checked(server, Health::Failing);
        }
        let mut asked = asked(&servers, 2);
        asked.sort();
        assert_eq!(asked, ["1", "2"]);
    }

    #[tokio::test]
    async fn a_single_server_is_never_left_out() {
        let servers = servers(1).await;
        let (_, only) = servers.next().unwrap();
        servers.failed(&only);
        assert_eq!(asked(&servers, 2), ["1", "1"]);
    }
}
