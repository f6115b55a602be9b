//! The enhanced profile, one improvement a file.

mod bearer;
mod oidc;
mod renewal;
mod rules;
mod sealed;
mod sign_in;
