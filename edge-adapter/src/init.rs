//! Initialisation: the environment, the configuration file, and the report of what is wrong with them.
//!
//! The runtime library does not report a failing initialisation, and panics where Lambda's variables are
//! missing; both are done here, before it is started.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::PathBuf,
    time::Duration,
};

use http::uri::Authority;
use serde_json::json;

use crate::{Role, SettingsError, UnknownRole};

/// What the runtime library needs; it panics where one is missing.
const REQUIRED: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// How long the report of a failure may take.
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the function cannot start.
#[derive(Debug)]
pub enum InitError {
    /// Not started by Lambda: a variable is missing or unfit.
    Environment(&'static str),
    /// The Handler property names no role.
    Role(UnknownRole),
    /// configuration.json cannot be read.
    File(PathBuf, io::Error),
    /// configuration.json is refused.
    Settings(SettingsError),
    /// The runtime cannot be started.
    Runtime(io::Error),
}

impl InitError {
    /// The error type, as Lambda shows it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Environment(_) => "Runtime.InvalidEnvironment",
            Self::Role(_) => "Runtime.InvalidHandler",
            Self::File(..) | Self::Settings(_) => "Runtime.InvalidConfiguration",
            Self::Runtime(_) => "Runtime.InitError",
        }
    }
}

impl std::fmt::Display for InitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(name) => write!(
                f,
                "environment variable {name} is missing or unfit; this program is to be started by Lambda"
            ),
            Self::Role(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Settings(error) => error.fmt(f),
            Self::Runtime(error) => write!(f, "cannot start the runtime: {error}"),
        }
    }
}

impl std::error::Error for InitError {}

/// Checks what the runtime library would panic on.
///
/// # Errors
/// The first variable that is missing or unfit.
pub fn check_environment() -> Result<(), InitError> {
    for name in REQUIRED {
        let fit = match (name, env::var(name)) {
            (_, Err(_)) => false,
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Ok(value)) => value.parse::<i32>().is_ok(),
            ("AWS_LAMBDA_RUNTIME_API", Ok(value)) => value.parse::<Authority>().is_ok(),
            (_, Ok(_)) => true,
        };
        if !fit {
            return Err(InitError::Environment(name));
        }
    }
    Ok(())
}

/// The role that Lambda's `_HANDLER` names.
///
/// # Errors
/// When it is missing or names none.
pub fn role() -> Result<Role, InitError> {
    let handler = env::var("_HANDLER").map_err(|_| InitError::Environment("_HANDLER"))?;
    handler.parse().map_err(InitError::Role)
}

/// The text of the configuration.json beside the program.
///
/// # Errors
/// When it cannot be read.
pub fn configuration() -> Result<Vec<u8>, InitError> {
    let folder = env::var_os("LAMBDA_TASK_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::current_exe().ok()?.parent().map(ToOwned::to_owned))
        .unwrap_or_default();
    let path = folder.join("configuration.json");
    fs::read(&path).map_err(|error| InitError::File(path, error))
}

/// Tells Lambda why the function cannot start, as well as it can be told: whoever calls this exits.
pub fn report(error: &InitError) {
    let message = error.to_string();
    let body = json!({"errorType": error.kind(), "errorMessage": message, "stackTrace": []}).to_string();
    let _ = writeln!(io::stdout(), "{}", json!({"level": "ERROR", "message": message}));
    if let Ok(api) = env::var("AWS_LAMBDA_RUNTIME_API") {
        let _ = post(&api, error.kind(), &body);
    }
}

/// Posts to `/runtime/init/error` and waits for the reply, so that the report is there before the end.
fn post(api: &str, kind: &str, body: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(api)?;
    stream.set_read_timeout(Some(REPORT_TIMEOUT))?;
    stream.set_write_timeout(Some(REPORT_TIMEOUT))?;
    write!(
        stream,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()?;
    stream.read(&mut [0; 512]).map(drop)
}
