//! CloudFront events to auth-core requests and back, inside Lambda@Edge.
//!
//! [`Function::answer`] takes the text of an event and gives the text of the result. What passes is
//! handed back exactly as it came; what is generated keeps to CloudFront's limits. The crate decides
//! nothing about sessions, and refuses (as a failed invocation) what is not an event for its role.

#[cfg(feature = "archive")]
pub mod archive;
mod event;
mod forbidden;
mod function;
pub mod init;
mod log;
mod raw_object;
mod response;
mod role;
mod settings;
mod sites;

pub use event::EventError;
pub use function::{Function, TIME_BUDGET};
pub use log::{JsonLines, level_of};
pub use response::MAX_GENERATED_BYTES;
pub use role::{Role, UnknownRole};
pub use settings::{check_settings, settings_for};
pub use sites::{SettingsError, Sites};
