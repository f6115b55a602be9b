//! The enhanced profile, one improvement a file.

mod bearer;
mod rules;
mod sealed;
mod sign_in;
