//! Decides who may pass: Cognito sign-in in front of content, as pure functions and resumable steps.
//!
//! A request goes in at [`Authenticator::begin`]; out comes a [`Step`]: either a [`Decision`], or an
//! HTTP call to carry out, whose outcome [`PendingCall::resume`] takes. The crate refuses to do any
//! IO: time and randomness are arguments, input and output belong to the adapter.

mod authenticator;
mod call;
mod config;
mod cookie_names;
mod cookies;
mod decision;
#[doc(hidden)]
pub mod doors;
mod endpoints;
mod enhanced;
mod entropy;
mod headers;
mod hmac;
mod js;
pub mod json;
mod jwt;
mod nonce;
mod page;
mod provider;
mod request;
mod secret;
mod set_cookie;
mod state;
mod time;
mod token_endpoint;
mod trailing_slash;
mod verification;

pub use authenticator::{Authenticator, Capabilities, ForwardCookies, PendingCall, Step};
pub use call::{AfterAttempt, CallError, CallPurpose, HttpCall, HttpReply, RetryPolicy, Sharing};
pub use config::{
    Config, ConfigError, ConfigProblem, Endpoint, LogLevel, checked_http_headers_from_json, http_headers_from_json,
};
pub use decision::{Access, Decision, Forward, Reason, Response, SecurityPolicy, VerifiedIdToken};
pub use enhanced::{RuleOutcome, RuleStep, RuleTrace};
pub use entropy::Entropy;
pub use headers::{ConfiguredHeaders, ResponseHeaders};
pub use jwt::{Claim, ClaimList};
pub use request::{NoHeaders, Request, RequestHeaders, Scheme};
pub use secret::Secret;
pub use time::UnixTime;
pub use trailing_slash::rewrite_trailing_slash;
