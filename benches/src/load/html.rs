//! The report as one page that needs nothing else: no script, no font, no other file.

use std::fmt::Write as _;

use super::{
    plot::{Chart, Line, Scale},
    report::{CurvePoint, PhaseReport, Report},
};

const STYLE: &str = include_str!("style.css");
/// Marks of the quantile axis.
const QUANTILES: [(f64, &str); 6] = [
    (0.0, "0"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (0.99999, "99.999 %"),
];

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut page, report);
    page
}

/// Text for elements and for attributes in double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    let target = escape(&report.setup.target);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Load on {target}</title>\
         <style>{STYLE}</style></head><body><main>\n<h1>Load on {target}</h1>\n"
    )?;
    write_summary(page, report)?;
    for (index, phase) in report.phases.iter().enumerate() {
        write_phase(page, phase, index)?;
    }
    write_memory(page, report)?;
    write_metrics(page, report)?;
    write_setup(page, report)?;
    writeln!(page, "</main></body></html>")
}

fn write_summary(page: &mut String, report: &Report) -> std::fmt::Result {
    let wrong = report.wrong();
    let unmet = report.goals.iter().filter(|goal| !goal.is_met());
    match (wrong, unmet.count()) {
        (0, 0) => writeln!(page, "<p class=\"good\">All requests were answered as expected.</p>")?,
        (0, _) => {}
        (wrong, _) => writeln!(
            page,
            "<p class=\"bad\">{wrong} requests failed or were answered with an unexpected status.</p>"
        )?,
    }
    for goal in &report.goals {
        let (class, verb) = if goal.is_met() {
            ("good", "holds")
        } else {
            ("bad", "does not hold")
        };
        let (found, bound) = (mebibytes(goal.found_bytes), mebibytes(goal.bound_bytes));
        let what = escape(&goal.what);
        writeln!(
            page,
            "<p class=\"{class}\">{what}: {found} MiB of at most {bound} MiB: {verb}.</p>"
        )?;
    }
    if !report.setup.optimised {
        writeln!(page, "<p class=\"bad\">Not optimised: these figures mean little.</p>")?;
    }
    Ok(())
}

fn write_phase(page: &mut String, phase: &PhaseReport, index: usize) -> std::fmt::Result {
    let cpu = phase
        .cpu_us_per_request
        .map_or_else(|| "unknown".to_owned(), |cpu| format!("{cpu:.1} µs"));
    write!(
        page,
        "<section><h2>{}</h2><dl class=\"figures\">\
         <div><dt>answers a second</dt><dd>{:.0}</dd></div><div><dt>answers</dt><dd>{}</dd></div>\
         <div><dt>processor time a request</dt><dd>{cpu}</dd></div>\
         <div><dt>latency p99</dt><dd>{:.3} ms</dd></div></dl>",
        escape(&phase.name),
        phase.answers_per_second,
        phase.answers,
        phase.latency_us.p99 / 1e3
    )?;
    write!(
        page,
        "<table><caption>Milliseconds. Latency is since requests were due (corrected for coordinated omission), \
         service time since they were sent.</caption><thead><tr><th></th><th scope=\"col\">p50</th>\
         <th scope=\"col\">p90</th><th scope=\"col\">p99</th><th scope=\"col\">p99.9</th>\
         <th scope=\"col\">max</th></tr></thead><tbody>"
    )?;
    for (name, found) in [("latency", &phase.latency_us), ("service time", &phase.service_time_us)] {
        write!(page, "<tr><th scope=\"row\">{name}</th>")?;
        for microseconds in [found.p50, found.p90, found.p99, found.p99_9, found.max] {
            write!(page, "<td>{:.3}</td>", microseconds / 1e3)?;
        }
        write!(page, "</tr>")?;
    }
    write!(page, "</tbody></table>")?;
    write_outcomes(page, phase)?;
    for chart in [curve(phase, index), latency(phase, index), throughput(phase, index)] {
        let svg = chart.svg();
        if !svg.is_empty() {
            let (title, legend) = (escape(&chart.title), chart.legend());
            write!(page, "<figure><figcaption>{title}</figcaption>{svg}{legend}</figure>")?;
        }
    }
    write_timeline(page, phase)?;
    writeln!(page, "</section>")
}

