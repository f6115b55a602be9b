//! Where a site's content comes from, as the code sees it.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use auth_core::Secret;
use http::{HeaderName, HeaderValue, Uri, uri::Scheme};
use thiserror::Error;

/// One site's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginSettings {
    /// An S3 bucket or a bucket of an S3-compatible store.
    S3(S3Settings),
    /// Any HTTP or HTTPS server.
    Custom(CustomSettings),
    /// Files of a folder.
    Directory(DirectorySettings),
    /// None: the content is with a server that asks whether it may give it out.
    Nothing,
}

impl OriginSettings {
    /// The value of `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::S3(_) => "s3",
            Self::Custom(_) => "custom",
            Self::Directory(_) => "directory",
            Self::Nothing => "none",
        }
    }

    /// Whether the origin is also made of things that can change while the settings stay the same:
    /// certificate files, credentials of the AWS chain.
    #[must_use]
    pub const fn draws_on_others(&self) -> bool {
        match self {
            Self::S3(s3) => s3.credentials.is_none(),
            Self::Custom(custom) => custom.ca_file.is_some() || custom.client_certificate.is_some(),
            Self::Directory(_) | Self::Nothing => false,
        }
    }

    /// Tells origins apart whose content may differ.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::S3(s3) => {
                let endpoint = s3.endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
                let region = s3.region.as_deref().unwrap_or_default();
                format!("s3\n{endpoint}\n{region}\n{}\n{}", s3.bucket, s3.prefix)
            }
            Self::Custom(custom) => {
                let host = custom.host.as_ref();
                let host = host.map(|host| String::from_utf8_lossy(host.as_bytes()));
                let urls: Vec<String> = custom.urls.iter().map(ToString::to_string).collect();
                format!("custom\n{}\n{}", urls.join(" "), host.unwrap_or_default())
            }
            Self::Directory(directory) => format!("directory\n{}", directory.root.display()),
            Self::Nothing => "none".to_owned(),
        }
    }
}

/// `kind = "s3"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's region. `None`: taken from the AWS environment (`AWS_REGION`, profile).
    pub region: Option<String>,
    /// Another endpoint than AWS's for the region.
    pub endpoint: Option<OriginUrl>,
    /// How the bucket is named in a request.
    pub addressing: S3Addressing,
    /// Put before every key: no leading slash; ends with a slash where the configuration has it so. Empty: none.
    pub prefix: String,
    /// Fixed credentials. `None`: the standard AWS chain.
    pub credentials: Option<StaticCredentials>,
    /// The status a viewer gets for a missing key (S3 says 403 where listing is not permitted).
    pub missing_status: MissingStatus,
    /// Limits of the wait for the store.
    pub timeouts: OriginTimeouts,
}

/// How the bucket is named in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum S3Addressing {
    /// `https://bucket.s3.region.amazonaws.com/key`
    #[default]
    VirtualHost,
    /// `https://s3.region.amazonaws.com/bucket/key`
    Path,
}

/// Fixed S3 credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticCredentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Secret<String>,
    /// For temporary credentials.
    pub session_token: Option<Secret<String>>,
}

/// What a viewer gets for 403 and 404 of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingStatus {
    /// 404 for both.
    #[default]
    NotFound,
    /// 403 for both.
    Forbidden,
}

/// `kind = "custom"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSettings {
    /// The servers, asked in turn: scheme, host and port to connect to. At least one.
    pub urls: Vec<OriginUrl>,
    /// How the servers are checked. `None`: only by their connections.
    pub health_check: Option<HealthCheck>,
    /// The Host header sent. `None`: the one of the server's URL.
    pub host: Option<HeaderValue>,
    /// The name checked in the origin's certificate. `None`: the host of the server's URL.
    pub sni: Option<String>,
    /// PEM file of the certificate authorities trusted for this origin, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, for origins that ask for one.
    pub client_certificate: Option<CertificateFiles>,
    /// Headers added to each request, in place of any that the viewer sent under the same name.
    pub headers: Vec<(HeaderName, Secret<HeaderValue>)>,
    /// Limits of the wait for the origin.
    pub timeouts: OriginTimeouts,
}

