//! A running proxy: its listeners, its threads, its end.
//!
//! Pingora's own server is not used: it cannot tell which port it got, and it waits out the whole grace
//! period even when nothing is left to wait for. Connections are accepted here, handed to worker threads
//! (each with a runtime and upstream connections of its own), and served there by Pingora's proxy.

mod announced;
mod close;
mod connection;
mod control;
mod copy_in_use;
mod corked;
mod direct;
mod engine;
mod head;
mod in_turn;
mod listener;
mod listeners;
mod notify;
mod reload;
mod stall;
mod stream;
mod successor;
mod supervisor;
mod upgrade;
mod viewer;
mod watched;
mod worker;

use std::{net::SocketAddr, os::fd::OwnedFd, sync::mpsc as std_mpsc, thread};

use auth_driver::Clock;
pub(crate) use copy_in_use::CopyInUse;
pub(crate) use in_turn::{InTurn, LinesToAdd};
pub use reload::ReloadError;
use rustls::pki_types::CertificateDer;
pub(crate) use stream::ViewerStream;
pub(crate) use supervisor::Load;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
pub use upgrade::UpgradeError;
pub(crate) use viewer::ViewerConnection;

use crate::{
    config::{ConfigError, Settings},
    discovery::{DiscoveryError, SiteDiscoveryError},
    generation::{BuildError, SiteError},
    log,
    origin::OriginSetupError,
};

/// Starts servers.
#[derive(Clone, Copy, Debug)]
pub struct Server;

/// A server that is running. Dropping it stops the server at once.
#[derive(Debug)]
pub struct Running {
    /// Where plain HTTP is served, with the ports that were really taken.
    pub http_addrs: Vec<SocketAddr>,
    /// Where HTTPS is served.
    pub https_addrs: Vec<SocketAddr>,
    /// Where operators connect.
    pub admin_addr: Option<SocketAddr>,
    commands: mpsc::UnboundedSender<Command>,
    stopped: watch::Receiver<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What a server takes from the system unless it is given something else, as where recorded requests are
/// answered again.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The time that decisions go by.
    pub clock: Clock,
    /// Who vouches for identity providers; `None`: whom the system trusts.
    pub provider_roots: Option<Vec<CertificateDer<'static>>>,
}

/// What a server is told to do.
#[derive(Debug)]
enum Command {
    /// No new connections; requests in flight are finished, within the configured time.
    Drain,
    /// End at once.
    Stop,
    /// Put this configuration in force, and say whether it is.
    Reload(
        Result<Box<Settings>, ConfigError>,
        oneshot::Sender<Result<(), ReloadError>>,
    ),
    /// Begin a new file of the access log.
    ReopenLogs,
    /// Load the certificates in force again.
    RenewCertificates,
    /// Give another process the listeners.
    Lend(oneshot::Sender<std::io::Result<Vec<(listeners::Port, OwnedFd)>>>),
    /// Another process accepts from the listeners: finish what has been begun.
    HandedOver {
        /// Its id.
        to: u32,
    },
}

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration is wrong in a way that shows only now.
    #[error("{0}")]
    Configuration(#[from] ConfigError),
    /// A site's origin cannot be set up.
    #[error("set up the origin of {site}: {error}")]
    Origin {
        /// The site's name.
        site: String,
        /// What is wrong.
        error: OriginSetupError,
    },
    /// A site's identity provider does not say where its endpoints are.
    #[error("find out about the identity provider of {site}: {error}")]
    Provider {
        /// The site's name.
        site: String,
        /// What is wrong.
        error: DiscoveryError,
    },
    /// An address cannot be listened on.
    #[error("listen on {address}: {error}")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The client for identity providers cannot be made.
    #[error("set up the client for identity providers: {0}")]
    Client(#[from] auth_driver::TlsError),
    /// The system gives no threads or runtimes.
    #[error("start threads: {0}")]
    Threads(#[from] std::io::Error),
    /// Metrics cannot be registered.
    #[error("register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Another process cannot be taken over from, or will not be able to take over.
    #[error("upgrade: {0}")]
    Upgrade(#[from] UpgradeError),
    /// The starting thread ended without a word.
    #[error("start: the control thread is gone")]
    Gone,
}

impl From<BuildError> for StartError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Site(SiteError { site, error }) => Self::Origin { site, error },
            BuildError::Provider(SiteDiscoveryError { site, error, .. }) => Self::Provider { site, error },
        }
    }
}

