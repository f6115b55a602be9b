//! A sealed text in as many cookies as it needs, and back: all of them or nothing.
//!
//! Browsers drop a cookie of more than 4,096 bytes. The first cookie bears the plain name, and where there are
//! more, says how many; whether the parts belong together is for the seal to tell.

use std::borrow::Cow;

use super::cookie_name;
use crate::{Scheme, cookies::Cookies};

/// What one cookie holds; the rest of 4,096 bytes is for name and attributes.
const CHUNK_BYTES: usize = 3800;
/// More would crowd out everything else that a server takes in a request (T-COOKIE-4).
const MOST_CHUNKS: usize = 4;
/// Cookies of one name that are looked at.
const MOST_TEXTS: usize = 6;
/// A longer text was not sealed by us.
pub(super) const MOST_BYTES: usize = CHUNK_BYTES * MOST_CHUNKS;
/// Between the number of parts and the first of them; no character of base64.
const MARK: char = '~';

/// The cookies for a text. `None`: there would be too many.
pub(super) fn split(name: &str, text: String) -> Option<Vec<(String, String)>> {
    if text.len() <= CHUNK_BYTES {
        return Some(vec![(name.to_owned(), text)]);
    }
    if text.len() > MOST_BYTES {
        return None;
    }
    let count = text.len().div_ceil(CHUNK_BYTES);
    let parts = text.as_bytes().chunks(CHUNK_BYTES).map(String::from_utf8_lossy);
    let cookies = parts.enumerate().map(|(index, part)| match index {
        0 => (name.to_owned(), format!("{count}{MARK}{part}")),
        _ => (format!("{name}.{index}"), part.into_owned()),
    });
    Some(cookies.collect())
}

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

/// Every name that a part may have.
pub(crate) fn names(scheme: Scheme) -> impl Iterator<Item = String> {
    let name = cookie_name(scheme);
    let numbered = (1..MOST_CHUNKS).map(move |index| format!("{name}.{index}"));
    std::iter::once(name.to_owned()).chain(numbered)
}

fn join<'a>(cookies: Cookies<'a>, name: &str, first: &'a str) -> Option<Cow<'a, str>> {
    let Some((count, part)) = first.split_once(MARK) else {
        return (!first.is_empty() && first.len() <= CHUNK_BYTES).then_some(Cow::Borrowed(first));
    };
    // One digit: whatever else stands there was not written by us, and nothing is done for it.
    let count = (2..=MOST_CHUNKS).find(|known| known.to_string() == count)?;
    if part.len() != CHUNK_BYTES {
        return None;
    }
    let mut text = part.to_owned();
    for index in 1..count {
        let wanted = format!("{name}.{index}");
        let (_, part) = cookies.all().find(|(found, _)| *found == wanted)?;
        let is_last = index == count - 1;
        if part.is_empty() || part.len() > CHUNK_BYTES || !is_last && part.len() != CHUNK_BYTES {
            return None;
        }
        text.push_str(part);
    }
    Some(Cow::Owned(text))
}
