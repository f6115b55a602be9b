//! The report for people.

use std::fmt::Write as _;

use super::{Comparison, Configurations, Report, ours, table::Table};
use crate::peers::{
    case::Case,
    compare::PARTS,
    first_seen::FirstSeen,
    goals::Goal,
    latency::{Latency, Steady},
    setup::Setup,
    statistics::Spread,
};

pub(super) fn render(report: &Report, configurations: Configurations) -> String {
    let mut text = setup(&report.setup);
    text.extend(report.comparisons.iter().map(comparison));
    text.extend(report.first_seen.iter().map(first_seen));
    if !report.latency.is_empty() {
        text += &latency(&report.latency);
    }
    text += &goals(&report.goals);
    text += &left_out(report);
    if configurations == Configurations::Shown {
        text += &configurations_of(report);
    }
    text
}

fn setup(setup: &Setup) -> String {
    let mut text = "# Peers\n\n".to_owned();
    let cores = if setup.cores == 1 { "core" } else { "cores" };
    let lines = [
        format!(
            "Built with the profile `{}`. {} {cores} of {}, Linux {}.",
            setup.profile, setup.cores, setup.processor, setup.kernel
        ),
        format!(
            "Each peer: {} worker(s), {} connections ({} requests at a time on one of HTTP/2), {} requests a turn, {} turns \
             in {PARTS} parts each, {} bytes of cookies.",
            setup.workers, setup.connections, setup.streams, setup.requests, setup.turns, setup.cookie_bytes
        ),
        format!(
            "Origin: {}. Load of the machine: {} before, {} after. Turns taken again because a core ran slowly: {}.",
            setup.origin, setup.load[0], setup.load[1], setup.repeated
        ),
        format!("{}.", setup.versions.join("; ")),
    ];
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
    if let Some(proxy) = &setup.proxy {
        let _ = writeln!(text, "- Ours is `{}`, however that was built.", proxy.display());
    }
    if setup.profile == "debug" {
        text += "- A debug build: what is measured of ours and of Pingora means nothing.\n";
    }
    text + "\nProcessor time is of the proxy alone: user and system, its children included. Ratios are ours to the \
            peer's, the median over the parts of the turns, with the range of the middle half. Below 1 ours takes less.\n"
}

fn comparison(comparison: &Comparison) -> String {
    let mut table = Table::new(&[
        "proxy",
        "µs a request",
        "ours to it",
        "middle half",
        "requests a second",
    ]);
    for row in &comparison.rows {
        let is_ours = row.peer == ours(comparison.case);
        let ratio = row.ratio.filter(|_| !is_ours);
        table.row(vec![
            row.peer.title().to_owned(),
            micros(row.microseconds.median),
            ratio.map_or_else(String::new, |ratio| format!("{:.2}", ratio.median)),
            ratio.map_or_else(String::new, range),
            format!("{:.0}", row.throughput.median),
        ]);
    }
    format!("\n## {}\n\n{}", capital(comparison.case.title()), table.render())
}

fn first_seen(found: &FirstSeen) -> String {
    let mut table = Table::new(&["what", "µs", "middle half"]);
    for (what, spread) in [
        ("a request of a known session", found.known),
        ("a request of a session that is new", found.new),
        ("the decision about a known session", found.known_decision),
        ("the decision about a new one", found.decision),
        ("one RS256 verification by ring in a bare Pingora", found.in_proxy),
        ("one without any proxy", found.alone),
    ] {
        table.row(vec![what.to_owned(), micros(spread.median), range(spread)]);
    }
    format!(
        "\n## {}\n\n{}\nThe decision about a new session costs {:.2} verifications in a proxy ({}), {:.2} ({}) above one \
         about a known session. In verifications without a proxy it costs {:.2} ({}), the whole request {:.2} ({}) above one \
         of a known session.\n",
        capital(Case::FirstSeen.title()),
        table.render(),
        found.ratio.median,
        range(found.ratio),
        found.extra_ratio.median,
        range(found.extra_ratio),
        found.ratio_alone.median,
        range(found.ratio_alone),
        found.request_ratio.median,
        range(found.request_ratio)
    )
}

fn latency(found: &[Latency]) -> String {
    let head = [
        "proxy",
        "saturated at",
        "requests a second",
        "p50 µs",
        "p99 µs",
        "p99, ours to it",
        "middle half",
    ];
    let table = |of: fn(&Latency) -> &Steady| {
        let mut table = Table::new(&head);
        for latency in found {
            let steady = of(latency);
            let ratio = steady.ratio.filter(|_| latency.peer != ours(Case::Latency));
            table.row(vec![
                latency.peer.title().to_owned(),
                format!("{:.0}", latency.saturation),
                format!("{:.0}", steady.rate),
                format!("{:.0}", steady.p50.median),
                format!("{:.0}", steady.p99.median),
                ratio.map_or_else(String::new, |ratio| format!("{:.2}", ratio.median)),
                ratio.map_or_else(String::new, range),
            ]);
        }
        table.render()
    };
    format!(
        "\n## {}\n\nRequests come by the clock and count from when they were due. Each at 70 % of its own limit:\n\n{}\n\
         All at 70 % of the lowest limit:\n\n{}",
        capital(Case::Latency.title()),
        table(|latency| &latency.own),
        table(|latency| &latency.equal)
    )
}

