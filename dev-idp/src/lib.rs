//! A Cognito-shaped identity provider for the demo and the tests.
//!
//! It serves what a Cognito user pool's hosted UI serves (authorize, sign-in page, token, revoke, logout, userInfo,
//! key set) on a loopback address, with users and clients from [`Settings`], and it breaks on demand ([`Faults`]).
//!
//! It refuses to be a real identity provider: its signing keys are published with the source, it knows no TLS, and
//! passwords lie in memory. It shares no code with the crates it tests, so that it cannot share their mistakes.
//!
//! ```no_run
//! # async fn example() -> Result<(), dev_idp::StartError> {
//! use dev_idp::{Client, DevIdp, Endpoint, Fault, Settings, User};
//!
//! let idp = DevIdp::start(Settings {
//!     clients: vec![Client::public("web").callback("http://localhost:*/parseauth")],
//!     users: vec![User::new("alice", "correct horse")],
//!     ..Settings::default()
//! })
//! .await?;
//! idp.faults().times(Endpoint::Token, 1, Fault::status(500));
//! idp.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod claims;
mod clock;
mod control;
mod endpoint;
mod faults;
mod grants;
mod idp;
mod jws;
mod keys;
mod listener;
mod mint;
mod page;
mod params;
mod random;
mod recorder;
mod routes;
mod settings;
mod tamper;

pub use endpoint::Endpoint;
pub use faults::{Fault, FaultBody, Faults};
pub use idp::{DevIdp, Running, StartError};
pub use keys::OldKeys;
pub use mint::{MintError, TokenSet};
pub use recorder::{RecordedRequest, Recorder};
pub use settings::{AllowedUrl, Client, Control, Lifetimes, RefreshRotation, Settings, User};
pub use tamper::{Overrides, Signer};
