//! Files of a folder, for the demo and small sites.
//!
//! Only regular files within the root are served; a symbolic link is followed when it ends within the root,
//! and is otherwise as good as missing, as directories are. Whoever can write to the root decides what is
//! served: a link that is swapped between check and opening is not defended against.

mod answer;
mod body;

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use http::Method;

pub use self::{answer::FileAnswer, body::FileBody};
use super::{OriginError, OriginRequest, OriginSetupError};
use crate::{canonical_path::CanonicalPath, config::DirectorySettings};

/// A folder to serve.
#[derive(Debug)]
pub struct DirectoryOrigin {
    /// Absolute, without links.
    root: PathBuf,
}

impl DirectoryOrigin {
    /// Finds the folder.
    ///
    /// # Errors
    /// When it is not there or is no folder.
    pub fn open(settings: &DirectorySettings) -> Result<Self, OriginSetupError> {
        let path = settings.root.clone();
        let root = fs::canonicalize(&path).map_err(|error| OriginSetupError::Unreadable {
            path: path.clone(),
            kind: error.kind(),
        })?;
        if root.is_dir() {
            Ok(Self { root })
        } else {
            Err(OriginSetupError::NotADirectory { path })
        }
    }

    /// Opens the file of a request. That is a matter of microseconds on a local disk; its contents are read later.
    pub(crate) fn answer(&self, request: &OriginRequest<'_>) -> Result<FileAnswer, OriginError> {
        if !matches!(*request.method, Method::GET | Method::HEAD) {
            return Err(OriginError::MethodNotAllowed);
        }
        let path = self.locate(request.path).ok_or(OriginError::NotFound)?;
        let opened = open_within(&self.root, &path)?;
        FileAnswer::new(opened, &path, request.method, request.headers)
    }

    /// The file's path below the root; `None` where the path cannot name a file.
    fn locate(&self, path: &CanonicalPath) -> Option<PathBuf> {
        let mut located = self.root.clone();
        for segment in path.decoded().strip_prefix('/')?.split('/') {
            // No empty, `.` or `..` segment; no separator of any platform within one.
            if matches!(segment, "" | "." | "..") || segment.contains(['\\', '\0', std::path::MAIN_SEPARATOR]) {
                return None;
            }
            located.push(segment);
        }
        Some(located)
    }
}

fn open_within(root: &Path, path: &Path) -> Result<File, OriginError> {
    // Whatever keeps a name from leading anywhere (a file in place of a folder, a loop of links, a name too
    // long) means that there is nothing by that name.
    let real = fs::canonicalize(path).map_err(|error| match error.kind() {
        kind @ ErrorKind::PermissionDenied => OriginError::Unreadable(kind),
        _ => OriginError::NotFound,
    })?;
    let unreadable = |error: io::Error| OriginError::Unreadable(error.kind());
    // Opening a pipe or a device could block for ever: it is refused before it happens.
    if !real.starts_with(root) || !fs::metadata(&real).map_err(unreadable)?.is_file() {
        return Err(OriginError::NotFound);
    }
    File::open(&real).map_err(unreadable)
}

#[cfg(test)]
mod tests;
