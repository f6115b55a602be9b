//! Doors for the benches to parts of a decision, which nobody else outside has use for.

use std::borrow::Cow;

use crate::{Config, cookie_names::Token, cookies::Cookies};

/// The id token among a request's cookies.
#[must_use]
pub fn id_token<'a>(config: &Config, cookies: &'a [&'a str]) -> Option<Cow<'a, str>> {
    config.cookie_scheme.token(Token::Id, Cookies::new(cookies))
}
