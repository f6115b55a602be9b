//! The proxy beside others that do the same work, or part of it: nginx, HAProxy, Apache with mod_auth_openidc,
//! Varnish, and Pingora with nothing around it.
//!
//! All stand in front of one origin, get the same requests over kept connections, have as many workers and
//! write no access log. They are measured in turns, so that whatever else the machine does falls on all of
//! them, and compared by processor time a request. Before that each must show that it does the work: the
//! same bytes for a good session, none for a bad one. What is not installed is named and left out.

pub mod bare;
mod case;
mod check;
mod compare;
mod fault;
mod first_seen;
mod goals;
mod lane;
mod latency;
mod launch;
mod machine;
mod peer;
mod progress;
pub mod report;
mod running;
mod setup;
mod stage;
mod statistics;
mod template;
mod verification;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use thiserror::Error;

pub use case::Case;
pub use peer::Peer;

use self::{
    check::check,
    compare::{Entrant, Plan, compare, known_sessions, part},
    machine::Machine,
    peer::Program,
    progress::Progress,
    report::{Comparison, Configurations, Report, ours},
    running::{Running, StartError},
    setup::Setup,
    stage::{Stage, StageError},
};
use crate::{
    generator::Cookies,
    origin::{self, Origin, OriginError},
    process::raise_open_files,
    sessions::Minter,
};

/// What is compared, how long, and where the report goes.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Only these peers, besides ours
    #[arg(long, value_delimiter = ',', value_name = "PEER,…")]
    only: Vec<Peer>,
    /// Only these cases
    #[arg(long, value_delimiter = ',', value_name = "CASE,…")]
    cases: Vec<Case>,
    /// How often it is each peer's turn
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    turns: u16,
    /// Requests of one peer in one turn
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    requests: u64,
    /// Connections to each peer
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    connections: u16,
    /// Worker threads or processes of each peer
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    workers: u16,
    /// How long to wait in all, in seconds, while a core runs slowly
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    patience: u64,
    /// Another program than this one as our proxy
    #[arg(long, env = "PORTCULLIS", value_name = "PROGRAM")]
    proxy: Option<PathBuf>,
    /// Write the figures there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report there, with the configurations
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Show the configurations on the terminal as well
    #[arg(long)]
    show_configs: bool,
}

