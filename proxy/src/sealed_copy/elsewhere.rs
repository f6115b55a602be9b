//! Systems without files of memory that can be sealed.

use std::{io, os::fd::AsFd};

/// There is none.
#[derive(Debug)]
pub(super) enum MemoryFile {}

impl MemoryFile {
    pub(super) fn with(_bytes: &[u8]) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, reason = "there is no such value")]
    pub(super) fn send(&self, _to: impl AsFd, _position: u64, _count: usize) -> io::Result<usize> {
        match *self {}
    }
}
