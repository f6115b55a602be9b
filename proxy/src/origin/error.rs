//! What can be wrong with an origin: at start, for the operator; and for one request.

use std::{io, path::PathBuf};

use http::StatusCode;
use thiserror::Error;

/// Why an origin cannot be used as configured.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OriginSetupError {
    /// Neither the configuration nor the AWS environment names a region.
    #[error("no region for bucket {bucket}: set `region` or AWS_REGION")]
    RegionMissing {
        /// The bucket.
        bucket: String,
    },
    /// The bucket's name, the endpoint and the region do not make a URL.
    #[error("no endpoint for bucket {bucket}: {problem}")]
    Endpoint {
        /// The bucket.
        bucket: String,
        /// In the words of the SDK.
        problem: String,
    },
    /// None of the providers of the standard chain gave credentials.
    #[error("no aws credentials: {problem}")]
    Credentials {
        /// In the words of the SDK; no secret in it.
        problem: String,
    },
    /// The credentials cannot be put in a header.
    #[error("aws credentials have characters that cannot stand in a header")]
    CredentialsUnprintable,
    /// A file or folder cannot be read.
    #[error("cannot read {}: {kind}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// The directory origin's root is a file.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The root as configured.
        path: PathBuf,
    },
    /// A PEM file holds nothing usable of its kind.
    #[error("no usable {expected} in {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that TLS has no use for.
    #[error("certificate {} and its key do not go together", path.display())]
    KeyPair {
        /// The certificate file.
        path: PathBuf,
    },
    /// No name to check the origin's certificate against: Pingora would then skip the check.
    #[error(
        "no server name to verify the origin's certificate against: `{found}` is neither a dns name nor an address"
    )]
    ServerName {
        /// What is there.
        found: String,
    },
    /// The runtime went away meanwhile.
    #[error("interrupted by shutdown")]
    Interrupted,
}

/// Why one request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// The origin only knows GET and HEAD.
    #[error("method is not allowed at this origin")]
    MethodNotAllowed,
    /// There is nothing at this path, known without asking.
    #[error("nothing at this path")]
    NotFound,
    /// More header fields than the origin takes.
    #[error("more header fields than the origin takes")]
    HeaderTooLarge,
    /// The credentials have run out and no new ones could be got.
    #[error("aws credentials have expired and could not be renewed")]
    CredentialsExpired,
    /// The clock is so wrong that nothing can be signed.
    #[error("clock is outside of the years 1970 to 9999")]
    Clock,
    /// The origin's name has never been resolved.
    #[error("origin's name does not resolve")]
    Unresolved,
    /// Something that cannot be put in an upstream header.
    #[error("request cannot be expressed upstream")]
    Malformed,
    /// A file is there but cannot be read.
    #[error("file cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

impl OriginError {
    /// What a viewer may know of it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::CredentialsExpired | Self::Clock => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unresolved => StatusCode::BAD_GATEWAY,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unreadable(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