/// How the servers of an origin are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path that is asked for; a status below 400 is a pass.
    pub path: String,
    /// The pause between two checks of one server.
    pub interval: Duration,
}

/// `kind = "directory"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectorySettings {
    /// The folder that `/` stands for.
    pub root: PathBuf,
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The leaf's private key.
    pub key: PathBuf,
}

/// Limits of the wait for an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginTimeouts {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// For the response header and for each part of the body.
    pub read: Duration,
    /// For each part of the request.
    pub write: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
}

impl Default for OriginTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(60),
        }
    }
}

/// `http://host[:port]` or `https://host[:port]`: no path, no user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginUrl {
    transport: OriginTransport,
    host: String,
    port: u16,
}

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginTransport {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl OriginTransport {
    /// The port that need not be named.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Why an origin's URL is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OriginUrlError {
    /// Not a URL at all.
    #[error("not a url")]
    Malformed,
    /// Neither http nor https.
    #[error("neither http:// nor https://")]
    Scheme,
    /// It has a path, a query or a user.
    #[error("more than scheme, host and port")]
    Excess,
}

impl OriginUrl {
    /// How to connect.
    #[must_use]
    pub const fn transport(&self) -> OriginTransport {
        self.transport
    }

    /// Name or address, without port; IPv6 addresses without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of a Host header: the port only where it is not the default one.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.transport.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for OriginUrl {
    type Err = OriginUrlError;

    fn from_str(text: &str) -> Result<Self, OriginUrlError> {
        let uri: Uri = text.parse().map_err(|_| OriginUrlError::Malformed)?;
        let transport = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => OriginTransport::Http,
            Some(scheme) if *scheme == Scheme::HTTPS => OriginTransport::Https,
            _ => return Err(OriginUrlError::Scheme),
        };
        let authority = uri.authority().ok_or(OriginUrlError::Malformed)?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(OriginUrlError::Excess);
        }
        if authority.host().is_empty() {
            return Err(OriginUrlError::Malformed);
        }
        Ok(Self {
            transport,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(transport.default_port()),
        })
    }
}

impl fmt::Display for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            OriginTransport::Http => "http",
            OriginTransport::Https => "https",
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_transport_host_and_port() {
        let url: OriginUrl = "https://Files.example.com".parse().unwrap();
        assert_eq!(
            (url.transport(), url.host(), url.port()),
            (OriginTransport::Https, "files.example.com", 443)
        );
        assert_eq!(url.authority(), "files.example.com");
        let url: OriginUrl = "http://127.0.0.1:9000/".parse().unwrap();
        assert_eq!(url.authority(), "127.0.0.1:9000");
        assert_eq!(url.to_string(), "http://127.0.0.1:9000");
    }

    #[test]
    fn an_ipv6_host_has_brackets_only_in_the_authority() {
        let url: OriginUrl = "http://[::1]:81".parse().unwrap();
        assert_eq!((url.host(), url.authority().as_str()), ("::1", "[::1]:81"));
    }

    #[test]
    fn anything_but_scheme_host_and_port_is_refused() {
        for (text, error) in [
            ("ftp://a", OriginUrlError::Scheme),
            ("a.example", OriginUrlError::Scheme),
            ("https://a/b", OriginUrlError::Excess),
            ("https://a/?b", OriginUrlError::Excess),
            ("https://u:p@a", OriginUrlError::Excess),
            ("https://", OriginUrlError::Malformed),
            ("", OriginUrlError::Malformed),
        ] {
            assert_eq!(text.parse::<OriginUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let credentials = StaticCredentials {
            access_key_id: "id".into(),
            secret_access_key: Secret::new("hunter2".into()),
            session_token: None,
        };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
