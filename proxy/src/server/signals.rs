//! SIGTERM drains, SIGINT stops at once; a second signal of either kind stops at once, too.

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use super::Running;

/// The signals that end a server. They are caught from the moment this exists.
#[derive(Debug)]
pub(super) struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on: to be made before anyone learns that the server runs.
    pub(super) fn catch() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        drop(entered);
        Ok(Self {
            runtime,
            terminate,
            interrupt,
        })
    }

    /// Waits until the server has ended because of a signal.
    pub(super) fn wait(mut self, running: &Running) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {
                    tracing::info!(target: "portcullis", "SIGTERM: draining");
                    running.drain();
                }
                _ = self.interrupt.recv() => {
                    tracing::info!(target: "portcullis", "SIGINT: stopping");
                    running.stop();
                }
                () = running.stopped() => return,
            }
            tokio::select! {
                _ = self.terminate.recv() => running.stop(),
                _ = self.interrupt.recv() => running.stop(),
                () = running.stopped() => return,
            }
            running.stopped().await;
        });
    }
}
