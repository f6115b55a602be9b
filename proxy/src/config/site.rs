//! One site: the hosts it answers to, who may see it, where its content is.

use super::{
    auth::{self, AuthSettings},
    host::HostPattern,
    origin::OriginSettings,
    origin_section,
    section::Section,
};

/// One `[[sites]]` entry.
#[derive(Clone, Debug)]
pub struct SiteSettings {
    /// Its label in metrics and logs; the first host unless named.
    pub name: String,
    /// The hosts it answers to.
    pub hosts: Vec<HostPattern>,
    /// Who may see it.
    pub auth: AuthSettings,
    /// Where its content is.
    pub origin: OriginSettings,
    /// What `/` asks the origin for, without a slash, as `index.html`.
    pub default_root_object: Option<String>,
    /// Whether a path that ends in a slash asks the origin for the `index.html` below it.
    pub trailing_slash: TrailingSlash,
}

/// What a path that ends in a slash asks the origin for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// Just that path.
    #[default]
    Kept,
    /// `index.html` below it.
    ToIndex,
}

/// Reads one entry. `None`: there was a problem, and it has been reported.
pub(super) fn read(mut section: Section<'_>) -> Option<SiteSettings> {
    let hosts: Vec<HostPattern> = section.parsed_list("hosts", "a host name or `*.` and a domain");
    if hosts.is_empty() && !section.is_refused() {
        section.refuse("hosts", "nothing", "the names that viewers use, as `app.example.com`");
    }
    let name = section.text("name").map(std::borrow::Cow::into_owned);
    let mut auth_section = section.section("auth");
    let auth = auth::read(&mut auth_section);
    let origin = origin_section::read(section.section("origin"));
    let default_root_object = section.text("default_root_object").map(std::borrow::Cow::into_owned);
    if default_root_object
        .as_deref()
        .is_some_and(|file| file.is_empty() || file.starts_with('/'))
    {
        section.refuse(
            "default_root_object",
            "a leading slash or nothing",
            "a name as `index.html`",
        );
    }
    let trailing_slash = if section.flag("rewrite_trailing_slash_to_index") {
        TrailingSlash::ToIndex
    } else {
        TrailingSlash::Kept
    };
    section.finish();
    Some(SiteSettings {
        name: name.or_else(|| hosts.first().map(ToString::to_string))?,
        hosts,
        auth: auth?,
        origin: origin?,
        default_root_object,
        trailing_slash,
    })
}
