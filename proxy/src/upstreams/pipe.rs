//! Large bodies go from one socket to the other by way of a pipe, which holds no bytes but references to the
//! kernel's own pages: nothing is copied, neither to us nor from us (splice, Linux). It needs a plain connection on
//! both sides, and a body that is passed on as it is.
//!
//! A pipe is filled from the origin, then lent to the viewer's stream, which empties it in place of what it is
//! asked to write: so everything that counts bytes and limits the time of a write does so as always.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::{
    io::Interest,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Pipes of one worker that are in use at the same time. Each takes two descriptors; whoever finds none copies.
const MOST: usize = 256;
/// Pipes that are kept for the next body.
const MOST_KEPT: usize = 64;
/// What a pipe has room for, if it is filled by whole pages: as many bodies pass in one go.
const SIZE: usize = 256 * 1024;

/// The pipes of one worker.
#[derive(Debug)]
pub(crate) struct Pipes {
    permits: Arc<Semaphore>,
    kept: Mutex<Vec<Ends>>,
}

/// Its two ends.
#[derive(Debug)]
struct Ends {
    reader: OwnedFd,
    writer: OwnedFd,
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

impl Ends {
    fn new() -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        // The kernel gives less to a user who has many already.
        let _ = fcntl_setpipe_size(&writer, SIZE);
        Some(Self { reader, writer })
    }
}

impl Pipe {
    /// Fills the pipe, which has to be empty, with what there is, up to so many bytes. 0: the other end has been closed.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) async fn fill(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        let writer = &self.ends.writer;
        let count = from
            .async_io(Interest::READABLE, || {
                Ok(splice(from, None, writer, None, most, FLAGS)?)
            })
            .await?;
        self.holds += count;
        Ok(count)
    }

    /// Empties the pipe by up to so many bytes.
    pub(crate) fn poll_empty(
        &mut self,
        into: &TcpStream,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let most = most.min(self.holds);
        loop {
            ready!(into.poll_write_ready(cx))?;
            let write = || Ok(splice(&self.ends.reader, None, into, None, most, FLAGS)?);
            match into.try_io(Interest::WRITABLE, write) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.holds -= count.min(self.holds);
                    return Poll::Ready(Ok(count));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

const FLAGS: SpliceFlags = SpliceFlags::MOVE.union(SpliceFlags::NONBLOCK);
