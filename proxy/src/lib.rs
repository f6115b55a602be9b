//! The self-hosted proxy: Cognito sign-in in front of an origin.
//!
//! What CloudFront with Lambda@Edge is in the cloud: it ends the viewer's connection, asks `auth-core`
//! whether the request may pass, and fetches what may be seen from the origin. It never decides about
//! sessions itself.

mod access_log;
mod admin;
mod admission;
mod behaviour;
mod cache;
mod canonical_path;
pub mod chunked_body;
pub mod cli;
mod compression;
pub mod config;
mod cookies;
#[cfg(feature = "demo")]
pub mod demo;
mod discovery;
#[doc(hidden)]
pub mod doors;
mod exchange;
mod explain;
mod forward_auth;
mod gateway;
mod generation;
mod header_value;
mod headers;
mod healthcheck;
mod identity;
pub mod log;
mod mask;
mod metrics;
pub mod origin;
mod page;
mod parity;
pub mod proxy_protocol;
mod replay;
mod request_id;
mod sealed_copy;
mod server;
mod site;
mod throttle;
pub mod tls;
mod upstreams;

pub use canonical_path::{CanonicalPath, PathError};
pub use discovery::{DiscoveryError, DocumentError};
pub use server::{ReloadError, Running, Server, StartError, Surroundings, UpgradeError};
