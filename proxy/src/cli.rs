//! The command line: which command, with which configuration, and what the exit code says.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{
    config::{ConfigError, Environment, Settings},
    discovery, healthcheck,
    server::{self, Beginning, Load},
};

/// Where the configuration is unless the command line or the environment says otherwise.
const DEFAULT_FILE: &str = "/etc/portcullis/config.toml";

/// As clap's own.
const EXIT_USAGE: u8 = 2;

/// EX_CONFIG of sysexits.h.
const EXIT_CONFIGURATION: u8 = 78;

/// Cognito sign-in in front of your content.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    after_help = "Exit codes: 0 done, 1 failed to start or run, 2 wrong usage, 78 bad configuration (every problem is \
                  listed on standard error, nothing has been started)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM (requests in flight are finished) or SIGINT (they are not). SIGHUP reloads.
    Run {
        #[command(flatten)]
        source: Source,
        /// Take over from the process that runs: its listeners are used, and it finishes what it has begun.
        #[arg(long)]
        upgrade: bool,
    },
    /// Check the configuration and show what is in effect, secrets masked.
    Check {
        #[command(flatten)]
        source: Source,
        /// Ask OpenID providers for the endpoints that are not written down, and show them.
        #[arg(long)]
        online: bool,
        /// The form of the answer.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Say step by step what becomes of a request, and why. Nothing is asked of anyone unless `--online`, and
    /// no secret is shown.
    Explain {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        request: crate::explain::Arguments,
        /// The form of the answer.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Put a recorded request to an edge package and to the proxy in edge parity, and compare the answers.
    Replay {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        arguments: crate::replay::Arguments,
        /// The form of the answer.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show the whole thing on this machine, without an AWS account: identity provider, private bucket,
    /// sample site and proxy in one process.
    #[cfg(feature = "demo")]
    Demo(crate::demo::Arguments),
    /// Ask a running process whether it is ready: exit code 0 if it is, 1 if not. For HEALTHCHECK in containers.
    Healthcheck {
        #[command(flatten)]
        source: Source,
        /// Ask this, as http://127.0.0.1:9090/readyz, instead of the configuration's admin listener.
        #[arg(long)]
        url: Option<String>,
    },
    /// Make secrets.
    #[command(subcommand)]
    Keys(Keys),
    /// Show the version.
    Version,
    /// Write a shell's completions to standard output.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output.
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Make a secret of 256 random bits, as for nonceSigningSecret, in URL-safe Base64.
    New,
}

#[derive(Debug, Args)]
struct Source {
    /// The configuration: .toml, .yaml or .json. Every key can be overridden by a variable such as
    /// PORTCULLIS__SHUTDOWN__DRAIN; without a file, variables can be all there is.
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Source {
    fn load(&self) -> Result<Settings, ConfigError> {
        let environment = Environment::of_process();
        let default = Path::new(DEFAULT_FILE);
        let file = match &self.config {
            Some(file) => Some(file.as_path()),
            None if default.exists() || !environment.has_overrides() => Some(default),
            None => None,
        };
        Settings::load(file, &environment)
    }
}

/// Runs the command of the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run { source, upgrade } => run(source, if upgrade { Beginning::Upgrade } else { Beginning::Anew }),
        Command::Check { source, online, format } => check(&source, online, format),
        Command::Explain {
            source,
            request,
            format,
        } => explain(&source, &request, format),
        Command::Replay {
            source,
            arguments,
            format,
        } => replay(&source, &arguments, format),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => crate::demo::run(&arguments),
        Command::Healthcheck { source, url } => healthcheck(&source, url.as_deref()),
        Command::Keys(Keys::New) => new_key(),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "portcullis", &mut text);
            show(&String::from_utf8_lossy(&text))
        }
        Command::Man => {
            let mut text = Vec::new();
            match clap_mangen::Man::new(Cli::command()).render(&mut text) {
                Ok(()) => show(&String::from_utf8_lossy(&text)),
                Err(_) => ExitCode::FAILURE,
            }
        }
        Command::Version => show(&format!("portcullis {}\n", env!("CARGO_PKG_VERSION"))),
    }
}

fn run(source: Source, beginning: Beginning) -> ExitCode {
    let settings = match source.load() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    let load: Load = Box::new(move || source.load());
    match server::run(settings, &load, beginning) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("portcullis: failed to start: {error}\n"));
            ExitCode::from(if error.is_configuration() {
                EXIT_CONFIGURATION
            } else {
                1
            })
        }
    }
}

fn check(source: &Source, online: bool, format: Format) -> ExitCode {
    let checked = source.load().and_then(|settings| {
        crate::tls::Certificates::load(&settings.listen.tls)?;
        if online {
            discovery::settle_now(&settings)
        } else {
            Ok(settings)
        }
    });
    match (checked, format) {
        (Ok(settings), Format::Text) => {
            for warning in settings.warnings() {
                complain(&format!("warning: {warning}\n"));
            }
            show(&settings.to_toml())
        }
        (Ok(settings), Format::Json) => {
            let warnings = settings.warnings();
            let answer = serde_json::json!({ "valid": true, "warnings": warnings, "settings": settings.to_json() });
            show(&format!("{answer}\n"))
        }
        (Err(error), Format::Text) => refuse(&error),
        (Err(error), Format::Json) => {
            let answer = serde_json::json!({ "valid": false, "problems": error.problems });
            let _ = show(&format!("{answer}\n"));
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

/// Exit code 0 whatever the decision: it is in the answer.
fn explain(source: &Source, request: &crate::explain::Arguments, format: Format) -> ExitCode {
    let settings = match source.load() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    match (crate::explain::explain(&settings, request), format) {
        (Ok(explanation), Format::Text) => show(&explanation.to_text()),
        (Ok(explanation), Format::Json) => show(&format!("{}\n", explanation.to_json())),
        (Err(error), _) => {
            complain(&format!("portcullis: cannot explain: {error}\n"));
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Exit code 0 when the answers are equal, 1 when they are not.
fn replay(source: &Source, arguments: &crate::replay::Arguments, format: Format) -> ExitCode {
    let settings = match source.load() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    match crate::replay::replay(settings, arguments) {
        Ok(comparison) => {
            let shown = match format {
                Format::Text => show(&comparison.to_text()),
                Format::Json => show(&format!("{}\n", comparison.to_json())),
            };
            if comparison.is_equal() {
                shown
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            complain(&format!("portcullis: cannot replay: {error}\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn healthcheck(source: &Source, url: Option<&str>) -> ExitCode {
    let answer = match url {
        Some(url) => healthcheck::ask_url(url),
        None => match source.load() {
            Ok(settings) => healthcheck::ask_listener(settings.admin),
            Err(error) => return refuse(&error),
        },
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("portcullis: not ready: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn new_key() -> ExitCode {
    let mut key = [0; 32];
    match SystemRandom::new().fill(&mut key) {
        Ok(()) => show(&format!("{}\n", BASE64_URL_SAFE_NO_PAD.encode(key))),
        Err(_) => ExitCode::FAILURE,
    }
}

fn refuse(error: &ConfigError) -> ExitCode {
    let count = error.problems.len();
    let noun = if count == 1 { "problem" } else { "problems" };
    complain(&format!("portcullis: {count} {noun} in the configuration\n{error}\n"));
    ExitCode::from(EXIT_CONFIGURATION)
}

fn show(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
