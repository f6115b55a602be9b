//! What the command line of `load` says.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use thiserror::Error;
use url::Url;

use crate::{
    generator::{Expected, Protocol},
    origin,
};

/// What is to be done.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without --url, an origin, an identity provider and the proxy are started for the occasion, on this \
                  machine, with sessions that are signed here. PORTCULLIS__… variables reach that proxy. Exit code 1: \
                  a request failed or was answered with an unexpected status."
)]
pub struct Arguments {
    /// A measurement of memory instead.
    #[command(subcommand)]
    pub scenario: Option<Scenario>,
    #[command(flatten)]
    pub(super) target: TargetArguments,
    #[command(flatten)]
    pub(super) amount: AmountArguments,
    #[command(flatten)]
    pub(super) started: StartedArguments,
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// What is measured without a rate.
#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// Memory of the proxy with many open connections on which nothing happens.
    Idle {
        /// Connections, each of which asks once.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Speak TLS.
        #[arg(long)]
        tls: bool,
        /// How long nothing happens.
        #[arg(long, default_value = "5s", value_parser = duration)]
        silence: Duration,
        #[command(flatten)]
        started: StartedArguments,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Memory of the proxy that has seen many sessions, and what a session costs it the first time.
    Sessions {
        /// Sessions, each of which asks once in each of two rounds.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// Connections at a time.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        #[command(flatten)]
        started: StartedArguments,
        #[command(flatten)]
        output: OutputArguments,
    },
}

#[derive(Debug, Args)]
#[command(next_help_heading = "A proxy that runs already")]
pub(super) struct TargetArguments {
    /// Its address, as https://app.example.com: scheme, host and port count.
    #[arg(long)]
    pub(super) url: Option<Url>,
    /// Sessions of its viewers: a Cookie header a line, as browsers show it. Needed for all kinds but anonymous.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) cookie_file: Option<PathBuf>,
    /// Verify its certificate against these authorities (PEM); otherwise any is taken.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) ca_file: Option<PathBuf>,
    /// Its metrics, as http://127.0.0.1:9090/metrics.
    #[arg(long, requires = "url")]
    pub(super) metrics_url: Option<Url>,
    /// Its process id, if it is on this machine: processor time and memory are read from /proc.
    #[arg(long, requires = "url")]
    pub(super) pid: Option<u32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct AmountArguments {
    /// What makes a request due: the clock, or the answer to the one before.
    #[arg(long, value_enum, default_value_t = Mode::Closed)]
    pub(super) mode: Mode,
    /// Requests a second, in mode open.
    #[arg(long, value_parser = rate, required_if_eq("mode", "open"))]
    pub(super) rate: Option<f64>,
    /// Connections at a time.
    #[arg(long, default_value_t = 64, value_parser = count)]
    pub(super) connections: usize,
    /// Requests at a time on an HTTP/2 connection.
    #[arg(long, default_value_t = 8, value_parser = count)]
    pub(super) streams: usize,
    /// Threads that generate the load; one does some 50,000 small requests a second.
    #[arg(long, default_value_t = 1, value_parser = count)]
    pub(super) threads: usize,
    /// How long to measure: 500ms, 30s, 5m.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(super) duration: Duration,
    /// How many requests to measure, instead of how long.
    #[arg(long, conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) requests: Option<u64>,
    /// Load of the same kind before, not measured.
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub(super) warm_up: Duration,
    /// Kinds of requests and their weights, as valid=80,anonymous=10,expired=5,large=5. distinct is valid with a
    /// session of --sessions after the other.
    #[arg(long, default_value = "valid=1")]
    pub(super) mix: Weights,
    /// How many sessions `distinct` has; a hundred thousand take a minute or two to sign.
    #[arg(long, default_value_t = 10_000, value_parser = count)]
    pub(super) sessions: usize,
    /// What is asked for.
    #[arg(long, default_value = origin::SMALL, value_parser = path)]
    pub(super) path: String,
    /// What `large` asks for; of the origin started here, also /10m.bin.
    #[arg(long, default_value = origin::MEDIUM, value_parser = path)]
    pub(super) large_path: String,
    /// Expected statuses that differ from the usual ones (a redirect for anonymous and expired, 200 for others), as
    /// anonymous=302.
    #[arg(long)]
    pub(super) expect: Option<Statuses>,
    /// Speak HTTP/2.
    #[arg(long)]
    pub(super) http2: bool,
    /// Speak TLS with a proxy that is started here; with --url, the scheme says so.
    #[arg(long, conflicts_with = "url")]
    pub(super) tls: bool,
}

impl AmountArguments {
    pub(super) const fn protocol(&self) -> Protocol {
        if self.http2 { Protocol::Http2 } else { Protocol::Http1 }
    }
}

/// About what is started for the occasion.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What is started without --url")]
pub struct StartedArguments {
    /// The proxy's program; without it, this one takes its part.
    #[arg(long, value_name = "FILE", env = "PORTCULLIS")]
    pub(super) proxy: Option<PathBuf>,
    /// Worker threads of the proxy.
    #[arg(long, default_value_t = 1, value_parser = count)]
    pub(super) proxy_threads: usize,
    /// Let everybody in, for comparison.
    #[arg(long)]
    pub(super) sign_in_off: bool,
    /// Which server has the content.
    #[arg(long, value_enum, default_value_t)]
    pub(super) origin: origin::Kind,
}

/// Where the report goes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Report")]
pub struct OutputArguments {
    /// Write it as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write it as a page with plots.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    Open,
    Closed,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Valid,
    Expired,
    Anonymous,
    Large,
    Distinct,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Valid, Self::Expired, Self::Anonymous, Self::Large, Self::Distinct];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Anonymous => "anonymous",
            Self::Large => "large",
            Self::Distinct => "distinct",
        }
    }

    /// What the proxy answers.
    pub(super) const fn usual_answer(self) -> Expected {
        match self {
            Self::Expired | Self::Anonymous => Expected::Redirect,
            Self::Valid | Self::Large | Self::Distinct => Expected::Status(200),
        }
    }
}

