//! Emits the edge packages: builds the program, checks it, and writes one zip a function.
//!
//! Every zip holds the same program and the same shims; only configuration.json differs, and only where
//! a function does not need all of it. Nothing is written when anything is wrong.

mod build;
mod elf;
mod emit;
mod manifest;
mod stack;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

/// Emits the Lambda@Edge packages of Portcullis.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder to write the packages to.
    #[arg(long, default_value = "dist")]
    out: PathBuf,
    /// configuration.json to put into the packages; without it they are emitted without one, for a deployment to add.
    #[arg(long)]
    config: Option<PathBuf>,
    /// A program built elsewhere, to be packed as it is.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Write the stack's template, too, and packages of its custom resources with this program
    /// (cargo build --profile lambda -p custom-resources).
    #[arg(long)]
    stack: Option<PathBuf>,
    /// Write the files of a package into this folder instead, for a tool that zips them itself.
    #[arg(long, conflicts_with_all = ["out", "config", "stack"])]
    unpacked: Option<PathBuf>,
    /// Only check that this program would run in Lambda.
    #[arg(long, conflicts_with_all = ["out", "config", "program", "stack", "unpacked"])]
    check: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => {
            eprint!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("failed to emit packages: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    if let Some(path) = &arguments.check {
        let glibc = elf::check(&read(path)?)?;
        return Ok(format!("{} runs in Lambda (glibc {glibc})\n", path.display()));
    }
    let workspace = workspace();
    if let Some(folder) = &arguments.unpacked {
        emit::write_unpacked(&program(arguments, &workspace)?, folder)?;
        return Ok(String::new());
    }
    let configuration = match &arguments.config {
        Some(path) => Some(read(path)?),
        None => None,
    };
    // First, because building takes a minute.
    let warnings = match &configuration {
        Some(text) => emit::check_configuration(text)?,
        None => Vec::new(),
    };
    let program = program(arguments, &workspace)?;
    let mut packages = emit::packages(&program, configuration.as_deref())?;
    if let Some(path) = &arguments.stack {
        packages.files.extend(stack::files(&workspace, &read(path)?)?);
    }
    emit::write(&packages, &arguments.out)?;
    let mut report: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    report.push_str(&packages.manifest.summary());
    Ok(report)
}

fn program(arguments: &Arguments, workspace: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    match &arguments.program {
        Some(path) => Ok(read(path)?),
        None => Ok(build::program(workspace)?),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The workspace's root: cargo tells a program that it runs where its crate lies.
fn workspace() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("edge-adapter"), PathBuf::from);
    here.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}
