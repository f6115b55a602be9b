//! `[sites.identity]`: what an origin is told of the viewer, and under which names.

mod assertion;

use std::{convert::Infallible, fmt, str::FromStr};

use http::{
    HeaderName,
    header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};

pub use assertion::AssertionSettings;

use super::{
    section::{Section, describe, scalar},
    units::ByteSize,
};
use crate::identity::spelling::{Pattern, fold};

/// What an origin is told of the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySettings {
    /// Headers, each with the claim that it tells.
    pub headers: Vec<(HeaderName, String)>,
    /// The groups that may be told; none: all.
    pub groups: Vec<GroupPattern>,
    /// A header's value is no longer than this.
    pub max_bytes: usize,
    /// Headers of the viewer that are removed besides those that always are.
    pub remove: Vec<Pattern>,
    /// The header that passes the id token itself on.
    pub id_token: Option<HeaderName>,
    /// The signed form.
    pub assertion: Option<AssertionSettings>,
}

impl Default for IdentitySettings {
    /// Nothing is told.
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            groups: Vec::new(),
            max_bytes: MAX_BYTES,
            remove: Vec::new(),
            id_token: None,
            assertion: None,
        }
    }
}

impl IdentitySettings {
    /// The names under which we speak.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let assertion = self.assertion.iter().map(|assertion| &assertion.header);
        let headers = self.headers.iter().map(|(name, _)| name);
        headers.chain(&self.id_token).chain(assertion)
    }
}

/// A group's name, or with `*` at its end the beginning of one. Groups differ by case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupPattern {
    /// This group.
    Name(String),
    /// Every group that begins so.
    Prefix(String),
}

impl GroupPattern {
    /// Whether the group is meant.
    #[must_use]
    pub fn fits(&self, group: &str) -> bool {
        match self {
            Self::Name(name) => group == name,
            Self::Prefix(prefix) => group.starts_with(prefix.as_str()),
        }
    }
}

impl FromStr for GroupPattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Name(text.to_owned()),
        })
    }
}

impl fmt::Display for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

const MAX_BYTES: usize = 4096;

/// Reads the table.
pub(super) fn read(mut section: Section<'_>) -> IdentitySettings {
    let headers = headers(&mut section);
    let groups = section.parsed_list("groups", "a group or its beginning and `*`");
    let max_bytes = section
        .parsed::<ByteSize>("max_bytes", "a size as `4KiB`")
        .map_or(MAX_BYTES, |size| size.0);
    if !(64..=32 * 1024).contains(&max_bytes) {
        section.refuse("max_bytes", max_bytes.to_string(), "64 bytes to 32KiB");
    }
    let remove: Vec<Pattern> = section.parsed_list("remove", "a header's name or its beginning and `*`");
    if let Some(all) = remove.iter().find(|pattern| pattern.is_empty()) {
        section.refuse("remove", format!("\"{all}\""), "at least one letter or digit");
    }
    let id_token = id_token(&mut section);
    let assertion = assertion::read(section.section("assertion"));
    let settings = IdentitySettings {
        headers,
        groups,
        max_bytes,
        remove,
        id_token,
        assertion,
    };
    refuse_names_that_look_alike(&section, &settings);
    section.finish();
    settings
}

fn headers(section: &mut Section<'_>) -> Vec<(HeaderName, String)> {
    let path = section.path_of("headers");
    let report = section.source().report;
    let mut headers = Vec::new();
    for (name, value) in section.members("headers") {
        let path = format!("{path}.{name}");
        let claim = scalar(value).filter(|claim| !claim.is_empty());
        // Variables' names have no hyphens, and origins' headers no underscores.
        match (name.replace('_', "-").parse::<HeaderName>(), claim) {
            (Ok(name), Some(claim)) if may_tell(&name) && name != AUTHORIZATION => {
                headers.push((name, claim.into_owned()));
            }
            (Ok(_), Some(_)) => report.add(
                path,
                "a header that says something else",
                "a name as `X-Forwarded-User`",
            ),
            (Err(_), _) => report.add(
                path,
                "a name with characters that headers cannot have",
                "a header's name",
            ),
            (_, None) => report.add(path, describe(value), "the name of a claim as `sub`"),
        }
    }
    headers
}

fn id_token(section: &mut Section<'_>) -> Option<HeaderName> {
    const KEY: &str = "insecure_id_token_header";
    let name = section.parsed::<HeaderName>(KEY, "a header's name as `Authorization`")?;
    if may_tell(&name) && !name.as_str().contains('_') {
        return Some(name);
    }
    section.refuse(
        KEY,
        format!("{:?}", name.as_str()),
        "a header's name as `Authorization`",
    );
    None
}

/// Whether identity may stand under a name: not where the request's own framing, routing or origin does.
fn may_tell(name: &HeaderName) -> bool {
    const CONNECTIONS: [HeaderName; 8] = [
        CONNECTION,
        CONTENT_LENGTH,
        COOKIE,
        HOST,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    const NAMES: [&str; 14] = [
        "forwarded",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-original-method",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
    ];
    !CONNECTIONS.contains(name) && !NAMES.contains(&name.as_str()) && !fold(name.as_str()).is_empty()
}

/// To an origin they would be one.
fn refuse_names_that_look_alike(section: &Section<'_>, settings: &IdentitySettings) {
    let names: Vec<&HeaderName> = settings.names().collect();
    for (index, name) in names.iter().enumerate() {
        if names
            .iter()
            .take(index)
            .any(|other| fold(other.as_str()) == fold(name.as_str()))
        {
            section.refuse("headers", format!("{:?} twice", name.as_str()), "each name once");
        }
    }
}
