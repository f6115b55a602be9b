//! The self-hosted proxy: Cognito sign-in in front of an origin.
//!
//! What CloudFront with Lambda@Edge is in the cloud: it ends the viewer's connection, asks `auth-core`
//! whether the request may pass, and fetches what may be seen from the origin. It never decides about
//! sessions itself.

mod canonical_path;
pub mod config;
pub mod origin;

pub use canonical_path::{CanonicalPath, PathError};
