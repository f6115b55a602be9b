//! manifest.json: what was emitted, for deployments and for whoever wants to check it.

use std::fmt::Write;

use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::elf::Version;

/// What was emitted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) version: &'static str,
    pub(crate) program: Program,
    pub(crate) functions: Vec<Package>,
}

/// The program in every package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Program {
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
    pub(crate) glibc: String,
}

/// One package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Package {
    /// The function's name.
    pub(crate) name: &'static str,
    /// The value of the function's Handler property.
    pub(crate) handler: String,
    /// The CloudFront event that it answers.
    pub(crate) event: &'static str,
    /// The file beside this one.
    pub(crate) zip: String,
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
}

impl Program {
    pub(crate) fn of(program: &[u8], glibc: Version) -> Self {
        Self {
            bytes: program.len(),
            sha256: sha256(program),
            glibc: glibc.to_string(),
        }
    }
}

impl Manifest {
    /// A line a package, for the terminal.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for package in &self.functions {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:>9} bytes  {}", package.bytes, package.zip);
        }
        text
    }
}

/// The digest in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_sha256sum_prints() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
