//! A sealed text in as many cookies as it needs. Whether the parts belong together is for the seal to tell.

use std::borrow::Cow;

use super::cookie_name;
use crate::{Scheme, cookies::Cookies, enhanced::parts};

/// Cookies of one name that are looked at.
const MOST_TEXTS: usize = 6;

/// The text that holds: the first of that name, if it is whole. In one cookie it is not copied.
pub(crate) fn text<'a>(cookies: Cookies<'a>, scheme: Scheme) -> Option<Cow<'a, str>> {
    let name = cookie_name(scheme);
    let (_, first) = cookies.all().find(|(found, _)| *found == name)?;
    join(cookies, name, first)
}

/// Every text that is whole, in the order in which they hold; more than a few were planted.
pub(crate) fn texts<'a>(cookies: Cookies<'a>, scheme: Scheme) -> Vec<Cow<'a, str>> {
    let name = cookie_name(scheme);
    let firsts = cookies.all().filter(|(found, _)| *found == name).take(MOST_TEXTS);
    let mut texts: Vec<Cow<'a, str>> = Vec::new();
    for text in firsts.filter_map(|(_, first)| join(cookies, name, first)) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Whether a part may have that name.
pub(crate) fn is_name(found: &str, scheme: Scheme) -> bool {
    let name = cookie_name(scheme);
    found == name || parts::is_part_of(found, name)
}

fn join<'a>(cookies: Cookies<'a>, name: &str, first: &'a str) -> Option<Cow<'a, str>> {
    parts::join(cookies, name, first).filter(|text| !text.is_empty())
}
