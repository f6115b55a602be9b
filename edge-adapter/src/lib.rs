//! Placeholder for the crate that follows.
