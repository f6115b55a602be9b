//! Where the socket may be: a folder that nobody else can write to.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use super::UpgradeError;

/// Whether a process of that user may be trusted with our listeners, or we with its.
pub(super) fn is_own(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

/// Whoever can write to the folder could put another socket there.
pub(super) fn check_folder(socket: &Path) -> Result<(), UpgradeError> {
    let exposed = || UpgradeError::Exposed(socket.to_owned());
    let folder = socket.parent().ok_or_else(exposed)?;
    let folder = fs::metadata(folder).map_err(UpgradeError::system("look at the folder of upgrade.socket"))?;
    if folder.is_dir() && is_own(folder.uid()) && folder.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(exposed())
    }
}

/// Nothing, or a socket, which may be replaced.
pub(super) fn check_occupant(socket: &Path) -> Result<(), UpgradeError> {
    match fs::symlink_metadata(socket) {
        Ok(found) if !found.file_type().is_socket() => Err(UpgradeError::NoSocketThere(socket.to_owned())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("upgrade.sock");
        for (mode, accepted) in [
            (0o700, true),
            (0o755, true),
            (0o775, false),
            (0o707, false),
            (0o1777, false),
        ] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(check_folder(&socket).is_ok(), accepted, "{mode:o}");
        }
    }

    #[test]
    fn a_file_in_the_socket_s_place_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("upgrade.sock");
        assert!(check_occupant(&socket).is_ok());
        fs::write(&socket, "").unwrap();
        assert!(matches!(check_occupant(&socket), Err(UpgradeError::NoSocketThere(_))));
    }
}
