//! `portcullis replay`: one recorded request, put to an emitted edge package and to the proxy in edge parity.
//!
//! Both are the real thing: the package's own program behind a Runtime API, and a proxy on a port of its own.
//! What stands around them is played: an origin that answers 200, and an identity provider that answers every
//! token request alike, so that no code or refresh token is used up. Nothing that gives access is shown.

mod answer;
mod comparison;
mod edge;
mod loopback;
mod own;
mod recorded;
mod stage;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use thiserror::Error;

pub(crate) use comparison::Comparison;

use crate::{StartError, config::Settings};

/// How long either side may take for all it does.
const LIMIT: Duration = Duration::from_secs(30);

/// What is replayed, and against what.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The request: a CloudFront event (JSON), a HAR file or entry (its first request), or an HTTP request as text.
    file: PathBuf,
    /// The edge package: its unpacked folder, or the program `bootstrap` in it.
    #[arg(long, value_name = "PATH")]
    edge: PathBuf,
    /// A JSON file that the identity provider answers token requests with, status 200. Without it, 400.
    #[arg(long, value_name = "FILE")]
    token_reply: Option<PathBuf>,
}

/// Why nothing can be compared.
#[derive(Debug, Error)]
pub(crate) enum ReplayError {
    /// A file cannot be read.
    #[error("read {file}: {error}")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file holds no request of a known form.
    #[error("read the request: {0}")]
    Request(&'static str),
    /// No site answers to the request's host, or the site has no sign-in.
    #[error("{0}")]
    Site(String),
    /// A loopback port, a temporary folder or a process cannot be had.
    #[error("set the stage: {0}")]
    Stage(#[from] std::io::Error),
    /// The proxy does not start.
    #[error("start the proxy: {0}")]
    Proxy(#[from] StartError),
    /// The edge package's program does not answer.
    #[error("ask the edge package ({role}): {problem}")]
    Edge {
        /// The function.
        role: &'static str,
        /// What went wrong.
        problem: String,
    },
    /// The proxy does not answer.
    #[error("ask the proxy: {0}")]
    Own(std::io::Error),
}

impl ReplayError {
    /// 65 (EX_DATAERR) for what is in the file, 69 (EX_UNAVAILABLE) for what does not answer.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. } | Self::Request(_) | Self::Site(_) => 65,
            Self::Stage(_) | Self::Proxy(_) | Self::Edge { .. } | Self::Own(_) => 69,
        }
    }
}

/// Replays a request.
///
/// # Errors
/// When one of the two gives no answer that could be compared.
pub(crate) fn replay(settings: Settings, arguments: &Arguments) -> Result<Comparison, ReplayError> {
    let recorded = recorded::read(&read(&arguments.file)?)?;
    let reply = arguments.token_reply.as_ref().map(read).transpose()?;
    let stage = stage::Stage::set(settings, &recorded, reply)?;
    let edge = edge::ask(&arguments.edge, &stage, &recorded)?;
    let edge_calls = stage.take_calls();
    let own = own::ask(&stage, &recorded)?;
    let own_calls = stage.take_calls();
    Ok(Comparison::new(
        &recorded,
        stage.restore(edge, edge_calls),
        stage.restore(own, own_calls),
    ))
}

fn read(file: &PathBuf) -> Result<Vec<u8>, ReplayError> {
    std::fs::read(file).map_err(|error| ReplayError::File {
        file: file.display().to_string(),
        error,
    })
}
