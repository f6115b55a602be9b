//! The report for the terminal.

use std::fmt::Write as _;

use super::{Percentiles, PhaseReport, Report};

/// Metrics shown here; the others are in the files.
const SERIES: usize = 24;

/// The report, ready to be printed.
pub(in crate::load) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    let setup = &report.setup;
    writeln!(text, "{} ({}), {}", setup.target, setup.protocol, setup.mode)?;
    writeln!(
        text,
        "{} connections, {} streams each, mix {}",
        setup.connections, setup.streams, setup.mix
    )?;
    if !setup.optimised {
        writeln!(
            text,
            "NOT OPTIMISED: build with --release for figures that mean something"
        )?;
    }
    for phase in &report.phases {
        write_phase(text, phase)?;
    }
    if let Some(memory) = &report.memory {
        writeln!(text, "\nproxy's memory, MiB   RSS    peak  anonymous  PSS")?;
        for moment in &memory.moments {
            let found = &moment.memory;
            let pss = found.pss.map_or_else(|| "-".to_owned(), mebibytes);
            writeln!(
                text,
                "  {:<16} {:>7} {:>7} {:>7}   {pss:>7}",
                moment.when,
                mebibytes(found.rss),
                mebibytes(found.peak),
                mebibytes(found.anonymous)
            )?;
        }
    }
    for goal in &report.goals {
        let met = if goal.is_met() { "holds" } else { "DOES NOT HOLD" };
        let (found, bound) = (mebibytes(goal.found_bytes), mebibytes(goal.bound_bytes));
        writeln!(text, "\n{}: {found} MiB, at most {bound} wanted: {met}", goal.what)?;
    }
    if let Some(metrics) = &report.metrics {
        writeln!(text, "\nmetrics that changed")?;
        for change in metrics.iter().take(SERIES) {
            writeln!(text, "  {} {:+}", change.series, change.difference)?;
        }
        if metrics.len() > SERIES {
            writeln!(text, "  and {} more", metrics.len() - SERIES)?;
        }
    }
    Ok(())
}

fn write_phase(text: &mut String, phase: &PhaseReport) -> std::fmt::Result {
    writeln!(
        text,
        "\n{}: {} answers in {:.2} s, {:.0}/s, {} wrong, {} reconnections",
        phase.name, phase.answers, phase.seconds, phase.answers_per_second, phase.wrong, phase.reconnections
    )?;
    writeln!(text, "  milliseconds       p50      p90      p99    p99.9      max")?;
    write_percentiles(text, "latency", &phase.latency_us)?;
    write_percentiles(text, "service time", &phase.service_time_us)?;
    let each = |cpu: Option<f64>| cpu.map_or_else(|| "unknown".to_owned(), |cpu| format!("{cpu:.1} µs"));
    writeln!(
        text,
        "  processor time a request: proxy {}, load {}",
        each(phase.cpu_us_per_request),
        each(phase.generator_cpu_us_per_request)
    )?;
    let statuses = phase
        .statuses
        .iter()
        .map(|(status, count)| format!("{status}: {count}"));
    let failures = phase
        .failures
        .iter()
        .map(|(failure, count)| format!("{failure}: {count}"));
    writeln!(text, "  {}", statuses.chain(failures).collect::<Vec<_>>().join(", "))?;
    for kind in phase.kinds.iter().filter(|kind| kind.unexpected > 0) {
        writeln!(
            text,
            "  {}: {} answered with an unexpected status",
            kind.name, kind.unexpected
        )?;
    }
    Ok(())
}

fn write_percentiles(text: &mut String, name: &str, found: &Percentiles) -> std::fmt::Result {
    write!(text, "  {name:<13}")?;
    for microseconds in [found.p50, found.p90, found.p99, found.p99_9, found.max] {
        write!(text, " {:>8.3}", microseconds / 1e3)?;
    }
    writeln!(text)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
