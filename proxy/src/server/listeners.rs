//! Every socket that the server listens on, each known by what the configuration says of it, so that a
//! reload keeps those that stay and a successor process is lent all of them.

use std::{net::SocketAddr, os::fd::OwnedFd, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::AbortHandle};

use super::{StartError, listener};
use crate::config::Settings;

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Plain HTTP with viewers.
    Http,
    /// TLS with viewers.
    Https,
    /// Plain HTTP with operators.
    Admin,
}

/// A place to listen at, as configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Port {
    pub(super) kind: Kind,
    /// Its port may be 0: any free one.
    pub(super) configured: SocketAddr,
}

/// A socket that listens and is not accepted from yet.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) port: Port,
    pub(super) socket: std::net::TcpListener,
}

/// A listener at work.
#[derive(Debug)]
struct Open {
    port: Port,
    address: SocketAddr,
    socket: Arc<TcpListener>,
    accepting: AbortHandle,
}

/// All listeners at work.
#[derive(Debug, Default)]
pub(super) struct Listeners(Vec<Open>);

/// The ports of a configuration.
pub(super) fn ports(settings: &Settings) -> Vec<Port> {
    let of = |kind: Kind, addresses: &[SocketAddr]| {
        let ports = addresses.iter().map(move |&configured| Port { kind, configured });
        ports.collect::<Vec<_>>()
    };
    let mut ports = of(Kind::Http, &settings.listen.http);
    ports.extend(of(Kind::Https, &settings.listen.https));
    ports.extend(of(Kind::Admin, settings.admin.as_slice()));
    ports
}

/// Takes the ports, from what has been lent where it is there.
pub(super) fn bind(ports: &[Port], mut lent: Vec<Bound>) -> Result<Vec<Bound>, StartError> {
    let mut take = |port: Port| match lent.iter().position(|bound| bound.port == port) {
        Some(at) => Ok(lent.swap_remove(at)),
        None => listener::bind(port.configured).map(|socket| Bound { port, socket }),
    };
    ports.iter().map(|&port| take(port)).collect()
}

impl Listeners {
    /// Begins to accept. To be called within the runtime that accepts; `accept` is what goes on there.
    pub(super) fn open<A>(&mut self, bound: Bound, accept: impl FnOnce(Arc<TcpListener>) -> A) -> std::io::Result<()>
    where
        A: Future<Output = ()> + Send + 'static,
    {
        let Bound { port, socket } = bound;
        let address = socket.local_addr()?;
        let socket = Arc::new(TcpListener::from_std(socket)?);
        let accepting = tokio::spawn(accept(Arc::clone(&socket))).abort_handle();
        self.0.push(Open {
            port,
            address,
            socket,
            accepting,
        });
        Ok(())
    }

    /// Those of `wanted` that are not open.
    pub(super) fn missing(&self, wanted: &[Port]) -> Vec<Port> {
        let mut spare: Vec<Port> = self.0.iter().map(|open| open.port).collect();
        let mut missing = wanted.to_vec();
        // Port 0 may be wanted several times; each one counts.
        missing.retain(|port| match spare.iter().position(|other| other == port) {
            Some(at) => {
                spare.swap_remove(at);
                false
            }
            None => true,
        });
        missing
    }

    /// Closes whatever is not wanted any more.
    pub(super) fn keep(&mut self, wanted: &[Port]) {
        let mut wanted = wanted.to_vec();
        self.close(|port| match wanted.iter().position(|other| *other == port) {
            Some(at) => {
                wanted.swap_remove(at);
                false
            }
            None => true,
        });
    }

    /// Closes some: nothing more is accepted there, what has been accepted goes on.
    pub(super) fn close(&mut self, mut which: impl FnMut(Port) -> bool) {
        self.0.retain(|open| {
            let closed = which(open.port);
            if closed {
                open.accepting.abort();
            }
            !closed
        });
    }

    /// The addresses that were really taken.
    pub(super) fn addresses(&self, kind: Kind) -> Vec<SocketAddr> {
        let open = self.0.iter().filter(|open| open.port.kind == kind);
        open.map(|open| open.address).collect()
    }

    /// A descriptor of each for another process.
    pub(super) fn lend(&self) -> std::io::Result<Vec<(Port, OwnedFd)>> {
        use std::os::fd::AsFd as _;

        let lend = |open: &Open| Ok((open.port, open.socket.as_fd().try_clone_to_owned()?));
        self.0.iter().map(lend).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(kind: Kind, configured: &str) -> Port {
        Port {
            kind,
            configured: configured.parse().unwrap(),
        }
    }

    fn open(ports: &[Port]) -> Listeners {
        let mut listeners = Listeners::default();
        for bound in bind(ports, Vec::new()).unwrap() {
            listeners.open(bound, |_| std::future::pending()).unwrap();
        }
        listeners
    }

    #[tokio::test]
    async fn a_change_touches_only_the_listeners_that_differ() {
        let any = port(Kind::Http, "127.0.0.1:0");
        let other = port(Kind::Http, "127.0.0.2:0");
        let admin = port(Kind::Admin, "127.0.0.1:0");
        let mut listeners = open(&[any, any, admin]);
        let before = listeners.addresses(Kind::Http);
        assert_eq!(listeners.missing(&[any, other, admin]), [other]);
        assert_eq!(listeners.missing(&[any, any, any]), [any]);
        listeners.keep(&[any, other]);
        assert_eq!(listeners.addresses(Kind::Http), before[..1]);
        assert!(listeners.addresses(Kind::Admin).is_empty());
    }

    #[tokio::test]
    async fn what_is_lent_is_taken_and_only_the_rest_is_bound() {
        let ports = [port(Kind::Http, "127.0.0.1:0"), port(Kind::Https, "127.0.0.1:0")];
        let listeners = open(&ports);
        let lent = listeners.lend().unwrap().into_iter().map(|(port, socket)| Bound {
            port,
            socket: socket.into(),
        });
        let admin = port(Kind::Admin, "127.0.0.1:0");
        let bound = bind(&[ports[1], admin], lent.collect()).unwrap();
        assert_eq!(
            bound[0].socket.local_addr().unwrap(),
            listeners.addresses(Kind::Https)[0]
        );
        assert_eq!(bound[1].port, admin);
    }
}
