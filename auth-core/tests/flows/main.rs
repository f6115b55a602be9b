//! The flows through `begin` and `resume`: what the recorded vectors cannot show, and attacks.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_types,
    reason = "a test reads files, draws randomness, and fails by panicking"
)]

mod attacks;
mod aws_jwt_verify;
mod browser;
mod enhanced_api;
mod enhanced_attempts;
mod enhanced_bearer;
mod enhanced_cookies;
mod enhanced_hints;
mod enhanced_in_use;
mod enhanced_lifetime;
mod enhanced_oidc;
mod enhanced_pages;
mod enhanced_pains;
mod enhanced_parts;
mod enhanced_redirects;
mod enhanced_renewal;
mod enhanced_rules;
mod enhanced_sealed;
mod enhanced_sign_out;
mod fixture;
mod jar;
mod keys;
mod sessions;
mod tokens;
