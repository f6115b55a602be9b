//! `load`: the proxy under load. Drives one that runs already, or starts everything on this machine; reports
//! as text, JSON and a page with plots.

mod arguments;
mod html;
mod kinds;
pub(crate) mod metrics;
mod plot;
mod progress;
mod report;
mod scenario;
mod stack;
mod subject;

use std::{io::Write as _, process::ExitCode};

use thiserror::Error;

pub use arguments::Arguments;

use arguments::{AmountArguments, Mode, OutputArguments, Scenario};
use kinds::{KindError, Source};
use progress::Progress;
use report::{PhaseReport, Report, Setup};
use stack::StackError;
use subject::Subject;

use crate::generator::{Arrival, Generator, GeneratorError, Phase, Protocol, Size, Stop, TargetError};

/// Why there is no report.
#[derive(Debug, Error)]
enum LoadError {
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Kind(#[from] KindError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("{0} is no http:// address of metrics that is known")]
    MetricsUrl(String),
    #[error("read the metrics: {0}")]
    Metrics(std::io::Error),
    #[error("read what process {pid} takes: {source}")]
    Process { pid: u32, source: std::io::Error },
    #[error("write {file}: {source}")]
    Write { file: String, source: std::io::Error },
    #[error("{needed} open files are needed and {allowed} allowed: raise the hard limit (ulimit -Hn, LimitNOFILE)")]
    OpenFiles { needed: u64, allowed: u64 },
}

/// Runs it and reports. Exit code 1: something failed, was answered with an unexpected status, or a goal does
/// not hold.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut progress = Progress::new();
    let (made, output) = match &arguments.scenario {
        None => (load(arguments, &mut progress), &arguments.output),
        Some(Scenario::Idle {
            connections,
            tls,
            silence,
            started,
            output,
        }) => (
            scenario::idle(*connections, *tls, *silence, started, &mut progress),
            output,
        ),
        Some(Scenario::Sessions {
            count,
            connections,
            started,
            output,
        }) => (scenario::sessions(*count, *connections, started, &mut progress), output),
    };
    progress.end();
    let written = made.and_then(|report| {
        write(&report, output)?;
        Ok(report)
    });
    match written {
        Ok(report) if report.wrong() == 0 && report.goals.iter().all(report::Goal::is_met) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(report: &Report, output: &OutputArguments) -> Result<(), LoadError> {
    let to_file = |file: &std::path::Path, text: String| {
        std::fs::write(file, text).map_err(|source| LoadError::Write {
            file: file.display().to_string(),
            source,
        })
    };
    let printed = std::io::stdout().write_all(report::text(report).as_bytes());
    printed.map_err(|source| LoadError::Write {
        file: "standard output".to_owned(),
        source,
    })?;
    if let Some(file) = &output.json {
        // It is made of texts and numbers alone.
        to_file(file, serde_json::to_string_pretty(report).unwrap_or_default() + "\n")?;
    }
    if let Some(file) = &output.html {
        to_file(file, html::page(report))?;
    }
    Ok(())
}

fn load(arguments: &Arguments, progress: &mut Progress) -> Result<Report, LoadError> {
    let amount = &arguments.amount;
    let subject = match &arguments.target.url {
        Some(url) => Subject::running(url, amount.protocol(), &arguments.target)?,
        None => {
            progress.begin("starting origin, identity provider and proxy");
            Subject::start(&arguments.started, amount.protocol(), amount.tls)?
        }
    };
    let source = match &arguments.target.url {
        Some(_) => Source::read(arguments.target.cookie_file.as_deref())?,
        None => Source::Minted(Box::default()),
    };
    let everybody = arguments.target.url.is_none() && arguments.started.sign_in_off;
    let mix = kinds::mix(amount, everybody, &source, progress)?;
    let setup = subject.setup(&describe(amount), size(amount), &mix, protocol_name(amount.protocol()));
    let mut generator = Generator::connect(subject.target.clone(), mix, size(amount))?;
    if !amount.warm_up.is_zero() {
        let phase = phase(amount, Stop::After(amount.warm_up));
        generator.run_watched(phase, &mut |so_far| progress.load("warming up", so_far))?;
    }
    let stop = amount.requests.map_or(Stop::After(amount.duration), Stop::Requests);
    let measured = subject.measure("load", &mut generator, phase(amount, stop), progress)?;
    subject.report(setup, vec![measured])
}

const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    }
}

const fn size(amount: &AmountArguments) -> Size {
    Size {
        connections: amount.connections,
        streams: if amount.http2 { amount.streams } else { 1 },
        threads: amount.threads,
    }
}

fn phase(amount: &AmountArguments, stop: Stop) -> Phase {
    let arrival = match (amount.mode, amount.rate) {
        (Mode::Open, Some(per_second)) => Arrival::Open { per_second },
        _ => Arrival::Closed,
    };
    Phase { arrival, stop }
}

fn describe(amount: &AmountArguments) -> String {
    match (amount.mode, amount.rate) {
        (Mode::Open, Some(rate)) => format!("open loop, {rate} requests a second"),
        _ => "closed loop".to_owned(),
    }
}
