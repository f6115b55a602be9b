//! A file's contents, chunk by chunk.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;

/// One chunk: what is in memory of a file at any time.
const CHUNK: usize = 64 * 1024;

/// The part of a file that an answer promises.
#[derive(Debug)]
pub struct FileBody {
    file: tokio::fs::File,
    remaining: u64,
}

impl FileBody {
    pub(crate) fn new(mut file: File, first: u64, length: u64) -> io::Result<Self> {
        if first > 0 {
            file.seek(SeekFrom::Start(first))?;
        }
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(CHUNK);
        Ok(Self {
            file,
            remaining: length,
        })
    }

    /// The next bytes, at most 64 KiB; `None` after the last.
    ///
    /// # Errors
    /// When the file cannot be read, or has become shorter than the answer's Content-Length: the connection
    /// then has to be cut, since what was promised cannot be delivered.
    pub async fn next_chunk(&mut self) -> io::Result<Option<Bytes>> {
        if self.remaining == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(self.remaining).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = BytesMut::with_capacity(wanted);
        let read = (&mut self.file).take(wanted as u64).read_buf(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.remaining = self.remaining.saturating_sub(read as u64);
        Ok(Some(chunk.freeze()))
    }
}
