//! The program as it ships, over sockets: `portcullis` in its own process, in front of real origins, against the
//! development identity provider.
//!
//! Nothing here reaches into the program: tests see what viewers, operators and origins see. Ids such as `T-LEAK-1`
//! in a test's comment name the attack that it stands for. No test sleeps; each waits for the event itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod admin;
mod bad_requests;
mod behaviours;
mod compression;
mod configuration;
mod custom_origin;
mod demo;
mod directory_origin;
mod enhanced;
mod error_pages;
mod explain;
mod forward_auth;
mod forwarded;
mod http_to_https;
mod identity;
mod keys;
mod large_bodies;
mod leaks;
mod leftovers;
mod limits;
mod memory;
mod parity;
mod pipelining;
mod provider_faults;
mod proxy_protocol;
mod reload;
mod replay;
mod response_cache;
mod response_headers;
mod s3_origin;
mod session;
mod several_servers;
mod several_sites;
mod shutdown;
mod sign_in;
mod soak;
mod support;
mod tampering;
mod tls;
mod upgrade;
