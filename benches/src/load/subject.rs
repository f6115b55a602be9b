//! The proxy that is measured: ours to start, or somebody's that runs already.

use std::{cell::RefCell, time::Duration};

use url::Url;

use super::{
    LoadError, PhaseReport, Report, Setup,
    arguments::{StartedArguments, TargetArguments},
    metrics::{self, Endpoint, Scrape},
    progress::Progress,
    report::{MemoryReport, Moment, now},
    stack::Stack,
};
use crate::{
    generator::{Generator, Mix, Phase, Protocol, Size, Target},
    process::{self, Usage},
};

/// It, where it is, and what is known of it.
pub(super) struct Subject {
    pub(super) target: Target,
    url: String,
    pid: Option<u32>,
    metrics: Option<Endpoint>,
    before: Option<Scrape>,
    moments: RefCell<Vec<Moment>>,
    stack: Option<Stack>,
}

impl Subject {
    /// Starts one with all it needs.
    pub(super) fn start(arguments: &StartedArguments, protocol: Protocol, tls: bool) -> Result<Self, LoadError> {
        let stack = Stack::start(arguments, tls)?;
        let target = stack.target(protocol)?;
        let scheme = if tls { "https" } else { "http" };
        Self::new(Self {
            url: format!("{scheme}://{}:{}", target.authority, target.address.port()),
            target,
            pid: Some(stack.proxy.process.id()),
            metrics: stack.proxy.admin.map(Endpoint::of_admin),
            before: None,
            moments: RefCell::default(),
            stack: Some(stack),
        })
    }

    /// One that runs.
    pub(super) fn running(url: &Url, protocol: Protocol, arguments: &TargetArguments) -> Result<Self, LoadError> {
        let metrics = match &arguments.metrics_url {
            Some(url) => Some(Endpoint::of_url(url).ok_or_else(|| LoadError::MetricsUrl(url.to_string()))?),
            None => None,
        };
        Self::new(Self {
            target: Target::from_url(url, protocol, arguments.ca_file.as_deref())?,
            url: url.origin().ascii_serialization(),
            pid: arguments.pid,
            metrics,
            before: None,
            moments: RefCell::default(),
            stack: None,
        })
    }

    fn new(mut subject: Self) -> Result<Self, LoadError> {
        subject.before = subject.scrape()?;
        subject.remember("start")?;
        Ok(subject)
    }

    /// What it has taken so far.
    pub(super) fn usage(&self) -> Result<Option<Usage>, LoadError> {
        let read = |pid| process::usage(pid).map_err(|source| LoadError::Process { pid, source });
        self.pid.map(read).transpose()
    }

    /// Notes what memory it has now.
    pub(super) fn remember(&self, when: &str) -> Result<Option<Usage>, LoadError> {
        let usage = self.usage()?;
        self.moments.borrow_mut().extend(usage.map(|usage| Moment {
            when: when.to_owned(),
            memory: usage.memory,
        }));
        Ok(usage)
    }

    fn scrape(&self) -> Result<Option<Scrape>, LoadError> {
        let endpoint = self.metrics.as_ref();
        endpoint.map(Endpoint::scrape).transpose().map_err(LoadError::Metrics)
    }

    /// Runs a phase, and notes what it took.
    pub(super) fn measure(
        &self,
        name: &str,
        generator: &mut Generator,
        phase: Phase,
        progress: &mut Progress,
    ) -> Result<PhaseReport, LoadError> {
        let own = || process::usage(std::process::id()).ok();
        let before = (self.usage()?, self.own(own()));
        let measured = generator.run_watched(phase, &mut |so_far| progress.load(name, so_far))?;
        let after = (self.usage()?, self.own(own()));
        self.remember(&format!("after {name}"))?;
        let proxy = before.0.zip(after.0).map(|(before, after)| [before, after]);
        let own = before.1.zip(after.1).map(|(before, after)| [before, after]);
        Ok(PhaseReport::new(name, &measured, proxy, own))
    }

    /// This process without the proxy and the origin, which may be children of it.
    fn own(&self, whole: Option<Usage>) -> Option<Usage> {
        let mut usage = whole?;
        for process in self.stack.iter().flat_map(Stack::processes) {
            let theirs = process.usage().ok()?.cpu;
            usage.cpu = usage.cpu.saturating_sub(theirs);
        }
        usage.memory = process::Memory::default();
        (usage.cpu > Duration::ZERO).then_some(usage)
    }

    /// What was done, for the report.
    pub(super) fn setup(&self, mode: &str, size: Size, mix: &Mix, protocol: &'static str) -> Setup {
        Setup {
            target: self.url.clone(),
            protocol,
            mode: mode.to_owned(),
            connections: size.connections,
            streams: size.streams,
            threads: size.threads,
            mix: mix.to_string(),
            origin: self.stack.as_ref().map(|stack| stack.origin.name.to_owned()),
            proxy: self.stack.as_ref().map(|stack| stack.description.clone()),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            optimised: !cfg!(debug_assertions),
        }
    }

    /// The report, with what has changed since the beginning.
    pub(super) fn report(&self, setup: Setup, phases: Vec<PhaseReport>) -> Result<Report, LoadError> {
        let after = self.scrape()?;
        let metrics = self.before.as_ref().zip(after.as_ref());
        let moments = self.moments.take();
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            finished: now(),
            setup,
            phases,
            memory: (!moments.is_empty()).then_some(MemoryReport { moments }),
            metrics: metrics.map(|(before, after)| metrics::changes(before, after)),
            goals: Vec::new(),
        })
    }
}