/// Why there is no report.
#[derive(Debug, Error)]
enum PeersError {
    /// The ground cannot be prepared.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The origin does not run.
    #[error("start the origin: {0}")]
    Origin(#[from] StartError),
    /// Nor does the one in its place.
    #[error(transparent)]
    BuiltIn(#[from] OriginError),
    /// Ours does not take part, so there is nothing to compare with.
    #[error("nothing to compare: {0} does not take part")]
    WithoutOurs(&'static str),
    /// The report cannot be written.
    #[error("write {file}: {error}")]
    Write {
        /// Where.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Who answers the peers.
struct Ground {
    stage: Stage,
    address: SocketAddr,
    /// nginx, whose files can be changed under the peers; else an origin within this process.
    nginx: Option<Running>,
    _built_in: Option<Origin>,
}

/// Compares, and shows the report. Peers that are missing or fail are left out, and named in it.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    match try_run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is no other place to say it.
            let _ = writeln!(io::stderr(), "benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn try_run(arguments: &Arguments) -> Result<(), PeersError> {
    // Without more of them large numbers of connections fail, which the run then says.
    let _ = raise_open_files();
    let mut progress = Progress::default();
    let ground = Ground::prepare(usize::from(arguments.workers))?;
    let minter = Minter::new();
    let entrants = arguments.enter(&ground, &minter, &mut progress)?;
    let report = arguments.measure(&ground, &entrants, &minter, progress);
    arguments.publish(&report)
}

impl Ground {
    fn prepare(workers: usize) -> Result<Self, PeersError> {
        let stage = Stage::new(workers)?;
        if let Some(program) = origin::nginx() {
            let nginx = Running::origin(&program, &stage)?;
            return Ok(Self {
                address: nginx.http,
                stage,
                nginx: Some(nginx),
                _built_in: None,
            });
        }
        let built_in = Origin::start(origin::Kind::BuiltIn, &stage.files())?;
        Ok(Self {
            address: built_in.address,
            stage,
            nginx: None,
            _built_in: Some(built_in),
        })
    }

    const fn name(&self) -> &'static str {
        match self.nginx {
            Some(_) => "nginx, one worker, files in memory, sendfile",
            None => "a small one within this program, since nginx is not there",
        }
    }
}

impl Arguments {
    const fn plan(&self) -> Plan {
        Plan {
            requests: self.requests,
            connections: self.connections as usize,
            turns: self.turns as usize,
            workers: self.workers as usize,
        }
    }

    fn cases(&self) -> Vec<Case> {
        let wanted = |case: &Case| self.cases.is_empty() || self.cases.contains(case);
        Case::all().iter().copied().filter(wanted).collect()
    }

    fn peers(&self) -> Vec<Peer> {
        let cases = self.cases();
        let wanted = |peer: Peer| self.only.is_empty() || self.only.contains(&peer);
        let needed = |peer: Peer, case: Case| {
            // Bare Pingora verifies for nobody else.
            peer.takes_part(case) && (wanted(peer) || peer == ours(case) || case == Case::FirstSeen)
        };
        let takes_part = |peer: &Peer| cases.iter().any(|&case| needed(*peer, case));
        Peer::all().iter().copied().filter(takes_part).collect()
    }

    /// Starts and checks the peers that are there.
    fn enter(&self, ground: &Ground, minter: &Minter, progress: &mut Progress) -> Result<Vec<Entrant>, PeersError> {
        let mut entrants = Vec::new();
        for peer in self.peers() {
            match self.start(peer, ground, minter) {
                Ok(running) => entrants.push((peer, running)),
                Err(why) => progress.leave_out(peer, why),
            }
        }
        for case in self.cases() {
            if !entrants.iter().any(|(peer, _)| *peer == ours(case)) {
                return Err(PeersError::WithoutOurs(ours(case).id()));
            }
        }
        Ok(entrants)
    }

    fn start(&self, peer: Peer, ground: &Ground, minter: &Minter) -> Result<Running, String> {
        if let Program::Installed(installed) = peer.program()
            && installed.find().is_none()
        {
            return Err(installed.advice());
        }
        let running = Running::peer(peer, self.proxy.as_deref(), &ground.stage, ground.address);
        let running = running.map_err(|error| error.to_string())?;
        let files = ground.stage.files();
        let changeable = ground.nginx.is_some().then_some(files.as_path());
        check(peer, &running, &files, changeable, minter).map_err(|error| error.to_string())?;
        Ok(running)
    }

    fn measure(&self, ground: &Ground, entrants: &[Entrant], minter: &Minter, mut progress: Progress) -> Report {
        let (plan, cases) = (self.plan(), self.cases());
        let sessions = known_sessions(minter);
        let peers: Vec<Peer> = entrants.iter().map(|(peer, _)| *peer).collect();
        let cookie_bytes = sessions.first().map_or(0, |session: &Cookies| session.header().len());
        let mut setup = Setup::new(plan, ground.stage.workers(), ground.name(), cookie_bytes, &peers);
        setup.proxy.clone_from(&self.proxy);
        let mut machine = Machine::new(Duration::from_secs(self.patience));
        let mut comparisons = Vec::new();
        for case in cases.iter().copied().filter(|case| case.is_comparison()) {
            let courses = compare(case, entrants, plan, &sessions, (&mut machine, &mut progress));
            comparisons.push(Comparison::new(case, &courses));
        }
        if cases.iter().any(|case| !case.is_comparison()) {
            part(entrants, plan, &machine);
        }
        let running = |wanted: Peer| {
            let entrant = entrants.iter().find(|(peer, _)| *peer == wanted);
            entrant.map(|(_, running)| running)
        };
        // Where it cannot be started, the report says so.
        let both = running(Peer::Portcullis).zip(running(Peer::PingoraRs256));
        let first_seen = both.filter(|_| cases.contains(&Case::FirstSeen)).and_then(|both| {
            let measured = first_seen::measure(both, plan, minter, ground.address, (&mut machine, &mut progress));
            progress.kept(Case::FirstSeen, Peer::Portcullis, measured)
        });
        let latency = cases.contains(&Case::Latency).then(|| {
            let measured = latency::measure(entrants, plan, &sessions, (&mut machine, &mut progress));
            progress.kept(Case::Latency, Peer::Portcullis, measured)
        });
        setup.finish(&machine);
        let report = Report {
            setup,
            comparisons,
            first_seen,
            latency: latency.flatten().unwrap_or_default(),
            goals: Vec::new(),
            left_out: progress.into_left_out(),
            configurations: configurations(ground, entrants),
        };
        report.judged()
    }

    fn publish(&self, report: &Report) -> Result<(), PeersError> {
        let shown = if self.show_configs {
            Configurations::Shown
        } else {
            Configurations::Hidden
        };
        // Whoever closes the output has read enough.
        let _ = writeln!(io::stdout(), "{}", report.markdown(shown));
        if let Some(file) = &self.markdown {
            write(file, &report.markdown(Configurations::Shown))?;
        }
        if let Some(file) = &self.json {
            let json = serde_json::to_string_pretty(report).map_err(io::Error::from);
            let json = json.map_err(|error| PeersError::Write {
                file: file.clone(),
                error,
            })?;
            write(file, &json)?;
        }
        Ok(())
    }
}

fn configurations(ground: &Ground, entrants: &[Entrant]) -> BTreeMap<String, running::Configuration> {
    let peers = entrants.iter().map(|(peer, running)| (peer.id(), running));
    let origin = ground.nginx.iter().map(|running| ("origin", running));
    let all = peers.chain(origin);
    all.map(|(name, running)| (name.to_owned(), running.configuration.clone()))
        .collect()
}

fn write(file: &Path, text: &str) -> Result<(), PeersError> {
    fs::write(file, text).map_err(|error| PeersError::Write {
        file: file.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(line: &str) -> Arguments {
        let words = ["peers"].into_iter().chain(line.split_whitespace());
        Command::try_parse_from(words).unwrap().arguments
    }

    #[test]
    fn everything_takes_part_unless_said_otherwise() {
        assert_eq!(arguments("").peers(), Peer::all());
        assert_eq!(arguments("").cases(), Case::all());
    }

    #[test]
    fn ours_is_always_there() {
        let peers = arguments("--only nginx,varnish --cases h1-1k,cache-1k").peers();
        assert_eq!(
            peers,
            [Peer::Portcullis, Peer::Nginx, Peer::PortcullisCache, Peer::Varnish]
        );
    }

    #[test]
    fn peers_without_a_case_are_not_started() {
        let peers = arguments("--cases latency").peers();
        assert_eq!(peers, [Peer::Portcullis, Peer::Nginx]);
    }
}
