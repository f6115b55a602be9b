//! The settings as the code sees them: checked, complete, defaults filled in.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::{AccessLogSettings, CertificateFiles, Limits, ReloadSettings, SiteSettings, UpgradeSettings};
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
    /// The origins, besides their own, whose pages may open WebSockets.
    pub websocket_origins: Vec<String>,
    /// What viewers may use up.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: LogSettings,
    /// How long requests in flight may go on after SIGTERM.
    pub drain: Duration,
    /// What is written of each request, and where.
    pub access_log: AccessLogSettings,
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
    /// Those of the addresses above at which balancers speak the PROXY protocol.
    pub proxy_protocol: Vec<SocketAddr>,
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