fn write_outcomes(page: &mut String, phase: &PhaseReport) -> std::fmt::Result {
    write!(page, "<table><caption>Answers</caption><tbody>")?;
    for (status, count) in &phase.statuses {
        write!(page, "<tr><th scope=\"row\">status {status}</th><td>{count}</td></tr>")?;
    }
    for (failure, count) in &phase.failures {
        let failure = escape(failure);
        write!(
            page,
            "<tr class=\"bad\"><th scope=\"row\">{failure}</th><td>{count}</td></tr>"
        )?;
    }
    for kind in &phase.kinds {
        let unexpected = match kind.unexpected {
            0 => String::new(),
            count => format!(", <span class=\"bad\">{count} unexpected</span>"),
        };
        let (name, answers) = (escape(&kind.name), kind.answers);
        write!(
            page,
            "<tr><th scope=\"row\">kind {name}</th><td>{answers}{unexpected}</td></tr>"
        )?;
    }
    write!(page, "</tbody></table>")
}

fn write_timeline(page: &mut String, phase: &PhaseReport) -> std::fmt::Result {
    write!(
        page,
        "<details><summary>Second by second</summary><table><thead><tr><th scope=\"col\">second</th>\
         <th scope=\"col\">answers</th><th scope=\"col\">wrong</th><th scope=\"col\">p50, ms</th>\
         <th scope=\"col\">p99, ms</th></tr></thead><tbody>"
    )?;
    let milliseconds = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{:.3}", time / 1e3));
    for second in &phase.timeline {
        let (p50, p99) = (milliseconds(second.p50_us), milliseconds(second.p99_us));
        write!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{p50}</td><td>{p99}</td></tr>",
            second.second, second.answers, second.wrong
        )?;
    }
    write!(page, "</tbody></table></details>")
}

fn write_memory(page: &mut String, report: &Report) -> std::fmt::Result {
    let Some(memory) = &report.memory else { return Ok(()) };
    write!(
        page,
        "<section><h2>Memory of the proxy</h2><table><caption>MiB. RSS is what is in memory, anonymous the part of \
         it that belongs to no file, PSS counts what is shared in parts.</caption><thead><tr><th></th>\
         <th scope=\"col\">RSS</th><th scope=\"col\">peak</th><th scope=\"col\">anonymous</th>\
         <th scope=\"col\">PSS</th></tr></thead><tbody>"
    )?;
    for moment in &memory.moments {
        let found = &moment.memory;
        let pss = found.pss.map_or_else(|| "–".to_owned(), mebibytes);
        write!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{pss}</td></tr>",
            escape(&moment.when),
            mebibytes(found.rss),
            mebibytes(found.peak),
            mebibytes(found.anonymous)
        )?;
    }
    writeln!(page, "</tbody></table></section>")
}

fn write_metrics(page: &mut String, report: &Report) -> std::fmt::Result {
    let Some(metrics) = &report.metrics else { return Ok(()) };
    write!(
        page,
        "<section><h2>Metrics</h2><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Metrics\"><table>\
         <caption>What changed between start and end.</caption><thead><tr><th scope=\"col\">series</th>\
         <th scope=\"col\">before</th><th scope=\"col\">after</th><th scope=\"col\">difference</th></tr></thead><tbody>"
    )?;
    for change in metrics {
        write!(
            page,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{:+}</td></tr>",
            escape(&change.series),
            rounded(change.before),
            rounded(change.after),
            rounded(change.difference)
        )?;
    }
    writeln!(page, "</tbody></table></div></section>")
}

fn write_setup(page: &mut String, report: &Report) -> std::fmt::Result {
    let setup = &report.setup;
    let not_ours = || "not started here".to_owned();
    write!(page, "<section><h2>How</h2><table><tbody>")?;
    for (name, value) in [
        ("target", setup.target.clone()),
        ("protocol", setup.protocol.to_owned()),
        ("mode", setup.mode.clone()),
        ("connections", setup.connections.to_string()),
        ("requests at a time on each", setup.streams.to_string()),
        ("load threads", setup.threads.to_string()),
        ("mix", setup.mix.clone()),
        ("proxy", setup.proxy.clone().unwrap_or_else(not_ours)),
        ("origin", setup.origin.clone().unwrap_or_else(not_ours)),
        ("processors", setup.processors.to_string()),
        ("version", report.version.to_owned()),
    ] {
        write!(
            page,
            "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>",
            escape(&value)
        )?;
    }
    writeln!(page, "</tbody></table></section>")
}

