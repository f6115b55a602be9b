//! Files that are looked at from time to time. What counts is what a path leads to: certificates are often
//! exchanged by pointing a symbolic link elsewhere.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What files looked like when they were last looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Watched(Vec<(PathBuf, Option<Look>)>);

/// Of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Watched {
    /// Looks at these files.
    pub(super) fn look<'p>(files: impl Iterator<Item = &'p Path>) -> Self {
        Self(files.map(|file| (file.to_owned(), look(file))).collect())
    }

    /// Looks again; whether anything is different since the last time.
    pub(super) fn have_changed(&mut self) -> bool {
        let mut changed = false;
        for (file, seen) in &mut self.0 {
            let now = look(file);
            changed |= now != *seen;
            *seen = now;
        }
        changed
    }
}

fn look(file: &Path) -> Option<Look> {
    let found = fs::metadata(file).ok()?;
    Some(Look {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        modified: (found.mtime(), found.mtime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_change_is_seen_once_whether_in_place_or_by_a_link_that_turns() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("one"), "same").unwrap();
        fs::write(at("two"), "same").unwrap();
        symlink(at("one"), at("link")).unwrap();
        let files = [at("link"), at("missing")];
        let mut watched = Watched::look(files.iter().map(PathBuf::as_path));
        assert!(!watched.have_changed());
        symlink(at("two"), at("turned")).unwrap();
        fs::rename(at("turned"), at("link")).unwrap();
        assert!(watched.have_changed() && !watched.have_changed());
        fs::write(at("two"), "longer").unwrap();
        assert!(watched.have_changed() && !watched.have_changed());
        fs::write(at("missing"), "").unwrap();
        assert!(watched.have_changed() && !watched.have_changed());
        fs::remove_file(at("link")).unwrap();
        assert!(watched.have_changed() && !watched.have_changed());
    }
}
