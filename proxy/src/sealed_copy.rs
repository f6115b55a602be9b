//! Bodies that the kernel sends without copying them: each in a file that is in memory alone, beside the bytes.
//!
//! What is on its way to a viewer is the file's very pages, long after the call that sent them. So a copy is written
//! once and sealed, which no later mistake can undo, and its pages are never used for anything else. A copy is never
//! the only one: where it cannot be sent (TLS, HTTP/2, a system without such files), the bytes are.
//!
//! Copies take memory and a descriptor each; an [`Allowance`] bounds both.

use std::{
    io,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

#[cfg(target_os = "linux")]
#[path = "sealed_copy/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "sealed_copy/elsewhere.rs"]
mod system;

/// More large bodies than that are not asked for again and again.
const MOST_FILES: u64 = 1024;

/// Copies that may be kept at a time: an eighth of the descriptors that this process may have open.
pub(crate) fn most_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = limit.current.map_or(MOST_FILES, |limit| limit / 8);
    usize::try_from(most.min(MOST_FILES)).unwrap_or(usize::MAX)
}

/// What all copies together may take, and take.
#[derive(Debug)]
pub(crate) struct Allowance {
    most_files: usize,
    files: AtomicUsize,
    bytes: AtomicUsize,
}

impl Allowance {
    /// So many copies.
    pub(crate) fn of(most_files: usize) -> Arc<Self> {
        Arc::new(Self {
            most_files,
            files: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    /// Takes what a copy of that length needs, while all of them need no more than `most_bytes`.
    fn take(self: &Arc<Self>, length: usize, most_bytes: usize) -> Option<Share> {
        let share = Share {
            allowance: Arc::clone(self),
            length,
        };
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(length, Ordering::Relaxed) + length;
        (files <= self.most_files && bytes <= most_bytes).then_some(share)
    }

    /// How many copies there are.
    #[cfg(test)]
    pub(crate) fn files(&self) -> usize {
        self.files.load(Ordering::Relaxed)
    }
}

/// What one copy takes, until it is dropped.
#[derive(Debug)]
struct Share {
    allowance: Arc<Allowance>,
    length: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.allowance.files.fetch_sub(1, Ordering::Relaxed);
        self.allowance.bytes.fetch_sub(self.length, Ordering::Relaxed);
    }
}

/// A copy, and the bytes that it is a copy of.
#[derive(Debug)]
pub(crate) struct SealedCopy {
    bytes: Bytes,
    file: system::MemoryFile,
    _share: Share,
}

impl SealedCopy {
    /// Copies these bytes. `None`: there are enough copies, or this system has no such files.
    pub(crate) fn of(bytes: &Bytes, allowance: &Arc<Allowance>, most_bytes: usize) -> Option<Arc<Self>> {
        let share = allowance.take(bytes.len(), most_bytes)?;
        match system::MemoryFile::with(bytes) {
            Ok(file) => Some(Arc::new(Self {
                bytes: bytes.clone(),
                file,
                _share: share,
            })),
            Err(error) => {
                tracing::debug!(target: "portcullis", %error, "a body cannot be kept as a file");
                None
            }
        }
    }

    /// Where these bytes stand in the copy, if they are a part of what it was made of: that memory itself, not
    /// memory with the same content.
    pub(crate) fn position(&self, part: &[u8]) -> Option<u64> {
        let start = part.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= self.bytes.len()).then_some(start as u64)
    }

    /// Sends so many bytes from there, or fewer.
    pub(crate) fn send(&self, to: impl AsFd, position: u64, count: usize) -> io::Result<usize> {
        self.file.send(to, position, count)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
