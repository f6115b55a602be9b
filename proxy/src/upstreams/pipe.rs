//! Large bodies go from one socket to the other by way of a pipe, which holds no bytes but references to the
//! kernel's own pages: nothing is copied, neither to us nor from us (splice, Linux). It needs a plain connection on
//! both sides, and a body that is passed on as it is.
//!
//! A pipe is filled from the origin, then lent to the viewer's stream, which empties it in place of what it is
//! asked to write: so everything that counts bytes and limits the time of a write does so as always.

#[cfg(target_os = "linux")]
#[path = "pipe/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "pipe/elsewhere.rs"]
mod system;

use std::{
    io,
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::Interest,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use self::system::Ends;

/// Pipes of one worker that are in use at the same time. Each takes two descriptors; whoever finds none copies.
const MOST: usize = 256;
/// Pipes that are kept for the next body.
const MOST_KEPT: usize = 64;

/// The pipes of one worker.
#[derive(Debug)]
pub(crate) struct Pipes {
    permits: Arc<Semaphore>,
    kept: Mutex<Vec<Ends>>,
}

/// One pipe in use.
#[derive(Debug)]
pub(crate) struct Pipe {
    ends: Ends,
    /// Bytes in it.
    holds: usize,
    _permit: OwnedSemaphorePermit,
}

impl Default for Pipes {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MOST)),
            kept: Mutex::default(),
        }
    }
}

impl Pipes {
    /// An empty pipe, if there may be one more.
    pub(crate) fn take(&self) -> Option<Pipe> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let ends = kept.or_else(Ends::new)?;
        Some(Pipe {
            ends,
            holds: 0,
            _permit: permit,
        })
    }

    /// Takes back a pipe. One that still holds something is closed.
    pub(crate) fn give_back(&self, pipe: Pipe) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if pipe.holds == 0 && kept.len() < MOST_KEPT {
            kept.push(pipe.ends);
        }
    }
}

impl Pipe {
    /// Fills the pipe, which has to be empty, with what there is, up to so many bytes. 0: the other end has been closed.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) async fn fill(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        let filling = from.async_io(Interest::READABLE, || self.ends.fill(from, most));
        let count = filling.await?;
        self.holds += count;
        Ok(count)
    }

    /// Empties the pipe by up to so many bytes.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) fn empty(&mut self, into: impl AsFd, most: usize) -> io::Result<usize> {
        let count = self.ends.empty(into, most.min(self.holds))?;
        self.holds -= count.min(self.holds);
        Ok(count)
    }
}