/// Latency and service time by quantile. Each further nine takes as much room as the one before.
fn curve(phase: &PhaseReport, index: usize) -> Chart {
    let finite = phase.curve.iter().filter(|point| point.quantile < 1.0);
    let greatest = finite.map(|point| nines(point.quantile)).fold(0.0, f64::max);
    let place = |point: &CurvePoint| {
        if point.quantile < 1.0 {
            nines(point.quantile)
        } else {
            greatest + 0.3
        }
    };
    let line = |name, of: fn(&CurvePoint) -> f64| Line {
        name,
        points: phase
            .curve
            .iter()
            .map(|point| (place(point), of(point) / 1e3))
            .collect(),
    };
    let ticks = QUANTILES
        .into_iter()
        .filter(|(quantile, _)| nines(*quantile) <= greatest);
    Chart {
        id: format!("curve-{index}"),
        title: "Latency by percentile".to_owned(),
        description: format!(
            "Median {:.3} ms, 99th percentile {:.3} ms, greatest {:.3} ms.",
            phase.latency_us.p50 / 1e3,
            phase.latency_us.p99 / 1e3,
            phase.latency_us.max / 1e3
        ),
        x_label: "share of requests that were faster",
        y_label: "milliseconds",
        x_ticks: ticks
            .map(|(quantile, label)| (nines(quantile), label.to_owned()))
            .collect(),
        scale: Scale::Logarithmic,
        lines: vec![
            line("latency (since due)", |point| point.latency_us),
            line("service time (since sent)", |point| point.service_time_us),
        ],
    }
}

fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn latency(phase: &PhaseReport, index: usize) -> Chart {
    let line = |name, of: fn(&super::report::SecondReport) -> Option<f64>| Line {
        name,
        points: phase
            .timeline
            .iter()
            .filter_map(|second| Some((second.second as f64, of(second)? / 1e3)))
            .collect(),
    };
    Chart {
        id: format!("latency-{index}"),
        title: "Latency over time".to_owned(),
        description: "Median and 99th percentile of each second; the table below has the figures.".to_owned(),
        x_label: "seconds",
        y_label: "milliseconds",
        x_ticks: seconds(phase),
        scale: Scale::Logarithmic,
        lines: vec![line("p50", |second| second.p50_us), line("p99", |second| second.p99_us)],
    }
}

fn throughput(phase: &PhaseReport, index: usize) -> Chart {
    let whole = phase.seconds.floor() as usize;
    let line = |name, of: fn(&super::report::SecondReport) -> u64| Line {
        name,
        // The last second is over before its end.
        points: phase
            .timeline
            .iter()
            .filter(|second| second.second < whole.max(1))
            .map(|second| (second.second as f64, of(second) as f64))
            .collect(),
    };
    Chart {
        id: format!("throughput-{index}"),
        title: "Answers a second".to_owned(),
        description: format!("On average {:.0} answers a second.", phase.answers_per_second),
        x_label: "seconds",
        y_label: "answers a second",
        x_ticks: seconds(phase),
        scale: Scale::Linear,
        lines: vec![
            line("answers", |second| second.answers),
            line("wrong or none", |second| second.wrong),
        ],
    }
}

fn seconds(phase: &PhaseReport) -> Vec<(f64, String)> {
    let step = phase.timeline.len().div_ceil(10).max(1);
    (0..phase.timeline.len())
        .step_by(step)
        .map(|second| (second as f64, second.to_string()))
        .collect()
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::tests::sample;

    #[test]
    fn what_could_be_markup_is_escaped() {
        assert_eq!(escape("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
        let page = page(&sample());
        assert!(
            page.contains("<h1>Load on http://&lt;b&gt;&amp;&quot;&#39;</h1>"),
            "{page}"
        );
        assert!(page.contains("<code>a_total{code=&quot;2xx&quot;}</code>"));
        assert!(!page.contains("<b>"));
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = page(&sample());
        for other in ["<script", "<link", "src=", "url(", "@import"] {
            assert!(!page.contains(other), "{other}");
        }
        assert_eq!(page.matches("<svg").count(), 3);
        assert_eq!(page.matches("</svg>").count(), 3);
    }

    #[test]
    fn every_identifier_is_unique() {
        let page = page(&sample());
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), count), (6, 6));
    }

    #[test]
    fn what_went_wrong_stands_out() {
        let page = page(&sample());
        assert!(page.contains("<p class=\"bad\">2 requests failed"));
        assert!(page.contains("RSS: 3.0 MiB of at most 2.0 MiB: does not hold."));
        assert!(page.contains("<span class=\"bad\">1 unexpected</span>"));
    }
}
