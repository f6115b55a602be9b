//! A value in as many cookies as it needs, and back: all of them or nothing.
//!
//! Browsers drop a cookie of more than 4,096 bytes without a word. The first cookie bears the plain name and, where
//! there are more, says how many; each says which value it is a part of. So parts that an older value has left, or
//! that stand beside for another path, are never joined with those of another.

use std::borrow::Cow;

use ring::digest::{SHA256, digest};

use crate::{cookies::Cookies, js::base64::encode_url_safe};

/// What browsers keep of one cookie: name, value and attributes.
pub(crate) const MOST_COOKIE_BYTES: usize = 4096;
/// What one cookie holds; the rest is for name, marks and attributes.
const PART_BYTES: usize = 3800;
/// More would crowd out everything else that a server takes in a request (T-COOKIE-4).
const MOST_PARTS: usize = 4;
/// A longer value was not written by us.
pub(crate) const MOST_BYTES: usize = PART_BYTES * MOST_PARTS;
/// Behind the number of parts and behind the tag; no character of base64 or of a JWT.
const MARK: char = '~';
const TAG_BYTES: usize = 6;

/// The cookies for a value, named and valued. `None`: there would be too many, or no cookie can hold it.
pub(crate) fn split(name: &str, text: &str) -> Option<Vec<(String, String)>> {
    if text.len() <= PART_BYTES {
        return Some(vec![(name.to_owned(), text.to_owned())]);
    }
    if text.len() > MOST_BYTES || !text.is_ascii() {
        return None;
    }
    let tag = encode_url_safe(digest(&SHA256, text.as_bytes()).as_ref());
    let tag = tag.get(..TAG_BYTES)?;
    let count = text.len().div_ceil(PART_BYTES);
    let parts = text.as_bytes().chunks(PART_BYTES).map(String::from_utf8_lossy);
    let cookies = parts.enumerate().map(|(index, part)| match index {
        0 => (name.to_owned(), format!("{count}{MARK}{tag}{MARK}{part}")),
        _ => (format!("{name}.{index}"), format!("{tag}{MARK}{part}")),
    });
    Some(cookies.collect())
}

/// The value that a first cookie of that name stands for; one that stands for itself is not copied. `None`: parts
/// of it are missing.
pub(crate) fn join<'a>(cookies: Cookies<'a>, name: &str, first: &'a str) -> Option<Cow<'a, str>> {
    let Some((count, tag, part)) = head(first) else {
        return Some(Cow::Borrowed(first));
    };
    let mut text = part.to_owned();
    for index in 1..count {
        let is_last = index == count - 1;
        let of_name = |found: &str| number(found, name) == Some(index);
        let parts = cookies.all().filter(|(found, _)| of_name(found));
        let mut parts = parts.filter_map(|(_, value)| value.strip_prefix(tag)?.strip_prefix(MARK));
        text.push_str(parts.find(|part| part.len() == PART_BYTES || is_last && (1..PART_BYTES).contains(&part.len()))?);
    }
    Some(Cow::Owned(text))
}

/// Whether a cookie is a further part of the value that begins in one of that name.
pub(crate) fn is_part_of(found: &str, name: &str) -> bool {
    number(found, name).is_some()
}

/// The names that further parts may have.
pub(crate) fn further_names(name: &str) -> impl Iterator<Item = String> {
    (1..MOST_PARTS).map(move |index| format!("{name}.{index}"))
}

/// Number of parts, tag, and the first part. Whatever else looks like it is a value like any other.
fn head(value: &str) -> Option<(usize, &str, &str)> {
    let (count, rest) = value.split_at_checked(1)?;
    let (tag, part) = rest.strip_prefix(MARK)?.split_at_checked(TAG_BYTES)?;
    let part = part.strip_prefix(MARK)?;
    // One digit: nothing is done for any other number, however large.
    let count = count.parse().ok().filter(|count| (2..=MOST_PARTS).contains(count))?;
    (part.len() == PART_BYTES).then_some((count, tag, part))
}

fn number(found: &str, name: &str) -> Option<usize> {
    let number = found.strip_prefix(name)?.strip_prefix('.')?;
    let number = number.parse().ok().filter(|_| number.len() == 1);
    number.filter(|number| (1..MOST_PARTS).contains(number))
}

#[cfg(test)]
mod tests;
