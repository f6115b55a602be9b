//! The running process's side: waits for one that takes over.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest},
    net::{UnixListener, UnixStream},
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

use super::{
    UpgradeError, message,
    place::{check_folder, check_occupant, is_own},
};
use crate::server::Command;

/// How long a new process may take to set everything up. It does not hold up anything meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for the next process as long as it lives.
#[derive(Debug)]
pub(in crate::server) struct Offer(AbortHandle);

impl Drop for Offer {
    fn drop(&mut self) {
        // The socket stays: if it is still ours nobody answers there, and the next process replaces it.
        self.0.abort();
    }
}

impl Offer {
    /// Listens at that path, in the place of whoever did so before.
    pub(in crate::server) fn make(
        socket: &Path,
        commands: mpsc::UnboundedSender<Command>,
        runtime: &Handle,
    ) -> Result<Self, UpgradeError> {
        check_folder(socket)?;
        check_occupant(socket)?;
        let listener = {
            let _entered = runtime.enter();
            listen(socket).map_err(UpgradeError::system("listen at upgrade.socket"))?
        };
        Ok(Self(runtime.spawn(wait(listener, commands)).abort_handle()))
    }
}

/// The path changes from the old socket to the new one in one step.
fn listen(socket: &Path) -> std::io::Result<UnixListener> {
    let mut fresh = PathBuf::from(socket).into_os_string();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    // Of a process of the same number that did not get further.
    let _ = fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    fs::rename(&fresh, socket)?;
    Ok(listener)
}

/// One at a time; what one of them does wrong ends its attempt and no more.
async fn wait(listener: UnixListener, commands: mpsc::UnboundedSender<Command>) {
    loop {
        match listener.accept().await {
            Ok((next, _)) => match hand_over(next, &commands).await {
                Ok(to) => {
                    // The control thread outlives this task.
                    let _ = commands.send(Command::HandedOver { to });
                    return;
                }
                Err(error) => {
                    tracing::warn!(target: "portcullis", %error, "an upgrade has failed, this process goes on");
                }
            },
            Err(error) => {
                tracing::warn!(target: "portcullis", %error, "the upgrade socket failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// The id of the process that has taken over.
async fn hand_over(mut next: UnixStream, commands: &mpsc::UnboundedSender<Command>) -> Result<u32, UpgradeError> {
    let peer = next
        .peer_cred()
        .map_err(UpgradeError::system("ask who wants to take over"))?;
    if !is_own(peer.uid()) {
        return Err(UpgradeError::Stranger);
    }
    let (asked, lent) = oneshot::channel();
    let _ = commands.send(Command::Lend(asked));
    let lent = lent
        .await
        .map_err(|_| UpgradeError::Protocol)?
        .map_err(UpgradeError::system("copy the listeners"))?;
    let sent = next
        .async_io(Interest::WRITABLE, || Ok(message::send(&next, &lent)))
        .await;
    sent.map_err(UpgradeError::system("send the listeners"))??;
    drop(lent);
    let mut word = [0; message::READY.len()];
    match timeout(PATIENCE, next.read_exact(&mut word)).await {
        Ok(Ok(_)) if word == *message::READY => {}
        _ => return Err(UpgradeError::Protocol),
    }
    next.write_all(message::YOURS)
        .await
        .map_err(UpgradeError::system("confirm the upgrade"))?;
    Ok(peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0))
}
