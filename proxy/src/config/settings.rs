//! The settings as the code sees them: checked, complete, defaults filled in.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::{CertificateFiles, ReloadSettings, SiteSettings, UpgradeSettings};
use crate::forward_auth::ForwardAuth;

/// Everything a server needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where viewers connect.
    pub listen: ListenSettings,
    /// Where operators connect; `None`: nowhere.
    pub admin: Option<SocketAddr>,
    /// The peers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The servers that may ask whether a request may pass.
    pub forward_auth: ForwardAuth,
    /// What a request may use up.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: LogSettings,
    /// How long requests in flight may go on after SIGTERM.
    pub drain: Duration,
    /// What is read again while the server runs.
    pub reload: ReloadSettings,
    /// How another process takes over.
    pub upgrade: UpgradeSettings,
    /// Bytes of everything that all sites keep.
    pub cache_bytes: usize,
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// The sites, at least one.
    pub sites: Vec<SiteSettings>,
    /// The files that all this was taken from; certificates are not among them.
    pub files: Vec<PathBuf>,
}

/// Where viewers connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenSettings {
    /// Plain HTTP/1.1.
    pub http: Vec<SocketAddr>,
    /// HTTP/1.1 and HTTP/2 over TLS.
    pub https: Vec<SocketAddr>,
    /// The certificates, chosen by server name; the first one serves unknown names.
    pub tls: Vec<CertificateFiles>,
    /// What redirects to ourselves say for viewers on plain HTTP.
    pub plain_http: PlainHttp,
}

/// The scheme of redirects to ourselves for a viewer on a plain listener whose host is not a loopback
/// name and of whom no trusted proxy says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// https: there is a balancer in front that ends TLS.
    #[default]
    BehindTls,
    /// http: viewers really use it. Their cookies will not be kept, since they are `Secure`.
    Insecure,
}

/// What a request may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The request line and all header fields.
    pub header_bytes: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's header may take, from its first byte to its last.
    pub header: Duration,
    /// How long a connection may be kept without a request.
    pub idle: Duration,
    /// How long a viewer may pause while sending a body.
    pub read: Duration,
    /// How long a viewer may refuse to take a part of a response.
    pub write: Duration,
    /// Connections at a time; more wait in the system's queue.
    pub connections: NonZeroUsize,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least severe events that are shown.
    pub level: tracing::Level,
    /// Their form.
    pub format: LogFormat,
}

/// The form of log events on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}