impl StartError {
    /// Whether the operator's settings are to blame, and not the state of the machine.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Configuration(_)
            | Self::Origin { .. }
            | Self::Upgrade(UpgradeError::NoSocket | UpgradeError::Exposed(_) | UpgradeError::NoSocketThere(_)) => true,
            Self::Provider { error, .. } => error.is_configuration(),
            _ => false,
        }
    }
}

impl Server {
    /// Starts a server and returns when it accepts connections. Blocks until then; may be called from
    /// within an async runtime.
    ///
    /// # Errors
    /// Why it does not start. Nothing is left behind.
    pub fn start(settings: Settings) -> Result<Running, StartError> {
        Self::start_in(settings, Surroundings::default())
    }

    /// The same with another clock or other authorities than the system's.
    ///
    /// # Errors
    /// Why it does not start. Nothing is left behind.
    pub fn start_in(settings: Settings, surroundings: Surroundings) -> Result<Running, StartError> {
        Self::start_with(settings, surroundings, None)
    }

    fn start_with(
        settings: Settings,
        surroundings: Surroundings,
        takeover: Option<upgrade::Takeover>,
    ) -> Result<Running, StartError> {
        let (ready, started) = std_mpsc::sync_channel(1);
        let (commands, received) = mpsc::unbounded_channel();
        let start = control::Start {
            settings,
            surroundings,
            takeover,
            commands: commands.clone(),
        };
        let (stop, stopped) = watch::channel(false);
        let thread = thread::Builder::new().name("portcullis".into()).spawn(move || {
            control::run(start, &ready, received);
            // Whoever waits for the end has gone if this fails.
            let _ = stop.send(true);
        })?;
        let addresses = started.recv().map_err(|_| StartError::Gone)??;
        Ok(Running {
            http_addrs: addresses.http,
            https_addrs: addresses.https,
            admin_addr: addresses.admin,
            commands,
            stopped,
            thread: Some(thread),
        })
    }
}

impl Running {
    /// Begins to end: no new connections, requests in flight are finished. Returns at once.
    pub fn drain(&self) {
        // If nobody listens it has ended already.
        let _ = self.commands.send(Command::Drain);
    }

    /// Ends without waiting for requests. Returns at once.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
    }

    /// Puts another configuration in force, without dropping a request. One that cannot be put in force
    /// leaves the one before as it is.
    ///
    /// # Errors
    /// Why it is not in force. That has been logged and counted.
    pub async fn reload(&self, settings: Result<Settings, ConfigError>) -> Result<(), ReloadError> {
        let (asked, answer) = oneshot::channel();
        let _ = self.commands.send(Command::Reload(settings.map(Box::new), asked));
        answer.await.unwrap_or(Err(ReloadError::Superseded))
    }

    /// Begins a new file of the access log, where the old one has been moved away. Returns at once.
    pub fn reopen_logs(&self) {
        let _ = self.commands.send(Command::ReopenLogs);
    }

    /// Loads the certificates of the configuration in force again. Returns at once.
    pub fn renew_certificates(&self) {
        let _ = self.commands.send(Command::RenewCertificates);
    }

    /// Waits for the end, whoever asked for it.
    pub async fn stopped(&self) {
        // An error means that the sender is gone, which is the end as well.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// Drains and waits for the end. Blocks.
    pub fn shutdown(mut self) {
        self.drain();
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported on standard error by then.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop();
            self.join();
        }
    }
}

/// Whether to begin anew or to take over from a process that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Nobody else serves.
    Anew,
    /// The listeners come from the process at `upgrade.socket`.
    Upgrade,
}

/// Runs a server until a signal or a successor ends it.
///
/// # Errors
/// Why it does not start.
pub(crate) fn run(settings: Settings, load: &Load, beginning: Beginning) -> Result<(), StartError> {
    log::init(settings.log);
    let takeover = match (beginning, &settings.upgrade.socket) {
        (Beginning::Anew, _) => None,
        (Beginning::Upgrade, Some(socket)) => Some(upgrade::Takeover::begin(socket)?),
        (Beginning::Upgrade, None) => return Err(UpgradeError::NoSocket.into()),
    };
    supervisor::run(settings, load, takeover)
}
