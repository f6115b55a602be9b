//! From a program and a configuration to packages, in memory; then onto the disk.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use edge_adapter::{
    Role, SettingsError,
    archive::{self, Entries, Entry},
    check_settings, settings_for,
};
use thiserror::Error;
use zip::result::ZipError;

use crate::{
    elf,
    manifest::{Manifest, Package, Program, sha256},
};

/// CloudFront takes no larger package for a viewer-triggered function (InvalidLambdaFunctionAssociation).
const MAX_PACKAGE_BYTES: usize = 1_048_576;

const START_PYTHON: &str = include_str!("../../../shims/portcullis_start.py");
const START_NODE: &str = include_str!("../../../shims/portcullis_start.mjs");
const ROLE_PYTHON: &str = include_str!("../../../shims/role.py");
const ROLE_NODE: &str = include_str!("../../../shims/role.mjs");

/// Why nothing was emitted.
#[derive(Debug, Error)]
pub(crate) enum EmitError {
    /// The configuration is refused.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The program would not run at the edge.
    #[error(transparent)]
    Program(#[from] elf::Unfit),
    /// A package would not be taken.
    #[error("{name}.zip has {bytes} bytes; CloudFront takes {MAX_PACKAGE_BYTES} at most")]
    TooLarge {
        /// The function.
        name: &'static str,
        /// What it came to.
        bytes: usize,
    },
    /// A zip file could not be put together.
    #[error("cannot write a zip file: {0}")]
    Zip(#[from] ZipError),
    /// The manifest could not be put together.
    #[error("cannot write the manifest: {0}")]
    Manifest(#[from] serde_json::Error),
    /// A file could not be written.
    #[error("cannot write {0}: {1}")]
    Io(String, io::Error),
}

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Packages {
    /// By file name.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) manifest: Manifest,
}

/// Checks a configuration as a whole; gives what is weak in it.
pub(crate) fn check_configuration(text: &[u8]) -> Result<Vec<String>, SettingsError> {
    check_settings(text)
}

/// Packs every function.
pub(crate) fn packages(program: &[u8], configuration: Option<&[u8]>) -> Result<Packages, EmitError> {
    let glibc = elf::check(program)?;
    let common = archive::pack(&common(program))?;
    let mut files = Vec::new();
    let mut functions = Vec::new();
    for role in Role::ALL {
        let mut own = Entries::new();
        if let Some(text) = configuration {
            own.insert("configuration.json".to_owned(), Entry::text(settings_for(role, text)?));
        }
        let zip = archive::extend(&common, &own)?;
        functions.push(described(role, &zip)?);
        files.push((format!("{}.zip", role.as_str()), zip));
    }
    let manifest = Manifest {
        version: env!("CARGO_PKG_VERSION"),
        program: Program::of(program, glibc),
        functions,
    };
    Ok(Packages { files, manifest })
}

/// What every package holds: the program, what starts it, and a file a role for each managed runtime.
fn common(program: &[u8]) -> Entries {
    let mut entries = Entries::new();
    entries.insert("bootstrap".to_owned(), Entry::program(program));
    entries.insert("portcullis_start.py".to_owned(), Entry::text(START_PYTHON));
    entries.insert("portcullis_start.mjs".to_owned(), Entry::text(START_NODE));
    for role in Role::ALL {
        entries.insert(format!("{}.py", role.as_str()), Entry::text(ROLE_PYTHON));
        entries.insert(format!("{}.mjs", role.as_str()), Entry::text(ROLE_NODE));
    }
    entries
}

fn described(role: Role, zip: &[u8]) -> Result<Package, EmitError> {
    let (name, bytes) = (role.as_str(), zip.len());
    if bytes > MAX_PACKAGE_BYTES {
        return Err(EmitError::TooLarge { name, bytes });
    }
    Ok(Package {
        name,
        handler: format!("{name}.handler"),
        event: role.event(),
        zip: format!("{name}.zip"),
        bytes,
        sha256: sha256(zip),
    })
}

/// Writes packages and manifest.
pub(crate) fn write(packages: &Packages, out: &Path) -> Result<(), EmitError> {
    fs::create_dir_all(out).map_err(failed(out))?;
    for (name, bytes) in &packages.files {
        let path = out.join(name);
        fs::write(&path, bytes).map_err(failed(&path))?;
    }
    let mut manifest = serde_json::to_vec_pretty(&packages.manifest)?;
    manifest.push(b'\n');
    let path = out.join("manifest.json");
    fs::write(&path, manifest).map_err(failed(&path))?;
    Ok(())
}

/// Writes what every package holds as files, with their modes.
pub(crate) fn write_unpacked(program: &[u8], out: &Path) -> Result<(), EmitError> {
    elf::check(program)?;
    fs::create_dir_all(out).map_err(failed(out))?;
    for (name, entry) in common(program) {
        let path = out.join(name);
        fs::write(&path, &entry.bytes).map_err(failed(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode)).map_err(failed(&path))?;
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EmitError {
    let path = path.display().to_string();
    move |error| EmitError::Io(path, error)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn a_file_that_is_no_program_is_not_packed() {
        assert!(matches!(packages(b"#!/bin/sh", None), Err(EmitError::Program(_))));
    }

    #[test]
    fn a_package_of_the_limit_is_taken_and_one_byte_more_is_not() {
        let mut zip = vec![0; MAX_PACKAGE_BYTES];
        assert!(described(Role::CheckAuth, &zip).is_ok());
        zip.push(0);
        let error = described(Role::CheckAuth, &zip).map(drop).unwrap_err();
        assert_eq!(
            error.to_string(),
            "check-auth.zip has 1048577 bytes; CloudFront takes 1048576 at most"
        );
    }

    #[test]
    fn every_package_holds_both_shims_of_every_role() {
        let packed = archive::pack(&common(b"program")).unwrap();
        let names = archive::names(&ZipArchive::new(Cursor::new(packed)).unwrap()).unwrap();
        for role in Role::ALL {
            assert!(names.contains(&format!("{}.py", role.as_str())));
            assert!(names.contains(&format!("{}.mjs", role.as_str())));
        }
        assert_eq!(names.len(), 3 + 2 * Role::ALL.len());
    }
}
