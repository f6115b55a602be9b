//! A background task that lives as long as its owner.

use tokio::{runtime::Handle, task::AbortHandle};

/// Ends its task when dropped, so that a replaced origin leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Background(AbortHandle);

impl Background {
    pub(crate) fn spawn(runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(runtime.spawn(work).abort_handle())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
