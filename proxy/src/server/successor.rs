//! Starts the program anew, with the same arguments and `--upgrade`, so that it takes over.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

const UPGRADE: &str = "--upgrade";

/// What a successor of this process is started with.
#[derive(Clone, Debug)]
pub(super) struct Successor {
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl Successor {
    /// To be made early: once the program file has been replaced, the system names it otherwise.
    pub(super) fn of_this_process() -> Self {
        let mut arguments = env::args_os();
        let called = arguments.next().filter(|called| Path::new(called).is_absolute());
        Self {
            program: called.map(PathBuf::from).or_else(|| env::current_exe().ok()),
            arguments: with_upgrade(arguments),
        }
    }

    /// Starts it. How it fares is logged; this process goes on until the successor has taken over.
    pub(super) fn start(&self) {
        let Some(program) = &self.program else {
            tracing::error!(target: "portcullis", "SIGUSR2: it is not known where the program is");
            return;
        };
        match Command::new(program).args(&self.arguments).spawn() {
            Ok(mut child) => {
                tracing::info!(target: "portcullis", pid = child.id(), "SIGUSR2: a successor has been started");
                thread::spawn(move || {
                    // A successor that takes over outlives this process.
                    if let Ok(status) = child.wait()
                        && !status.success()
                    {
                        tracing::error!(target: "portcullis", %status, "the successor has failed, this process goes on");
                    }
                });
            }
            Err(error) => {
                tracing::error!(target: "portcullis", %error, "SIGUSR2: a successor cannot be started");
            }
        }
    }
}

fn with_upgrade(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if !arguments.iter().any(|argument| argument == OsStr::new(UPGRADE)) {
        arguments.push(UPGRADE.into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_of_a_successor_is_told_to_upgrade_once() {
        let first = with_upgrade(["run", "--config", "a.toml"].map(OsString::from).into_iter());
        assert_eq!(first, ["run", "--config", "a.toml", "--upgrade"]);
        assert_eq!(with_upgrade(first.clone().into_iter()), first);
    }
}
