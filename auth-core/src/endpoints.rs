//! The flows behind the endpoints, one file each.

pub(crate) mod check;
pub(crate) mod redirect;
pub(crate) mod refresh;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
