//! One process takes over from another without a moment in which nobody listens.
//!
//! The running process waits at a private socket. The next one asks there for the listening sockets, sets
//! everything up, accepts from them, and only then says that it is ready; the old one stops accepting and
//! finishes what it has begun. If the next one fails on the way, its connection ends, and the old one goes
//! on as if nothing had happened. Both ends insist that the other one runs as the same user, or as root.

mod message;
mod offer;
mod place;
mod take;

use std::path::PathBuf;

use thiserror::Error;

pub(super) use offer::Offer;
pub(super) use take::Takeover;

/// Why one process does not take over from another, or does not let itself be taken over from.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// `--upgrade` without `upgrade.socket`.
    #[error("--upgrade needs upgrade.socket in the configuration")]
    NoSocket,
    /// The folder is not private enough.
    #[error("the folder of {} must belong to the user that runs this or to root, and nobody else may write to it", .0.display())]
    Exposed(PathBuf),
    /// There is something else than a socket.
    #[error("{} is there and is no socket", .0.display())]
    NoSocketThere(PathBuf),
    /// The other end runs as somebody else.
    #[error("the other end of the upgrade socket runs as another user")]
    Stranger,
    /// The other end says something else than it should, or nothing in time.
    #[error("the other process does not answer as it should")]
    Protocol,
    /// More listeners than one message carries.
    #[error("too many listeners to hand over")]
    TooMany,
    /// The system refuses.
    #[error("{what}: {error}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
}

impl UpgradeError {
    fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}
