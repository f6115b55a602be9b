//! Text the way the reference's JavaScript runtime reads and writes it.
//!
//! The wire behaviour of the `reference` profile rests on these rules, so they are written out here
//! rather than left to libraries that follow other standards.

pub(crate) mod base64;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod percent;
pub(crate) mod query;
