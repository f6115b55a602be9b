//! What the program asks of the system it will run on.

use object::{
    Endianness,
    elf::{DT_NEEDED, EM_X86_64, FileHeader64},
    read::elf::{Dyn, FileHeader},
};
use thiserror::Error;

/// What Amazon Linux 2023 has.
const NEWEST_GLIBC: Version = Version(2, 34);

/// Libraries that the managed runtimes have.
const LIBRARIES: [&str; 6] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
];

/// A glibc version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Why a program would not run at the edge.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum Unfit {
    /// Not an ELF file for 64 bit.
    #[error("the program is not a 64-bit ELF file: {0}")]
    NotElf(object::read::Error),
    /// For another processor.
    #[error("the program is not for x86-64, and Lambda@Edge runs nothing else")]
    Machine,
    /// Built against a newer C library than the managed runtimes have.
    #[error("the program needs glibc {0}, and Lambda's Amazon Linux 2023 has {NEWEST_GLIBC}")]
    Glibc(Version),
    /// Linked against something that is not there.
    #[error("the program needs {0}, which Lambda's managed runtimes do not have")]
    Library(String),
}

impl From<object::read::Error> for Unfit {
    fn from(error: object::read::Error) -> Self {
        Self::NotElf(error)
    }
}

/// Checks that the program will run; gives the glibc version that it needs.
pub(crate) fn check(program: &[u8]) -> Result<Version, Unfit> {
    let header = FileHeader64::<Endianness>::parse(program)?;
    let endian = header.endian()?;
    if header.e_machine.get(endian) != EM_X86_64 {
        return Err(Unfit::Machine);
    }
    for library in libraries(header, program)? {
        if !LIBRARIES.contains(&library.as_str()) {
            return Err(Unfit::Library(library));
        }
    }
    let glibc = glibc(header, program)?;
    if glibc > NEWEST_GLIBC {
        return Err(Unfit::Glibc(glibc));
    }
    Ok(glibc)
}

fn libraries(header: &FileHeader64<Endianness>, program: &[u8]) -> Result<Vec<String>, object::read::Error> {
    let endian = header.endian()?;
    let sections = header.sections(endian, program)?;
    let mut libraries = Vec::new();
    if let Some((entries, link)) = sections.dynamic(endian, program)? {
        let strings = sections.strings(endian, program, link)?;
        for entry in entries {
            if entry.tag(endian) == DT_NEEDED {
                libraries.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
            }
        }
    }
    Ok(libraries)
}

/// The newest `GLIBC_…` among the version needs.
fn glibc(header: &FileHeader64<Endianness>, program: &[u8]) -> Result<Version, object::read::Error> {
    let endian = header.endian()?;
    let sections = header.sections(endian, program)?;
    let mut newest = Version(0, 0);
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, program)? {
        let strings = sections.strings(endian, program, link)?;
        while let Some((_, mut names)) = needs.next()? {
            while let Some(name) = names.next()? {
                let name = name.name(endian, strings)?;
                newest = newest.max(version(name).unwrap_or(newest));
            }
        }
    }
    Ok(newest)
}

/// `GLIBC_2.34`, or `GLIBC_2.2.5` of which the first two numbers count.
fn version(name: &[u8]) -> Option<Version> {
    let mut numbers = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split('.');
    Some(Version(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(version(b"GLIBC_2.34"), Some(Version(2, 34)));
        assert_eq!(version(b"GLIBC_2.2.5"), Some(Version(2, 2)));
        assert_eq!(version(b"GLIBC_PRIVATE"), None);
        assert_eq!(version(b"GCC_3.0"), None);
        assert!(Version(2, 9) < Version(2, 34));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        for bytes in [&b""[..], b"#!/bin/sh\n", &[0; 200]] {
            assert!(matches!(check(bytes), Err(Unfit::NotElf(_))));
        }
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn a_program_for_another_processor_is_refused() {
        let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(check(&program).is_ok());
        program[18] = 183; // AArch64
        assert_eq!(check(&program), Err(Unfit::Machine));
    }
}
