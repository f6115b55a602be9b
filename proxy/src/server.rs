//! A running proxy: its listeners, its threads, its end.
//!
//! Pingora's own server is not used: it cannot tell which port it got, and it waits out the whole grace
//! period even when nothing is left to wait for. Connections are accepted here, handed to worker threads
//! (each with a runtime and upstream connections of its own), and served there by Pingora's proxy.

mod connection;
mod control;
mod head;
mod listener;
mod signals;
mod stream;
mod worker;

use std::{net::SocketAddr, sync::mpsc as std_mpsc, thread};

pub(crate) use stream::ViewerStream;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::{
    config::{ConfigError, Settings},
    generation::SiteError,
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

/// How a server is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    /// No new connections; requests in flight are finished, within the configured time.
    Drain,
    /// At once.
    Stop,
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
    /// The starting thread ended without a word.
    #[error("start: the control thread is gone")]
    Gone,
}

impl From<SiteError> for StartError {
    fn from(SiteError { site, error }: SiteError) -> Self {
        Self::Origin { site, error }
    }
}

impl StartError {
    /// Whether the operator's settings are to blame, and not the state of the machine.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Configuration(_) | Self::Origin { .. })
    }
}

impl Server {
    /// Starts a server and returns when it accepts connections. Blocks until then; may be called from
    /// within an async runtime.
    ///
    /// # Errors
    /// Why it does not start. Nothing is left behind.
    pub fn start(settings: Settings) -> Result<Running, StartError> {
        let (ready, started) = std_mpsc::sync_channel(1);
        let (commands, received) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let thread = thread::Builder::new().name("portcullis".into()).spawn(move || {
            control::run(settings, &ready, received);
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

/// Runs a server until SIGTERM or SIGINT.
///
/// # Errors
/// Why it does not start.
pub(crate) fn run(settings: Settings) -> Result<(), StartError> {
    log::init(settings.log);
    let signals = signals::Signals::catch()?;
    let running = Server::start(settings)?;
    signals.wait(&running);
    Ok(())
}
