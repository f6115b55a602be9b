//! One site: the hosts it answers to, who may see it, where its content is.

use http::{Method, StatusCode};

use super::{
    auth::{self, AuthSettings},
    behaviour::{self, BehaviourKeys, BehaviourSettings, Choices, PathBehaviour},
    host::HostPattern,
    identity::{self, IdentitySettings},
    origin::OriginSettings,
    origin_section,
    section::Section,
};

/// One `[[sites]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteSettings {
    /// Its label in metrics and logs; the first host unless named.
    pub name: String,
    /// The hosts it answers to.
    pub hosts: Vec<HostPattern>,
    /// Who may see it.
    pub auth: AuthSettings,
    /// What its origins are told of the viewer.
    pub identity: IdentitySettings,
    /// Where its content is, unless a behaviour says otherwise.
    pub origin: OriginSettings,
    /// The origins that behaviours choose by name.
    pub origins: Vec<(String, OriginSettings)>,
    /// In order; the first whose path fits counts.
    pub behaviours: Vec<PathBehaviour>,
    /// For all other paths.
    pub default: BehaviourSettings,
    /// Whose equal the site is.
    pub conduct: Conduct,
    /// What becomes of viewers on plain http.
    pub http_viewers: HttpViewers,
    /// Whose headers count where both the origin and the configuration have them.
    pub precedence: HeaderPrecedence,
}

/// What becomes of viewers on plain http.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpViewers {
    /// They are served like others.
    #[default]
    Served,
    /// They are sent to https, their method kept: `redirect_http_to_https = true`.
    Redirected,
    /// They are sent to https as CloudFront does it: always with 301.
    RedirectedAsAtEdge,
}

impl HttpViewers {
    /// The status that sends a viewer to https. 308 keeps method and body; 301 is what everybody understands for
    /// those that have none (RFC 9110, section 15.4).
    #[must_use]
    pub fn redirect_status(self, method: &Method) -> StatusCode {
        match (self, method) {
            (Self::RedirectedAsAtEdge, _) | (_, &(Method::GET | Method::HEAD)) => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::PERMANENT_REDIRECT,
        }
    }
}

/// Whose headers count where both the origin and the configuration have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderPrecedence {
    /// The origin's.
    #[default]
    Origin,
    /// The configured ones: `headers_override = true`.
    Configured,
}

/// How a site answers where the edge and the proxy would answer differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// With everything that the proxy can do.
    #[default]
    Proxy,
    /// As the edge functions behind CloudFront: `edge_parity = true`.
    Edge,
}

impl SiteSettings {
    /// Whether one of the origins is also made of things that can change while the settings stay the same.
    #[must_use]
    pub fn draws_on_others(&self) -> bool {
        let named = self.origins.iter().map(|(_, origin)| origin);
        named.chain([&self.origin]).any(OriginSettings::draws_on_others)
    }
}

impl SiteSettings {
    /// Whether answers are kept for any path.
    #[must_use]
    pub fn has_cache(&self) -> bool {
        let by_path = self.behaviours.iter().map(|behaviour| &behaviour.settings);
        by_path.chain([&self.default]).any(|settings| settings.cache.is_some())
    }
}

/// Reads one entry. `None`: there was a problem, and it has been reported.
///
/// `at_edge` is what becomes of viewers on plain http in edge parity where the site does not say.
pub(super) fn read(mut section: Section<'_>, at_edge: HttpViewers) -> Option<SiteSettings> {
    let hosts: Vec<HostPattern> = section.parsed_list("hosts", "a host name or `*.` and a domain");
    if hosts.is_empty() && !section.is_refused() {
        section.refuse("hosts", "nothing", "the names that viewers use, as `app.example.com`");
    }
    let name = section.text("name").map(std::borrow::Cow::into_owned);
    let conduct = if section.flag("edge_parity") {
        Conduct::Edge
    } else {
        Conduct::Proxy
    };
    let mut auth_section = section.section("auth");
    let auth = auth::read(&mut auth_section, conduct);
    let identity = identity::read(section.section("identity"));
    let origin = origin_section::read(section.section("origin"));
    let origins = origins(&mut section);
    let choices = Choices {
        default: origin.as_ref(),
        named: &origins,
    };
    let keys = BehaviourKeys::read(&mut section, &BehaviourKeys::of(conduct));
    let behaviours = section.sections("behaviours").into_iter();
    let mut behaviours: Vec<_> = behaviours
        .filter_map(|entry| behaviour::read(entry, &keys, choices))
        .collect();
    if conduct == Conduct::Edge && identity != IdentitySettings::default() {
        section.refuse(
            "identity",
            "it beside edge_parity",
            "one of the two: the edge tells origins nothing",
        );
    }
    let mut default = keys.settle(&section, choices);
    if conduct == Conduct::Edge {
        let by_path = behaviours.iter_mut().map(|behaviour| &mut behaviour.settings);
        for settings in by_path.chain(&mut default) {
            settings.error_pages.widen();
        }
    }
    let redirect = section.parsed::<bool>("redirect_http_to_https", "true or false");
    let http_viewers = match (redirect, conduct) {
        (Some(false), _) | (None, Conduct::Proxy) => HttpViewers::Served,
        (Some(true), Conduct::Proxy) => HttpViewers::Redirected,
        (Some(true), Conduct::Edge) => HttpViewers::RedirectedAsAtEdge,
        (None, Conduct::Edge) => at_edge,
    };
    let precedence = if section.flag("headers_override") {
        HeaderPrecedence::Configured
    } else {
        HeaderPrecedence::Origin
    };
    section.finish();
    Some(SiteSettings {
        http_viewers,
        precedence,
        name: name.or_else(|| hosts.first().map(ToString::to_string))?,
        hosts,
        auth: auth?,
        identity,
        default: default?,
        behaviours,
        conduct,
        origin: origin?,
        origins: origins
            .into_iter()
            .filter_map(|(name, origin)| Some((name, origin?)))
            .collect(),
    })
}

fn origins(section: &mut Section<'_>) -> Vec<(String, Option<OriginSettings>)> {
    let sections = section.named_sections("origins").into_iter();
    sections
        .map(|(name, section)| (name.to_owned(), origin_section::read(section)))
        .collect()
}
