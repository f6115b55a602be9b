//! Our proxy, as a process of its own: another program's if one is named, else this one's, which has the whole
//! proxy in it and becomes it when it is started under the name `portcullis`.

use std::{
    env, fs, io,
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    process::{Process, ProcessError},
    sessions,
};

/// The name under which this program is the proxy.
pub(crate) const NAME: &str = "portcullis";
/// The host that is served; browsers and this harness take it for this machine.
pub const HOST: &str = "app.localhost";

/// Why the proxy is not there.
#[derive(Debug, Error)]
pub enum PortcullisError {
    /// Its configuration or certificate cannot be written.
    #[error("configure the proxy: {0}")]
    Io(#[from] io::Error),
    /// No certificate can be made.
    #[error("make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// It does not run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Runs the proxy in place of this program, if it has been started as that. To be asked first of all in `main`,
/// in a program with the proxy's allocator.
#[must_use]
pub fn become_proxy() -> Option<ExitCode> {
    (env::args_os().next()? == NAME).then(proxy::cli::main)
}

/// Whether the site of the configuration wants a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// As always.
    Required,
    /// Everything is public.
    Off,
}

/// A configuration for one site with the sessions of [`crate::sessions`], to be changed at will: keys as in
/// docs/configuration.md. It listens on free ports, writes no access log, and knows everybody's keys.
#[must_use]
pub fn configuration(origin: SocketAddr, threads: usize, sign_in: SignIn) -> Value {
    let auth = match sign_in {
        SignIn::Off => json!({ "insecure_auth_off": true }),
        SignIn::Required => json!({
            "userPoolArn": format!("arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{}", sessions::POOL),
            "jwks": sessions::jwks(),
            "clientId": sessions::CLIENT_ID,
            "clientSecret": "",
            "oauthScopes": ["openid", "email"],
            "cognitoAuthDomain": "login.example.com",
            "mode": "spaMode",
            "nonceSigningSecret": "0123456789abcdef0123456789abcdef",
        }),
    };
    json!({
        "threads": threads,
        "listen": { "http": ["127.0.0.1:0"], "insecure_plain_http": true },
        "admin": { "listen": "127.0.0.1:0" },
        "log": { "format": "json" },
        "access_log": { "format": "off" },
        "sites": [{
            "name": "load",
            "hosts": [HOST],
            "auth": auth,
            "origin": { "kind": "custom", "url": format!("http://{origin}") },
        }],
    })
}

/// Adds a listener with TLS, whose certificate is made here and signed by itself.
///
/// # Errors
/// If it cannot be made or written.
pub fn add_tls(configuration: &mut Value, folder: &Path) -> Result<Certificate, PortcullisError> {
    let certificate = Certificate::make(folder, HOST)?;
    configuration["listen"]["https"] = json!(["127.0.0.1:0"]);
    configuration["listen"]["tls"] = json!([{ "cert": certificate.cert, "key": certificate.key }]);
    Ok(certificate)
}

/// A certificate and its key, in files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// PEM.
    pub cert: PathBuf,
    /// PEM.
    pub key: PathBuf,
    /// Both, one behind the other, as some servers want them.
    pub both: PathBuf,
}

impl Certificate {
    /// Makes one (ECDSA with P-256, as most have) for that name.
    ///
    /// # Errors
    /// If it cannot be made or written.
    pub fn make(folder: &Path, name: &str) -> Result<Self, PortcullisError> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()])?;
        let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let certificate = Self {
            cert: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            both: folder.join("certificate-and-key.pem"),
        };
        fs::write(&certificate.cert, &cert)?;
        fs::write(&certificate.key, &key)?;
        fs::write(&certificate.both, cert + &key)?;
        Ok(certificate)
    }
}

/// A running proxy.
#[derive(Debug)]
pub struct Portcullis {
    /// Its process.
    pub process: Process,
    /// Where it takes plain HTTP.
    pub http: Option<SocketAddr>,
    /// Where it takes TLS.
    pub https: Option<SocketAddr>,
    /// Metrics and probes.
    pub admin: Option<SocketAddr>,
}

impl Portcullis {
    /// Starts it with a configuration, which is written into the folder under that name, and waits until it
    /// listens. Variables of the environment reach it, so each key can be changed from outside.
    ///
    /// # Errors
    /// If it does not start; what it said is in the error.
    pub fn start(
        program: Option<&Path>,
        configuration: &Value,
        folder: &Path,
        name: &str,
    ) -> Result<Self, PortcullisError> {
        let file = folder.join(format!("{name}.json"));
        fs::write(&file, configuration.to_string())?;
        let program = program.map_or_else(env::current_exe, |program| Ok(program.to_owned()))?;
        let mut command = Command::new(program);
        command.arg0(NAME).arg("run").arg("--config").arg(&file);
        let mut process = Process::start(name, command)?;
        let ready = process.wait_line(ready)?;
        let address = |field: &str| ready[field].as_str()?.split(',').next()?.parse().ok();
        Ok(Self {
            http: address("http"),
            https: address("https"),
            admin: address("admin"),
            process,
        })
    }
}

/// The event that says where it listens.
fn ready(line: &str) -> Option<Value> {
    let event: Value = serde_json::from_str(line).ok()?;
    (event["message"] == "ready").then_some(event)
}

/// A folder for what servers write, in memory where there is such a place; it goes when this is dropped.
///
/// # Errors
/// If there is no place for it.
pub fn scratch() -> io::Result<tempfile::TempDir> {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() {
        shared.to_owned()
    } else {
        env::temp_dir()
    };
    tempfile::Builder::new().prefix("portcullis-load-").tempdir_in(parent)
}
