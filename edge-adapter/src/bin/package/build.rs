//! Builds the program as small as it gets, the same bytes on every machine with the same toolchain.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use thiserror::Error;

/// Lambda@Edge runs nothing else.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// With `panic = "abort"` nobody reads them, and they fill 8 % of a package.
const UNWIND_TABLES: [&str; 4] = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".comment"];

/// Why there is no program.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// A tool could not be run.
    #[error("cannot run {0}: {1}")]
    Tool(String, io::Error),
    /// A tool failed; it has said why itself.
    #[error("{0} failed")]
    Failed(String),
    /// cargo built something, but did not say where.
    #[error("cargo built no program named bootstrap")]
    NoProgram,
    /// The program could not be read or copied.
    #[error("cannot read the program: {0}")]
    Io(#[from] io::Error),
}

/// Builds the program and gives its bytes.
pub(crate) fn program(workspace: &Path) -> Result<Vec<u8>, BuildError> {
    let built = compile(workspace)?;
    let lean = built.with_file_name("bootstrap.lean");
    match objcopy() {
        Some(tool) => strip_unwind_tables(&tool, &built, &lean)?,
        None => {
            eprintln!("note: the toolchain has no rust-objcopy; packages are 8 % larger and not reproducible");
            fs::copy(&built, &lean)?;
        }
    }
    Ok(fs::read(lean)?)
}

fn compile(workspace: &Path) -> Result<PathBuf, BuildError> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(&cargo);
    command
        .args(["build", "--locked", "--package", "edge-adapter", "--bin", "bootstrap"])
        .args(["--no-default-features", "--profile", "edge", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace).join("\u{1f}"))
        .env_remove("RUSTFLAGS")
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|error| BuildError::Tool(cargo, error))?;
    if !output.status.success() {
        return Err(BuildError::Failed("cargo build".to_owned()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().find_map(executable).ok_or(BuildError::NoProgram)
}

/// The path in cargo's message about the program.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_bootstrap = message.pointer("/target/name")?.as_str()? == "bootstrap";
    message
        .get("executable")?
        .as_str()
        .filter(|_| is_bootstrap)
        .map(PathBuf::from)
}

/// Not position-independent: the program is alone in its sandbox, and relocations fill 2 % of a package.
/// Equal functions are folded. Paths of this machine are left out, so that it does not matter where
/// something is built.
fn flags(workspace: &Path) -> Vec<String> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let mut flags: Vec<String> = [
        "relocation-model=static",
        "link-arg=-Wl,--icf=all",
        "link-arg=-Wl,--build-id=none",
    ]
    .into_iter()
    .flat_map(|option| ["-C".to_owned(), option.to_owned()])
    .collect();
    for (path, name) in [(Some(workspace.to_owned()), "portcullis"), (home, "cargo")] {
        if let Some(path) = path.and_then(|path| path.canonicalize().ok()) {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    flags
}

/// The toolchain's own objcopy. GNU's would drop RELRO.
fn objcopy() -> Option<PathBuf> {
    let tool = sysroot()?.join("lib/rustlib").join(host()?).join("bin/rust-objcopy");
    tool.is_file().then_some(tool)
}

fn rustc(argument: &[&str]) -> Option<String> {
    let output = Command::new("rustc").args(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

fn sysroot() -> Option<PathBuf> {
    rustc(&["--print", "sysroot"]).map(|text| PathBuf::from(text.trim()))
}

fn host() -> Option<String> {
    let version = rustc(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    Some(host.to_owned())
}

fn strip_unwind_tables(tool: &Path, from: &Path, to: &Path) -> Result<(), BuildError> {
    let mut command = Command::new(tool);
    for section in UNWIND_TABLES {
        command.args(["--remove-section", section]);
    }
    if let Some(sysroot) = sysroot() {
        // Where the tool finds its LLVM.
        command.env("LD_LIBRARY_PATH", sysroot.join("lib"));
    }
    let status = command
        .arg(from)
        .arg(to)
        .status()
        .map_err(|error| BuildError::Tool(tool.display().to_string(), error))?;
    if status.success() {
        Ok(())
    } else {
        Err(BuildError::Failed("rust-objcopy".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = [
            r#"{"reason":"compiler-artifact","target":{"name":"ring"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"bootstrap"},"executable":"/t/edge/bootstrap"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "not json",
        ];
        assert_eq!(
            messages.into_iter().find_map(executable),
            Some(PathBuf::from("/t/edge/bootstrap"))
        );
    }

    #[test]
    fn flags_leave_this_machines_paths_out() {
        let flags = flags(Path::new("."));
        let here = env::current_dir().unwrap();
        assert!(flags.contains(&format!("--remap-path-prefix={}=portcullis", here.display())));
    }
}
