//! What the tests are made of: the program, a site around it, a browser, origins that can misbehave.

pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod nginx;
pub(crate) mod origin;
pub(crate) mod process;
pub(crate) mod runtime;
pub(crate) mod site;
pub(crate) mod url;
