//! SIGTERM drains, SIGINT stops at once; a second signal of either kind stops at once, too.

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use super::Running;

/// Waits until the server has ended because of a signal.
pub(super) fn wait(running: &Running) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {
                tracing::info!(target: "portcullis", "SIGTERM: draining");
                running.drain();
            }
            _ = interrupt.recv() => {
                tracing::info!(target: "portcullis", "SIGINT: stopping");
                running.stop();
            }
            () = running.stopped() => return Ok(()),
        }
        tokio::select! {
            _ = terminate.recv() => running.stop(),
            _ = interrupt.recv() => running.stop(),
            () = running.stopped() => return Ok(()),
        }
        running.stopped().await;
        Ok(())
    })
}
