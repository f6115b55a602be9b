//! Where a cookie may stand: a browser keeps one for each path and domain, and drops it only when told exactly where.
//!
//! Nothing in a request says where its cookies came from (RFC 6265, section 5.4), so every place that is possible
//! is named. That is work for a sign-out or for leftovers, never for a request that goes well.

use crate::{Config, Scheme};

/// Directories of a deep path, and parent domains of a long host, that are looked at.
const MOST: usize = 4;

/// One place: a path, and a domain unless the cookie is for the host alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
}

/// The value of an attribute in a string of them.
pub(crate) fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes
        .split(';')
        .filter_map(|part| part.split_once('='))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Whether a string of attributes has a flag.
pub(crate) fn has_flag(attributes: &str, name: &str) -> bool {
    attributes.split(';').any(|part| part.trim().eq_ignore_ascii_case(name))
}

impl Place {
    /// Where a cookie with these attributes stands.
    pub(crate) fn of(attributes: &str) -> Self {
        let path = attribute(attributes, "path").filter(|path| path.starts_with('/'));
        let domain = attribute(attributes, "domain").map(|domain| domain.trim_start_matches('.'));
        Self {
            path: path.unwrap_or("/").to_owned(),
            domain: domain.filter(|domain| !domain.is_empty()).map(str::to_ascii_lowercase),
        }
    }

    /// Whether a request for this path brings a cookie from here (RFC 6265, section 5.1.4).
    pub(crate) fn reaches(&self, path: &str) -> bool {
        path.strip_prefix(&self.path)
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }

    /// The Set-Cookie value that drops the cookie of that name from here.
    pub(crate) fn expire(&self, name: &str, secure: bool) -> String {
        let domain = self
            .domain
            .as_ref()
            .map(|domain| format!("; Domain={domain}"))
            .unwrap_or_default();
        let secure = if secure { "; Secure" } else { "" };
        format!(
            "{name}=; Path={}{domain}{secure}; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            self.path
        )
    }
}

/// Every place that the configuration has cookies in, and those that it would have without its settings.
pub(crate) fn configured(config: &Config) -> Vec<Place> {
    let settings = &config.cookie_settings;
    let all = [
        &settings.id_token,
        &settings.access_token,
        &settings.refresh_token,
        &settings.nonce,
        &settings.cognito_enabled,
    ];
    let places: Vec<Place> = all.into_iter().map(|attributes| Place::of(attributes)).collect();
    let paths = places.iter().map(|place| place.path.as_str());
    let domains = places.iter().map(|place| place.domain.clone());
    product(paths.chain(["/", &config.refresh_path]), domains.chain([None]))
}

/// The same, and whatever reaches a request for this path of this host: what someone else may have put there.
pub(crate) fn around(config: &Config, host: &str, path: &str) -> Vec<Place> {
    let configured = configured(config);
    let paths = configured.iter().map(|place| place.path.clone()).chain(folders(path));
    let domains = configured.iter().map(|place| place.domain.clone()).chain(parents(host));
    product(paths, domains)
}

/// Whether cookies bear `Secure` here.
pub(crate) fn is_secure(config: &Config, scheme: Scheme) -> bool {
    scheme == Scheme::Https || has_flag(&config.cookie_settings.id_token, "secure")
}

fn product<P: Into<String>>(
    paths: impl Iterator<Item = P>,
    domains: impl Iterator<Item = Option<String>> + Clone,
) -> Vec<Place> {
    let mut places = Vec::new();
    for path in paths {
        let path = path.into();
        for domain in domains.clone() {
            let place = Place {
                path: path.clone(),
                domain,
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// `/a`, `/a/`, `/a/b` of `/a/b`. What cannot stand in an attribute is left out.
fn folders(path: &str) -> Vec<String> {
    let fits = |path: &&str| path.starts_with('/') && !path.contains(|c: char| c == ';' || c.is_control());
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).take(MOST);
    let mut folders: Vec<&str> = ends.flat_map(|at| [&path[..at], &path[..=at]]).collect();
    if path.match_indices('/').count() <= MOST {
        folders.push(path);
    }
    folders.into_iter().filter(fits).map(str::to_owned).collect()
}

/// The host itself as a domain, and its parents down to two labels. An address has none.
fn parents(host: &str) -> Vec<Option<String>> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.contains(['[', ':']) || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let mut parents = Vec::new();
    let mut rest = name;
    while rest.contains('.') && parents.len() < MOST {
        parents.push(Some(rest.to_ascii_lowercase()));
        rest = rest.split_once('.').map_or("", |(_, parent)| parent);
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_attributes_in_any_case() {
        let place = Place::of("pAtH=/x; Secure; DOMAIN=.Site.Example");
        assert_eq!(
            (place.path.as_str(), place.domain.as_deref()),
            ("/x", Some("site.example"))
        );
        let default = Place::of("Secure; Path=x");
        assert_eq!((default.path.as_str(), default.domain), ("/", None));
    }

    #[test]
    fn the_folders_of_a_path_are_named_with_and_without_their_slash_up_to_a_bound() {
        assert_eq!(folders("/a/b"), ["/a", "/a/", "/a/b"]);
        assert_eq!(folders("/"), ["/"]);
        assert!(folders(&"/a".repeat(1000)).len() <= 2 * MOST);
        for unfit in ["/a;Domain=x/b", "a/b/c"] {
            assert_eq!(folders(unfit), Vec::<String>::new());
        }
    }

    #[test]
    fn the_domains_of_a_host_end_before_the_top_level_and_an_address_has_none() {
        let parents = |host| -> Vec<String> { parents(host).into_iter().flatten().collect() };
        assert_eq!(parents("a.b.Example:443"), ["a.b.example", "b.example"]);
        assert_eq!(parents("localhost:80"), Vec::<String>::new());
        assert_eq!(parents("127.0.0.1:80"), Vec::<String>::new());
        assert_eq!(parents("[::1]:80"), Vec::<String>::new());
        assert!(parents(&"a.".repeat(500)).len() <= MOST);
    }
}
