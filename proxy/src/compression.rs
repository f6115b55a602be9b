//! Compression of what origins send uncompressed, by CloudFront's rules and the viewer's Accept-Encoding.
//!
//! Decided anew for each response, and not by Pingora's module: that one takes the encoding a viewer names
//! first, weights or not, and compresses event streams. Bodies are compressed as they pass, one chunk at a
//! time, with windows of at most 512 KiB. What is compressed already, partial, or marked `no-transform` passes
//! untouched; so does a response without Content-Length, since nobody knows whether it is worth it, or when it
//! ends (RFC 9110, sections 8.4 and 12.5.3).

mod accept_encoding;
mod coding;
mod eligible;
mod encoder;
mod response;

pub(crate) use accept_encoding::Accepted;
pub(crate) use coding::{Coding, Offer};
pub(crate) use encoder::Encoder;
pub(crate) use response::{may_be_asked_for, restore_weak_tag, transform};
