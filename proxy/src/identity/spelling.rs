//! Which header names an origin could read alike, and which of them origins are known to trust.
//!
//! Gateways turn names into variables: `X-Forwarded-User`, `x_forwarded_user` and for some even
//! `X.Forwarded.User` become `HTTP_X_FORWARDED_USER`. So names are compared without case, with every run
//! of anything but letters and digits taken for one hyphen.

use std::{borrow::Cow, convert::Infallible, str::FromStr};

use http::HeaderName;

/// Beginnings of names after `x-`.
const X_PREFIXES: [&str; 22] = [
    "amzn-oidc-",
    "auth-request-",
    "authenticated-",
    "authentik-",
    "client-cert",
    "forwarded-",
    "goog-authenticated-",
    "goog-iap-",
    "ms-client-principal",
    "ms-token-",
    "original-",
    "pomerium-",
    "portcullis-",
    "proxy-roles",
    "proxy-user",
    "remote-",
    "rewrite-",
    "ssl-client-",
    "sso-",
    "vouch-",
    "webauth-",
    "wp-user-",
];

/// Names after `x-`.
const X_NAMES: [&str; 13] = [
    "auth-email",
    "auth-groups",
    "auth-name",
    "auth-subject",
    "auth-user",
    "auth-username",
    "forwarded",
    "http-method",
    "http-method-override",
    "id-token",
    "method-override",
    "real-ip",
    "userinfo",
];

/// Beginnings of other names.
const PREFIXES: [&str; 7] = [
    "cf-access-",
    "client-cert",
    "oidc-",
    "remote-",
    "shib-",
    "ssl-client-",
    "tailscale-user-",
];

/// Other names.
const NAMES: [&str; 7] = [
    "es-security-runas-user",
    "forwarded",
    "iv-creds",
    "iv-groups",
    "iv-user",
    "oam-remote-user",
    "sm-user",
];

/// Whether a header lets a viewer speak with our voice, or makes an origin believe in another viewer,
/// connection or request than those that were decided upon. Underscores alone suffice: to many origins they
/// are hyphens (T-HDR-2).
pub(crate) fn is_trusted_by_origins(name: &str) -> bool {
    if name.contains('_') {
        return true;
    }
    let name = fold(name);
    let (prefixes, names, rest): (&[&str], &[&str], &str) = match name.strip_prefix("x-") {
        Some(rest) => (&X_PREFIXES, &X_NAMES, rest),
        None => (&PREFIXES, &NAMES, &name),
    };
    prefixes.iter().any(|prefix| rest.starts_with(prefix)) || names.contains(&rest)
}

/// Whether any pattern fits the name, however it is spelled.
pub(crate) fn is_any_of(name: &str, patterns: &[Pattern]) -> bool {
    let name = fold(name);
    patterns.iter().any(|pattern| pattern.fits(&name))
}

/// The one spelling of all names that look alike. Costs nothing for the usual ones.
pub(crate) fn fold(name: &str) -> Cow<'_, str> {
    let is_folded = |pair: &[u8]| matches!(pair, [b'a'..=b'z' | b'0'..=b'9', _] | [b'-', b'a'..=b'z' | b'0'..=b'9']);
    let bytes = name.as_bytes();
    let ends_well = bytes
        .last()
        .is_none_or(|last| matches!(last, b'a'..=b'z' | b'0'..=b'9'));
    if ends_well && bytes.windows(2).all(is_folded) && bytes.first() != Some(&b'-') {
        return Cow::Borrowed(name);
    }
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            folded.push(letter.to_ascii_lowercase());
        } else if !folded.is_empty() && !folded.ends_with('-') {
            folded.push('-');
        }
    }
    folded.truncate(folded.trim_end_matches('-').len());
    Cow::Owned(folded)
}

/// A header's name, or with `*` at its end the beginning of one, in any spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This name.
    Name(String),
    /// Every name that begins so.
    Prefix(String),
}

impl Pattern {
    /// The name itself.
    pub(crate) fn exactly(name: &HeaderName) -> Self {
        Self::Name(fold(name.as_str()).into_owned())
    }

    /// Whether it names nothing, and so would fit too much.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Name(text) | Self::Prefix(text) => text.trim_matches('-').is_empty(),
        }
    }

    fn fits(&self, folded: &str) -> bool {
        match self {
            Self::Name(name) => folded == name,
            Self::Prefix(prefix) => folded.starts_with(prefix.as_str()),
        }
    }
}

impl FromStr for Pattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_suffix('*') {
            // The hyphen before the star belongs to the prefix, and folding would take it away.
            Some(prefix) if prefix.ends_with(|letter: char| !letter.is_ascii_alphanumeric()) => {
                Self::Prefix(format!("{}-", fold(prefix)))
            }
            Some(prefix) => Self::Prefix(fold(prefix).into_owned()),
            None => Self::Name(fold(text).into_owned()),
        })
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests;
