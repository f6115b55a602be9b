//! The provider over real sockets, as browsers and token clients meet it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

mod authorize;
mod binary;
mod browser;
mod client;
mod control;
mod faults;
mod login;
mod logout;
mod metadata;
mod revoke;
mod token_endpoint;
mod tokens;
