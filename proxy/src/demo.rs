//! `portcullis demo`
pub mod store;
