//! Where content comes from once a request may pass: a bucket, another HTTP server, or a folder.
//!
//! An origin says what to send upstream and what a viewer may see of the answer; sockets are Pingora's.
//! Nothing here waits for the network on a request's path: names, credentials and signing keys are kept
//! fresh in the background and read from memory. It refuses to pass a viewer's credentials on to S3, or
//! S3's own words on to a viewer.

mod addresses;
pub(crate) mod conditional;
pub mod custom;
pub mod directory;
mod error;
pub(crate) mod media_type;
mod peer;
pub(crate) mod range;
pub mod s3;
mod task;

use std::{net::IpAddr, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pingora::{
    http::{RequestHeader, ResponseHeader},
    upstreams::peer::HttpPeer,
};
use tokio::runtime::Handle;

pub use error::{OriginError, OriginSetupError};

use crate::{canonical_path::CanonicalPath, config::OriginSettings};

/// A site's origin, ready to be asked.
#[derive(Debug)]
pub enum Origin {
    /// A bucket, asked with signed requests.
    S3(Box<s3::S3Origin>),
    /// Any HTTP or HTTPS server.
    Custom(custom::CustomOrigin),
    /// Files of a folder.
    Directory(directory::DirectoryOrigin),
    /// Nothing at all.
    Nothing,
}

/// A viewer's request, as far as an origin may know of it.
#[derive(Clone, Copy, Debug)]
pub struct OriginRequest<'a> {
    /// The viewer's method.
    pub method: &'a Method,
    /// The path that was decided upon.
    pub path: &'a CanonicalPath,
    /// The query without its question mark, byte for byte. Empty: none.
    pub query: &'a str,
    /// The viewer's headers, identity headers already removed.
    pub headers: &'a HeaderMap,
    /// What we say of the viewer, in place of anything of these names. For custom origins alone.
    pub identity: &'a [(HeaderName, HeaderValue)],
    /// What the proxy knows of the viewer's side of the connection.
    pub forwarded: Forwarded<'a>,
}

/// The viewer's side of the connection, for `X-Forwarded-*`.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// The viewer's address.
    pub client: IpAddr,
    /// What the viewer spoke, `http` or `https`, and the host it asked for, with its port where it named
    /// one. `None`: the origin is not to know, as behind CloudFront.
    pub via: Option<(&'a str, &'a str)>,
}

/// What to do for a request.
#[derive(Debug)]
pub enum Dispatch {
    /// Send `header` to `peer`; the viewer's body follows.
    Upstream {
        /// Where to connect.
        peer: Box<HttpPeer>,
        /// The whole upstream header, signed where it has to be. To be sent as it is.
        header: Box<RequestHeader>,
    },
    /// The answer is at hand.
    File(directory::FileAnswer),
}

/// What a viewer may see of an upstream response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The response, its header scrubbed.
    AsIs,
    /// Nothing of the response: drop its header and body, answer with our own page of this status.
    Replace(StatusCode),
}

impl Origin {
    /// Loads what an origin needs (credentials, certificates, the bucket's endpoint) and starts keeping it
    /// fresh on `runtime`, until the origin is dropped.
    ///
    /// # Errors
    /// What an operator has to put right. A server that cannot be reached is none of these: it may come up later.
    pub async fn connect(settings: &OriginSettings, runtime: &Handle) -> Result<Self, OriginSetupError> {
        Ok(match settings {
            OriginSettings::S3(settings) => Self::S3(Box::new(s3::S3Origin::connect(settings, runtime).await?)),
            OriginSettings::Custom(settings) => Self::Custom(custom::CustomOrigin::connect(settings, runtime).await?),
            OriginSettings::Directory(settings) => Self::Directory(directory::DirectoryOrigin::open(settings)?),
            OriginSettings::Nothing => Self::Nothing,
        })
    }

    /// The peer and the complete upstream header (signed for S3), or a file's answer for a directory.
    ///
    /// # Errors
    /// Why the request has no answer from this origin; [`OriginError::status`] is what a viewer may know of it.
    pub fn dispatch(&self, request: &OriginRequest<'_>, now: SystemTime) -> Result<Dispatch, OriginError> {
        match self {
            Self::S3(origin) => origin.dispatch(request, now),
            Self::Custom(origin) => origin.dispatch(request),
            Self::Directory(origin) => origin.answer(request).map(Dispatch::File),
            Self::Nothing => Err(OriginError::NotFound),
        }
    }

    /// Maps the status of an upstream response to what a viewer may see, and scrubs its header.
    pub fn admit_response(&self, response: &mut ResponseHeader) -> Admitted {
        match self {
            Self::S3(origin) => origin.admit_response(response),
            Self::Custom(origin) => origin.admit_response(response),
            Self::Directory(_) | Self::Nothing => Admitted::AsIs,
        }
    }
}
