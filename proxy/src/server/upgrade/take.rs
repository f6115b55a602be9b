//! The new process's side: asks for the listeners, and says when it has them at work.

use std::{
    io::{Read as _, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::Path,
    time::Duration,
};

use rustix::net::sockopt::socket_peercred;

use super::{
    UpgradeError, message,
    place::{check_folder, is_own},
};
use crate::server::listeners::Bound;

/// Long enough for a process that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(10);

/// A takeover that has begun. Dropped before it is complete, it has never happened.
#[derive(Debug)]
pub(in crate::server) struct Takeover {
    old: UnixStream,
    listeners: Vec<Bound>,
}

impl Takeover {
    /// Asks the process at that socket for its listeners.
    pub(in crate::server) fn begin(socket: &Path) -> Result<Self, UpgradeError> {
        check_folder(socket)?;
        let old =
            UnixStream::connect(socket).map_err(UpgradeError::system("connect to the process to take over from"))?;
        let peer = socket_peercred(old.as_fd())
            .map_err(|error| UpgradeError::system("ask who listens at the upgrade socket")(error.into()))?;
        if !is_own(peer.uid.as_raw()) {
            return Err(UpgradeError::Stranger);
        }
        old.set_read_timeout(Some(PATIENCE))
            .and_then(|()| old.set_write_timeout(Some(PATIENCE)))
            .map_err(UpgradeError::system("limit the wait for the other process"))?;
        let listeners = message::receive(&old)?;
        Ok(Self { old, listeners })
    }

    /// The old process's listeners, nonblocking as they were there.
    pub(in crate::server) fn take_listeners(&mut self) -> Vec<Bound> {
        std::mem::take(&mut self.listeners)
    }

    /// Tells the old process to leave, which it confirms.
    pub(in crate::server) fn complete(mut self) -> Result<(), UpgradeError> {
        self.old
            .write_all(message::READY)
            .map_err(UpgradeError::system("tell the other process that this one is ready"))?;
        let mut answer = [0; message::YOURS.len()];
        match self.old.read_exact(&mut answer) {
            Ok(()) if answer == *message::YOURS => Ok(()),
            _ => Err(UpgradeError::Protocol),
        }
    }
}
