//! Under what conditions a run has measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::{
    compare::Plan,
    lane::STREAMS,
    machine::Machine,
    peer::{Peer, Program},
};

/// What the reader of a report has to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setup {
    /// How this program was built, by the folder it lies in: `dist`, `release`, `debug`.
    pub profile: String,
    /// Another program that was ours instead of this one; how it was built nobody knows.
    pub proxy: Option<PathBuf>,
    /// The processor.
    pub processor: String,
    /// Processors that this program may use.
    pub cores: usize,
    /// The kernel.
    pub kernel: String,
    /// Processes that ran or waited on average over the last minute, at the beginning and at the end.
    pub load: [String; 2],
    /// Turns that were taken again, because a core ran slowly.
    pub repeated: u64,
    /// Who has answered the peers.
    pub origin: String,
    /// Threads or processes of each peer.
    pub workers: usize,
    /// Connections to each.
    pub connections: usize,
    /// Requests at a time on an HTTP/2 connection, of which there are so many fewer.
    pub streams: usize,
    /// Requests of one peer in one turn.
    pub requests: u64,
    /// Turns.
    pub turns: usize,
    /// The Cookie header, in bytes.
    pub cookie_bytes: usize,
    /// What the programs say of themselves.
    pub versions: Vec<String>,
}

impl Setup {
    pub(crate) fn new(plan: Plan, workers: usize, origin: &str, cookie_bytes: usize, peers: &[Peer]) -> Self {
        Self {
            profile: profile(),
            proxy: None,
            processor: processor(&read("/proc/cpuinfo")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: [load(), String::new()],
            repeated: 0,
            origin: origin.to_owned(),
            workers,
            connections: plan.connections,
            streams: STREAMS,
            requests: plan.requests,
            turns: plan.turns,
            cookie_bytes,
            versions: versions(peers),
        }
    }

    /// Notes how busy the machine was at the end, and how often it was slow.
    pub(crate) fn finish(&mut self, machine: &Machine) {
        self.repeated = machine.repeated();
        self.load[1] = load();
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn load() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()
}

fn profile() -> String {
    let program = env::current_exe().unwrap_or_default();
    let folders = program.ancestors().skip(1).filter_map(Path::file_name);
    let folder = folders
        .map(|name| name.to_string_lossy().into_owned())
        .find(|name| name != "deps");
    folder.unwrap_or_default()
}

fn processor(cpuinfo: &str) -> String {
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(':').nth(1)).unwrap_or("unknown");
    model.trim().to_owned()
}

fn versions(peers: &[Peer]) -> Vec<String> {
    let mut versions = vec![format!("Portcullis {}", env!("CARGO_PKG_VERSION"))];
    for peer in peers {
        let Program::Installed(installed) = peer.program() else {
            continue;
        };
        let asked = installed
            .find()
            .and_then(|program| Command::new(program).arg(installed.version).output().ok());
        let said = asked
            .map(|output| [output.stdout, output.stderr].concat())
            .unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().next().unwrap_or_default().trim();
        if !line.is_empty() && !versions.iter().any(|known| known == line) {
            versions.push(line.to_owned());
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found_in_what_linux_says() {
        assert_eq!(
            processor("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"),
            "Some CPU @ 2 GHz"
        );
        assert_eq!(processor(""), "unknown");
    }

    #[test]
    fn the_profile_is_the_folder_of_the_program() {
        assert!(!profile().is_empty() && profile() != "deps");
    }
}
