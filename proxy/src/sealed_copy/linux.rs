//! Files of memory (memfd), sent by sendfile.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create, sendfile};

/// A file of memory that nobody can change.
#[derive(Debug)]
pub(super) struct MemoryFile(File);

impl MemoryFile {
    pub(super) fn with(bytes: &[u8]) -> io::Result<Self> {
        let mut file = File::from(memfd_create(
            "portcullis-body",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?);
        file.write_all(bytes)?;
        fcntl_add_seals(
            &file,
            SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
        )?;
        Ok(Self(file))
    }

    pub(super) fn send(&self, to: impl AsFd, mut position: u64, count: usize) -> io::Result<usize> {
        Ok(sendfile(to, &self.0, Some(&mut position), count)?)
    }

    #[cfg(test)]
    pub(super) fn refuses_writes(&self) -> bool {
        let write = |bytes: &[u8]| std::os::unix::fs::FileExt::write_at(&self.0, bytes, 0);
        write(b"x").is_err() && self.0.set_len(0).is_err()
    }
}
