//! Why a demo does not start.

use std::{io, net::SocketAddr};

use thiserror::Error;

use super::{Arguments, store::StoreError};
use crate::{config::ConfigError, server::StartError};

/// Why a demo does not start.
#[derive(Debug, Error)]
pub enum DemoError {
    /// Something else listens there.
    #[error("port {} is taken: stop what listens there, or choose another with {flag} {}:PORT (0: any free one)", address.port(), address.ip())]
    Taken {
        /// The option to change.
        flag: &'static str,
        /// The address as asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({flag}): {source}")]
    Listen {
        /// The option to change.
        flag: &'static str,
        /// The address as asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The address is one that others could reach.
    #[error("{flag} {address} is not on this machine alone: use 127.0.0.1, or 0.0.0.0 within a container")]
    NotLocal {
        /// The option to change.
        flag: &'static str,
        /// The address as asked for.
        address: SocketAddr,
    },
    /// The identity provider.
    #[error("identity provider: {0}")]
    Provider(dev_idp::StartError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The configuration made up for the proxy; a fault of ours.
    #[error("configuration of the demo: {0}")]
    Configuration(#[from] ConfigError),
    /// A temporary file.
    #[error("temporary file: {0}")]
    Temporary(#[source] io::Error),
    /// The proxy.
    #[error("{0}")]
    Server(StartError),
    /// It started and yet does not answer as it should.
    #[error("{what} does not answer as expected: {found}")]
    Unready {
        /// The part and what was asked.
        what: &'static str,
        /// What came instead.
        found: String,
    },
    /// The system gives no threads, signals or random bytes.
    #[error("system: {0}")]
    Threads(#[source] io::Error),
    /// Nobody can read the announcement.
    #[error("write to standard output: {0}")]
    Unheard(#[source] io::Error),
    /// Stopped meanwhile.
    #[error("interrupted")]
    Interrupted,
}

impl DemoError {
    pub(super) fn of_provider(error: dev_idp::StartError, arguments: &Arguments) -> Self {
        match error {
            dev_idp::StartError::Listen { addr, source } => Self::of_listener(addr, source, arguments),
            other => Self::Provider(other),
        }
    }

    pub(super) fn of_server(error: StartError, arguments: &Arguments) -> Self {
        match error {
            StartError::Listen { address, error } => Self::of_listener(address, error, arguments),
            other => Self::Server(other),
        }
    }

    fn of_listener(address: SocketAddr, source: io::Error, arguments: &Arguments) -> Self {
        let flag = arguments.flag_of(address);
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { flag, address },
            _ => Self::Listen { flag, address, source },
        }
    }
}
