//! Starting, steering and stopping a provider.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::grants::Grants;
use crate::keys::{KeyRing, OldKeys};
use crate::mint::{MintError, TokenSet};
use crate::recorder::Recorder;
use crate::settings::Settings;
use crate::tamper::Overrides;
use crate::{listener, routes};

/// Everything the endpoints share.
#[derive(Debug)]
pub(crate) struct Idp {
    pub(crate) settings: Settings,
    pub(crate) addr: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    pub(crate) grants: Grants,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
}

/// Why a provider did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Two clients of one id.
    #[error("client {0:?} is configured twice")]
    DuplicateClient(String),
    /// Two users of one name.
    #[error("user {0:?} is configured twice")]
    DuplicateUser(String),
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A built-in test key does not parse.
    #[error("built-in test key is damaged: {0}")]
    Key(ring::error::KeyRejected),
}

/// The provider, not yet running.
#[derive(Debug)]
pub struct DevIdp;

impl DevIdp {
    /// Listens, and serves on the current Tokio runtime until the returned value is shut down or dropped.
    ///
    /// # Errors
    /// If the settings contradict themselves or the address cannot be listened on.
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        check_unique(settings.clients.iter().map(|client| &client.id)).map_err(StartError::DuplicateClient)?;
        check_unique(settings.users.iter().map(|user| &user.username)).map_err(StartError::DuplicateUser)?;
        let failed = |source| StartError::Listen {
            addr: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let idp = Arc::new(Idp {
            addr: listener.local_addr().map_err(failed)?,
            clock: Clock::new(settings.clock_offset_seconds),
            keys: KeyRing::built_in().map_err(StartError::Key)?,
            grants: Grants::default(),
            faults: Faults::default(),
            recorder: Recorder::new(),
            settings,
        });
        let stop = watch::Sender::new(());
        let serving = tokio::spawn(listener::serve(listener, routes::router(idp.clone()), stop.subscribe()));
        Ok(Running { idp, stop, serving })
    }
}

fn check_unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(twice.clone()),
        None => Ok(()),
    }
}

/// A running provider; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    idp: Arc<Idp>,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.idp.addr
    }

    /// `http://{addr}`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.idp.addr)
    }

    /// The `iss` of its tokens; a name only, nothing listens there.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.idp.settings.issuer()
    }

    /// Where its key set really is.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}/{}/.well-known/jwks.json", self.url(), self.idp.settings.pool_id)
    }

    /// Its key set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.idp.keys.jwks()
    }

    /// Signs with new keys from now on.
    pub fn rotate_keys(&self, old_keys: OldKeys) {
        self.idp.keys.rotate(old_keys);
    }

    /// Moves its clock, relative to the machine's.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.idp.clock.set_offset(seconds);
    }

    /// The faults to answer with.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.idp.faults
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> &Recorder {
        &self.idp.recorder
    }

    /// An id token for a user of the first client, as changed by `overrides`.
    ///
    /// # Errors
    /// If there is no such user or no client.
    pub fn mint_id_token(&self, username: &str, overrides: &Overrides) -> Result<String, MintError> {
        let client = self.idp.settings.clients.first().map_or("", |client| &client.id);
        Ok(self.mint_session(username, client, overrides)?.id_token)
    }

    /// A session of a client as a sign-in would give it; `overrides` change its id token.
    ///
    /// # Errors
    /// If there is no such user or client.
    pub fn mint_session(&self, username: &str, client_id: &str, overrides: &Overrides) -> Result<TokenSet, MintError> {
        self.idp.mint_session(username, client_id, overrides)
    }

    /// Closes the listener, lets requests finish for a moment, and returns once nothing is left.
    pub async fn shutdown(self) {
        self.stop.send_replace(());
        self.serving.await.ok();
    }
}
