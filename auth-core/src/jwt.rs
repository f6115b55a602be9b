//! The id token.

/// What the rest of the system may know of a verified id token.
#[derive(Debug)]
pub(crate) struct IdToken {
    pub(crate) subject: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) groups: Vec<String>,
}
