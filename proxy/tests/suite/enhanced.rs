//! The enhanced profile, one improvement a file.

mod bearer;
mod renewal;
mod rules;
mod sealed;
mod sign_in;