fn goals(goals: &[Goal]) -> String {
    let mut table = Table::new(&["ours to it", "at most", "is", "holds"]);
    for goal in goals {
        table.row(vec![
            goal.what.clone(),
            format!("{:.2}", goal.limit),
            goal.figure.map_or_else(|| "-".into(), |figure| format!("{figure:.2}")),
            match goal.holds() {
                None => "not measured",
                Some(true) => "yes",
                Some(false) => "NO",
            }
            .to_owned(),
        ]);
    }
    format!("\n## Goals\n\n{}", table.render())
}

fn left_out(report: &Report) -> String {
    if report.left_out.is_empty() {
        return String::new();
    }
    let mut text = "\n## Not measured\n\n".to_owned();
    for left_out in &report.left_out {
        let case = left_out
            .case
            .map_or_else(String::new, |case| format!(" in {}", case.title()));
        let _ = writeln!(text, "- {}{case}: {}", left_out.peer.title(), left_out.why);
    }
    text
}

fn configurations_of(report: &Report) -> String {
    let mut text = "\n## Configurations\n".to_owned();
    for (name, configuration) in &report.configurations {
        let _ = write!(text, "\n### {name}\n\n```\n{}\n```\n", configuration.command);
        if let Some(file) = &configuration.file {
            let _ = write!(text, "\n```\n{}\n```\n", file.trim_end());
        }
    }
    text
}

fn micros(value: f64) -> String {
    format!("{value:.1}")
}

fn range(spread: Spread) -> String {
    let digits = if spread.high < 10.0 { 2 } else { 1 };
    format!("{:.digits$} to {:.digits$}", spread.low, spread.high)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::peers::{peer::Peer, progress::LeftOut, report::Row, running::Configuration};

    fn spread(median: f64) -> Spread {
        Spread {
            low: median * 0.9,
            median,
            high: median * 1.1,
        }
    }

    fn report() -> Report {
        let row = |peer, microseconds, ratio| Row {
            peer,
            microseconds: spread(microseconds),
            ratio: Some(spread(ratio)),
            throughput: spread(12_345.6),
        };
        let setup = Setup {
            profile: "dist".into(),
            proxy: Some("/opt/portcullis".into()),
            processor: "Some CPU".into(),
            cores: 2,
            kernel: "6.1".into(),
            load: ["0.50".into(), "2.00".into()],
            repeated: 0,
            origin: "nginx".into(),
            workers: 1,
            connections: 64,
            streams: 4,
            requests: 10_000,
            turns: 9,
            cookie_bytes: 4_500,
            versions: vec!["Portcullis 1".into(), "nginx version: nginx/1".into()],
        };
        Report {
            setup,
            comparisons: vec![Comparison {
                case: Case::Http1Small,
                rows: vec![row(Peer::Portcullis, 42.0, 1.0), row(Peer::Nginx, 21.0, 2.0)],
            }],
            first_seen: None,
            latency: Vec::new(),
            goals: Vec::new(),
            left_out: vec![LeftOut {
                peer: Peer::Varnish,
                case: None,
                why: "varnishd is not there".into(),
            }],
            configurations: BTreeMap::from([(
                "nginx".to_owned(),
                Configuration {
                    command: "nginx -c file".into(),
                    file: Some("daemon off;\n".into()),
                },
            )]),
        }
        .judged()
    }

    #[test]
    fn a_comparison_shows_times_and_ratios() {
        let text = render(&report(), Configurations::Hidden);
        assert!(text.contains("## 1 KB, HTTP/1.1\n"), "{text}");
        let nginx = text
            .lines()
            .find(|line| line.starts_with("| nginx, no sign-in"))
            .unwrap();
        let cells: Vec<_> = nginx.split('|').map(str::trim).collect();
        assert_eq!(
            cells[1..6],
            ["nginx, no sign-in", "21.0", "2.00", "1.80 to 2.20", "12346"]
        );
    }

    #[test]
    fn ours_has_no_ratio_to_itself() {
        let text = render(&report(), Configurations::Hidden);
        let ours = text.lines().find(|line| line.starts_with("| Portcullis ")).unwrap();
        assert_eq!(ours.split('|').map(str::trim).nth(3), Some(""));
    }

    #[test]
    fn goals_say_whether_they_hold() {
        let text = render(&report(), Configurations::Hidden);
        let goal = |what: &str| {
            text.lines()
                .find(|line| line.starts_with(&format!("| {what}")))
                .unwrap()
        };
        assert!(
            goal("1 KB, HTTP/1.1: nginx").ends_with("2.00 |           NO |"),
            "{text}"
        );
        assert!(goal("1 KB, HTTP/1.1: HAProxy").ends_with("not measured |"), "{text}");
    }

    #[test]
    fn a_program_that_was_built_elsewhere_is_named() {
        assert!(render(&report(), Configurations::Hidden).contains("- Ours is `/opt/portcullis`"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(render(&report(), Configurations::Hidden).contains("- Varnish: varnishd is not there\n"));
    }

    #[test]
    fn configurations_are_shown_on_demand() {
        assert!(!render(&report(), Configurations::Hidden).contains("daemon off"));
        let text = render(&report(), Configurations::Shown);
        assert!(
            text.contains("### nginx\n\n```\nnginx -c file\n```\n\n```\ndaemon off;\n```\n"),
            "{text}"
        );
    }

    #[test]
    fn programs_read_the_same_figures() {
        let json = serde_json::to_value(report()).unwrap();
        let row = &json["comparisons"][0]["rows"][1];
        assert_eq!(row["peer"], "nginx");
        assert_eq!(row["ratio"]["median"], 2.0);
        assert_eq!(json["comparisons"][0]["case"], "h1-1k");
    }
}
