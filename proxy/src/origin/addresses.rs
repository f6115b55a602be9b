//! The addresses behind an origin's name, resolved in the background.
//!
//! Large stores change their addresses every few seconds, and Pingora connects to addresses only, so the
//! name is looked up again and again off the requests' path; the last good answer stays in force while a
//! look-up fails. `localhost` and `*.localhost` are loopback without asking anyone (RFC 6761, section 6.3).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    net::TcpStream,
    runtime::Handle,
    time::{sleep, timeout},
};

use super::task::Background;

const REFRESH: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(1);
const LOOKUP: Duration = Duration::from_secs(5);

/// How long an IPv4 attempt waits for IPv6 (RFC 8305, section 5), and how long either may take.
const HEAD_START: Duration = Duration::from_millis(250);
const CONNECT: Duration = Duration::from_secs(2);

/// The addresses of one host and port. Requests take them in turn.
#[derive(Debug)]
pub(crate) struct Addresses {
    current: Arc<ArcSwap<Vec<SocketAddr>>>,
    turn: AtomicUsize,
    _refresh: Option<Background>,
}

impl Addresses {
    /// Looks the name up once and goes on doing so on `runtime`. A name that does not resolve yet is no error.
    pub(crate) async fn resolve(host: &str, port: u16, runtime: &Handle) -> Self {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Self::fixed(vec![SocketAddr::new(address, port)]);
        }
        let host: Arc<str> = host.into();
        let current = Arc::new(ArcSwap::from_pointee(lookup(&host, port).await));
        let refresh = Background::spawn(runtime, keep_fresh(Arc::clone(&current), host, port));
        Self {
            current,
            turn: AtomicUsize::new(0),
            _refresh: Some(refresh),
        }
    }

    fn fixed(addresses: Vec<SocketAddr>) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(addresses)),
            turn: AtomicUsize::new(0),
            _refresh: None,
        }
    }

    /// The next address in turn, if the name has ever been resolved.
    pub(crate) fn next(&self) -> Option<SocketAddr> {
        let addresses = self.current.load();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        addresses.get(turn.checked_rem(addresses.len())?).copied()
    }
}

async fn keep_fresh(current: Arc<ArcSwap<Vec<SocketAddr>>>, host: Arc<str>, port: u16) {
    loop {
        sleep(if current.load().is_empty() { RETRY } else { REFRESH }).await;
        let found = lookup(&host, port).await;
        if !found.is_empty() {
            current.store(Arc::new(found));
        }
    }
}

async fn lookup(host: &str, port: u16) -> Vec<SocketAddr> {
    if is_localhost(host) {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return reachable_family(loopback.map(|address| SocketAddr::new(address, port)).to_vec()).await;
    }
    match timeout(LOOKUP, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => reachable_family(found.collect()).await,
        Ok(Err(error)) => {
            tracing::warn!(host, %error, "origin's name does not resolve");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(host, "resolver does not answer");
            Vec::new()
        }
    }
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Where a name has addresses of both families, those of the family that answers first; all while none does.
async fn reachable_family(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = |v6: bool| addresses.iter().copied().find(|address| address.is_ipv6() == v6);
    let (Some(v6), Some(v4)) = (first(true), first(false)) else {
        return addresses;
    };
    let attempt_v6 = timeout(CONNECT, TcpStream::connect(v6));
    let attempt_v4 = async {
        sleep(HEAD_START).await;
        timeout(CONNECT, TcpStream::connect(v4)).await
    };
    let answers_v6 = tokio::select! {
        Ok(Ok(_)) = attempt_v6 => true,
        Ok(Ok(_)) = attempt_v4 => false,
        else => return addresses,
    };
    addresses
        .into_iter()
        .filter(|address| address.is_ipv6() == answers_v6)
        .collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_needs_no_lookup() {
        let addresses = Addresses::resolve("192.0.2.1", 81, &Handle::current()).await;
        assert_eq!(addresses.next(), Some("192.0.2.1:81".parse().unwrap()));
        assert!(addresses._refresh.is_none());
        let addresses = Addresses::resolve("2001:db8::1", 81, &Handle::current()).await;
        assert_eq!(addresses.next(), Some("[2001:db8::1]:81".parse().unwrap()));
    }

    #[tokio::test]
    async fn localhost_and_its_subdomains_are_the_loopback_address_that_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = listener.local_addr().unwrap();
        for host in ["localhost", "store.localhost", "LOCALHOST."] {
            let addresses = Addresses::resolve(host, local.port(), &Handle::current()).await;
            for _ in 0..3 {
                assert_eq!(addresses.next(), Some(local), "{host}");
            }
        }
    }

    #[test]
    fn other_names_are_not_taken_for_localhost() {
        assert!(!is_localhost("localhost.example.com"));
        assert!(!is_localhost("notlocalhost"));
    }

    #[test]
    fn addresses_are_taken_in_turn() {
        let both: Vec<SocketAddr> = vec!["192.0.2.1:1".parse().unwrap(), "192.0.2.2:1".parse().unwrap()];
        let addresses = Addresses::fixed(both.clone());
        assert_eq!(
            [addresses.next(), addresses.next(), addresses.next()],
            [Some(both[0]), Some(both[1]), Some(both[0])]
        );
    }

    #[test]
    fn a_name_that_never_resolved_has_no_address() {
        assert_eq!(Addresses::fixed(Vec::new()).next(), None);
    }
}
