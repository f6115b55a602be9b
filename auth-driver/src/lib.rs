//! Carries out the HTTP calls that auth-core asks for.
//!
//! [`Driver::settle`] is the one loop: call, judge the attempt by the call's own retry policy, resume,
//! until the core has decided. Time-outs, the size limit and the sharing of equal calls are kept here,
//! so that an [`HttpClient`] only has to send one attempt. The crate decides nothing about sessions.

mod client;
mod clock;
mod driver;
mod entropy;
mod observer;
mod single_flight;
#[cfg(feature = "tls")]
mod tls;

pub use client::HttpClient;
#[cfg(feature = "hyper-client")]
pub use client::hyper::HyperClient;
#[cfg(feature = "reqwest-client")]
pub use client::reqwest::ReqwestClient;
pub use clock::{Clock, now};
pub use driver::Driver;
pub use entropy::SystemEntropy;
pub use observer::{NoObserver, Observer, OutcomeClass, SettledCall};
#[cfg(feature = "tls")]
pub use tls::TlsError;
