//! A peer's process: started where the others are, in front of the same origin.
//!
//! All run in the foreground as children of this program: the kernel shares time out by session, and a daemon
//! would be measured in another share than the rest.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use thiserror::Error;

use super::{
    launch,
    peer::Peer,
    stage::{Stage, StageError},
    template::{TemplateError, fill},
};
use crate::process::{Process, ProcessError, free_address, keep_to, processor_time};

/// Another program may take a free port first.
const ATTEMPTS: usize = 3;
const ORIGIN: &str = include_str!("../../peers/origin.conf");

/// Why a peer does not run.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// Its files.
    #[error("write its files: {0}")]
    Files(#[from] io::Error),
    /// What it shares with the others.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The template is wrong.
    #[error("fill in the configuration: {0}")]
    Template(#[from] TemplateError),
    /// It ended, or does not listen.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    /// Where ours has its metrics, if that is asked for.
    pub(crate) admin: SocketAddr,
    /// The command and the file that it was started with.
    pub(crate) configuration: Configuration,
    process: Process,
}

/// How a server was started.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Configuration {
    /// The command.
    pub command: String,
    /// The configuration file, if it has one.
    pub file: Option<String>,
}

/// Where a server listens, what it asks, and where its files lie.
pub(crate) struct Place<'a> {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) origin: SocketAddr,
    pub(crate) folder: &'a Path,
    pub(crate) stage: &'a Stage,
}

impl Running {
    /// Starts a peer in front of the origin.
    pub(crate) fn peer(
        peer: Peer,
        program: Option<&Path>,
        stage: &Stage,
        origin: SocketAddr,
    ) -> Result<Self, StartError> {
        Self::attempt(peer.id(), stage, |at| {
            let at = Place { origin, ..at };
            let file = peer
                .template()
                .map(|template| at.write(peer.id(), template, &launch::values(peer)));
            let file = file.transpose()?;
            Ok((launch::command(peer, program, &at)?, file))
        })
    }

    /// Starts the origin.
    pub(crate) fn origin(nginx: &Path, stage: &Stage) -> Result<Self, StartError> {
        Self::attempt("origin", stage, |at| {
            let file = at.write("origin", ORIGIN, &[])?;
            Ok((launch::nginx(nginx, &at.file("origin"), at.folder), Some(file)))
        })
    }

    fn attempt(
        name: &str,
        stage: &Stage,
        prepare: impl Fn(Place<'_>) -> Result<(Command, Option<String>), StartError>,
    ) -> Result<Self, StartError> {
        let folder = stage.folder(name)?;
        let start = || {
            let (http, https, admin) = (free_address()?, free_address()?, free_address()?);
            let at = Place {
                http,
                https,
                admin,
                origin: http,
                folder: &folder,
                stage,
            };
            let (command, file) = prepare(at)?;
            let configuration = Configuration {
                command: shown(&command),
                file,
            };
            let mut process = Process::start(name, command)?;
            process.wait_listening(http)?;
            Ok(Self {
                http,
                https,
                admin,
                configuration,
                process,
            })
        };
        let mut started = start();
        for _ in 1..ATTEMPTS {
            match started {
                Err(StartError::Process(ProcessError::Ended { .. })) => started = start(),
                other => return other,
            }
        }
        started
    }

    /// Has it run on these cores alone, if there are any.
    pub(crate) fn keep_to(&self, cores: &[usize]) {
        keep_to(self.process.id(), cores);
    }

    /// Processor time that it and its children have taken.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        processor_time(self.process.id())
    }
}

impl Place<'_> {
    /// The configuration file of that server.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        // Ours tells the format by the ending; to the others it is nothing.
        self.folder.join(format!("{name}.toml"))
    }

    fn write(&self, name: &str, template: &str, more: &[(&'static str, &str)]) -> Result<String, StartError> {
        let mut values = self.stage.values();
        values.extend([
            ("http", self.http.to_string()),
            ("https", self.https.to_string()),
            ("admin", self.admin.to_string()),
            ("origin", self.origin.to_string()),
            ("origin_host", self.origin.ip().to_string()),
            ("origin_port", self.origin.port().to_string()),
            ("folder", self.folder.display().to_string()),
        ]);
        values.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
        let text = fill(template, &values)?;
        fs::write(self.file(name), &text)?;
        Ok(text)
    }
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
