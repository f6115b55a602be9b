//! Emits the edge packages: builds the program, checks it, and writes one zip a function.
//!
//! Every zip holds the same program and the same shims; only configuration.json differs, and only where
//! a function does not need all of it. Nothing is written when anything is wrong.

mod archive;
mod build;
mod elf;
mod emit;
mod manifest;

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
    let workspace = workspace();
    let configuration = match &arguments.config {
        Some(path) => Some(fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?),
        None => None,
    };
    // First, because building takes a minute.
    let warnings = match &configuration {
        Some(text) => emit::check_configuration(text)?,
        None => Vec::new(),
    };
    let program = match &arguments.program {
        Some(path) => fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?,
        None => build::program(&workspace)?,
    };
    let packages = emit::packages(&program, configuration.as_deref())?;
    emit::write(&packages, &arguments.out, &workspace.join("deploy/template.yaml"))?;
    let mut report: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    report.push_str(&packages.manifest.summary());
    Ok(report)
}

/// The workspace's root: cargo tells a program that it runs where its crate lies.
fn workspace() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("edge-adapter"), PathBuf::from);
    here.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}
