//! The command line of the harness.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{load, peers, train};

/// Load for the proxy, and what comes of it.
#[derive(Debug, Parser)]
#[command(
    name = "benches",
    version,
    after_help = "Exit codes: 0 done, 1 failed or found something wrong, 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put load on the proxy and report throughput, latency, processor time and memory.
    Load(Box<load::Arguments>),
    /// Compare the proxy with nginx, HAProxy, Apache, Varnish and bare Pingora.
    Peers(peers::Arguments),
    /// Let the proxy do each kind of its work for a while, for a build that is guided by profiles.
    Train(train::Arguments),
}

/// Runs the command of the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Load(arguments) => load::run(&arguments),
        Command::Peers(arguments) => peers::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
    }
}
