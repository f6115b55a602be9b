//! An OpenID provider other than Cognito: what is asked of it, and what its sessions are like here.

mod configuration;
mod provider;
mod renewal;
mod sign_in;
mod sign_out;
mod tokens;
