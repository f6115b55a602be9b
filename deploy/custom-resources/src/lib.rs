//! The custom resources of the stack: what CloudFormation cannot make by itself.
//!
//! One program, started by Lambda under several functions; the Handler property of a function names its
//! [`Resource`]. Every resource has a pure `plan` (the event and what is there → what to do) and an
//! `apply` that does it. [`invocation::answer`] tells CloudFormation the outcome exactly once, whatever
//! happens; nothing here logs or answers with a secret.

mod client_secret;
mod client_urls;
mod code_update;
mod event;
mod http;
pub mod invocation;
mod jwks;
mod nonce_secret;
mod outcome;
mod problem;
mod properties;
mod resource;
mod sample_site;
mod services;
mod us_east_1_stack;
mod user_pool;
mod user_pool_domain;
mod wait;

pub use resource::{Resource, UnknownResource};
pub use services::Services;
