//! One Tokio runtime for what runs inside of the test process; the tests themselves block.

use std::{future::Future, sync::OnceLock};

use tokio::runtime::{Builder, Runtime};

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    })
}

/// Waits for a future.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Lets a future run beside the test.
pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) {
    drop(runtime().spawn(future));
}