/// Weights by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weights(pub(super) Vec<(Kind, u32)>);

/// Statuses by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statuses(pub(super) Vec<(Kind, u16)>);

/// What is wrong with an argument.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ArgumentError {
    #[error("{0:?} is no KIND=NUMBER, as valid=80")]
    Pair(String),
    #[error("unknown kind {0:?}; there are valid, expired, anonymous, large and distinct")]
    Kind(String),
    #[error("{0} is there twice")]
    Twice(&'static str),
    #[error("all weights are 0")]
    NoWeight,
    #[error("{0} is no status; there are 100 to 599")]
    Status(u16),
    #[error("{0:?} is no duration, as 500ms, 30s or 5m")]
    Duration(String),
    #[error("a rate is a number greater than 0")]
    Rate,
    #[error("a number from 1 on is needed")]
    Count,
    #[error("a path begins with / and has neither spaces nor #")]
    Path,
}

fn pairs<N: FromStr>(text: &str) -> Result<Vec<(Kind, N)>, ArgumentError> {
    let mut pairs: Vec<(Kind, N)> = Vec::new();
    for pair in text.split(',').map(str::trim) {
        let bad = || ArgumentError::Pair(pair.to_owned());
        let (name, number) = pair.split_once('=').ok_or_else(bad)?;
        let named = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim());
        let kind = named.ok_or_else(|| ArgumentError::Kind(name.to_owned()))?;
        if pairs.iter().any(|(known, _)| *known == kind) {
            return Err(ArgumentError::Twice(kind.name()));
        }
        pairs.push((kind, number.trim().parse().map_err(|_| bad())?));
    }
    Ok(pairs)
}

impl FromStr for Weights {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, ArgumentError> {
        let weights = pairs(text)?;
        if weights.iter().all(|(_, weight)| *weight == 0) {
            return Err(ArgumentError::NoWeight);
        }
        Ok(Self(weights))
    }
}

impl FromStr for Statuses {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, ArgumentError> {
        let statuses = pairs(text)?;
        match statuses.iter().find(|(_, status)| !(100..600).contains(status)) {
            Some((_, status)) => Err(ArgumentError::Status(*status)),
            None => Ok(Self(statuses)),
        }
    }
}

fn duration(text: &str) -> Result<Duration, ArgumentError> {
    let bad = || ArgumentError::Duration(text.to_owned());
    let unit = text
        .find(|character: char| !character.is_ascii_digit())
        .ok_or_else(bad)?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().map_err(|_| bad())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(bad),
        _ => Err(bad()),
    }
}

fn rate(text: &str) -> Result<f64, ArgumentError> {
    let rate: f64 = text.parse().map_err(|_| ArgumentError::Rate)?;
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(ArgumentError::Rate)
    }
}

fn count(text: &str) -> Result<usize, ArgumentError> {
    text.parse().ok().filter(|&count| count > 0).ok_or(ArgumentError::Count)
}

fn path(text: &str) -> Result<String, ArgumentError> {
    let good = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if good {
        Ok(text.to_owned())
    } else {
        Err(ArgumentError::Path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_kinds_with_weights() {
        let weights: Weights = "valid=80, anonymous=20".parse().unwrap();
        assert_eq!(weights.0, [(Kind::Valid, 80), (Kind::Anonymous, 20)]);
    }

    #[test]
    fn a_bad_mix_says_what_is_wrong_with_it() {
        let refused = |text: &str| text.parse::<Weights>().unwrap_err();
        assert_eq!(refused("valid"), ArgumentError::Pair("valid".into()));
        assert_eq!(refused("valid=many"), ArgumentError::Pair("valid=many".into()));
        assert_eq!(refused("valid=-1"), ArgumentError::Pair("valid=-1".into()));
        assert_eq!(refused("invalid=1"), ArgumentError::Kind("invalid".into()));
        assert_eq!(refused("valid=1,valid=2"), ArgumentError::Twice("valid"));
        assert_eq!(refused("valid=0,large=0"), ArgumentError::NoWeight);
        assert_eq!(refused(""), ArgumentError::Pair(String::new()));
    }

    #[test]
    fn an_expected_status_is_one() {
        let statuses: Statuses = "anonymous=302".parse().unwrap();
        assert_eq!(statuses.0, [(Kind::Anonymous, 302)]);
        assert_eq!("valid=99".parse::<Statuses>(), Err(ArgumentError::Status(99)));
        assert_eq!("valid=600".parse::<Statuses>(), Err(ArgumentError::Status(600)));
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for bad in ["5", "s", "5h", "-1s", "1.5s", "99999999999999999999s"] {
            assert_eq!(duration(bad), Err(ArgumentError::Duration(bad.into())));
        }
    }

    #[test]
    fn rates_and_counts_are_positive() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for bad in ["0", "-1", "nan", "inf", "x"] {
            assert_eq!(rate(bad), Err(ArgumentError::Rate), "{bad}");
        }
        assert_eq!(count("1"), Ok(1));
        assert_eq!(count("0"), Err(ArgumentError::Count));
    }

    #[test]
    fn a_path_fits_into_a_request_line() {
        assert_eq!(path("/a?b=c").as_deref(), Ok("/a?b=c"));
        for bad in ["a", "/a b", "/a\r\n", "/a#b", "/é"] {
            assert_eq!(path(bad), Err(ArgumentError::Path), "{bad:?}");
        }
    }
}
