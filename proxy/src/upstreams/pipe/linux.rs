//! Pipes and splice.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// Room for that much, if it comes in whole pages: as many bodies pass in one go.
const SIZE: usize = 256 * 1024;
const FLAGS: SpliceFlags = SpliceFlags::MOVE.union(SpliceFlags::NONBLOCK);

/// The two ends of a pipe.
#[derive(Debug)]
pub(super) struct Ends {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Ends {
    pub(super) fn new() -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        // The kernel gives less to a user who has many already.
        let _ = fcntl_setpipe_size(&writer, SIZE);
        Some(Self { reader, writer })
    }

    pub(super) fn fill(&self, from: impl AsFd, most: usize) -> io::Result<usize> {
        Ok(splice(from, None, &self.writer, None, most, FLAGS)?)
    }

    pub(super) fn empty(&self, into: impl AsFd, most: usize) -> io::Result<usize> {
        Ok(splice(&self.reader, None, into, None, most, FLAGS)?)
    }
}
