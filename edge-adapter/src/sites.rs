//! Several sites in one package: settings chosen by the viewer's Host.
//!
//! `configuration.json` is either one site's settings, exactly the reference's file, or
//! `{"sites": {"app.example.com": {…}, "d111111abcdef8.cloudfront.net": {…}}}`. A site is found by the
//! Host header, else by the distribution's own domain name: origin-facing functions do not see the
//! viewer's Host unless it is forwarded.

use std::fmt;

use auth_core::{ConfigError, json::Json};

/// What each site has, by its host.
#[derive(Debug)]
pub enum Sites<T> {
    /// One for every host.
    One(T),
    /// Each its own. Hosts are in lower case.
    ByHost(Vec<(String, T)>),
}

/// Why `configuration.json` is refused.
#[derive(Debug)]
pub enum SettingsError {
    /// It is not JSON.
    Json(serde_json::Error),
    /// `sites` is not an object with at least one site, or stands beside other keys.
    Sites,
    /// A site's settings are wrong; with the site's host, where there are several sites.
    Site(Option<String>, ConfigError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The position alone: the message may quote a secret.
            Self::Json(error) => write!(
                f,
                "configuration.json is not JSON (line {}, column {})",
                error.line(),
                error.column()
            ),
            Self::Sites => f.write_str(
                "configuration.json: sites must be an object that maps at least one host to its settings, \
                 with no other key beside it",
            ),
            Self::Site(None, error) => write!(f, "configuration.json: {error}"),
            Self::Site(Some(host), error) => write!(f, "configuration.json: sites.{host}: {error}"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl<T> Sites<T> {
    /// Reads every site's settings with `read`.
    ///
    /// # Errors
    /// What is wrong with the file or with the first wrong site's settings.
    pub fn read(text: &[u8], read: impl Fn(&Json) -> Result<T, ConfigError>) -> Result<Self, SettingsError> {
        let json = Json::parse(text).map_err(SettingsError::Json)?;
        let sites = json.as_object().and_then(|object| object.get("sites"));
        let Some(sites) = sites else {
            return read(&json)
                .map(Self::One)
                .map_err(|error| SettingsError::Site(None, error));
        };
        let alone = json.as_object().is_some_and(|object| object.iter().count() == 1);
        let sites = sites.as_object().filter(|_| alone).ok_or(SettingsError::Sites)?;
        let by_host: Vec<_> = sites
            .iter()
            .map(|(host, settings)| {
                let read = read(settings).map_err(|error| SettingsError::Site(Some(host.to_owned()), error))?;
                Ok((host.to_ascii_lowercase(), read))
            })
            .collect::<Result<_, _>>()?;
        if by_host.is_empty() {
            return Err(SettingsError::Sites);
        }
        Ok(Self::ByHost(by_host))
    }

    /// The settings for a host, else for the distribution that serves it.
    pub(crate) fn find(&self, host: &str, distribution: &str) -> Option<&T> {
        match self {
            Self::One(only) => Some(only),
            Self::ByHost(sites) => [host, distribution].into_iter().find_map(|name| {
                let site = sites.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                site.map(|(_, settings)| settings)
            }),
        }
    }

    /// Every site's settings.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        match self {
            Self::One(only) => std::slice::from_ref(only).iter().chain([].iter().map(entry)),
            Self::ByHost(sites) => [].iter().chain(sites.iter().map(entry)),
        }
    }
}

fn entry<T>((_, settings): &(String, T)) -> &T {
    settings
}

#[cfg(test)]
mod tests {
    use auth_core::ConfigProblem;

    use super::*;

    fn read(text: &str) -> Result<Sites<String>, SettingsError> {
        Sites::read(text.as_bytes(), |json| {
            let name = json.as_object().and_then(|object| object.get("name")?.as_str());
            name.map(ToOwned::to_owned).ok_or_else(|| ConfigError {
                problems: vec![ConfigProblem {
                    path: "name".to_owned(),
                    found: "nothing".to_owned(),
                    expected: "a name".to_owned(),
                }],
            })
        })
    }

    #[test]
    fn one_sites_file_serves_every_host() {
        let sites = read(r#"{"name":"a"}"#).unwrap();
        assert_eq!(sites.find("any.example", "").unwrap(), "a");
        assert_eq!(sites.iter().count(), 1);
    }

    #[test]
    fn several_sites_are_told_apart_by_host_in_any_case() {
        let sites = read(r#"{"sites":{"A.example":{"name":"a"},"b.example":{"name":"b"}}}"#).unwrap();
        assert_eq!(sites.find("a.EXAMPLE", "").unwrap(), "a");
        assert_eq!(sites.find("b.example", "").unwrap(), "b");
        assert_eq!(sites.iter().count(), 2);
    }

    #[test]
    fn similar_hosts_are_not_the_site() {
        let sites = read(r#"{"sites":{"a.example":{"name":"a"}}}"#).unwrap();
        for host in [
            "",
            "evil-a.example",
            "a.example.com",
            "a.example.",
            "x.a.example",
            "a.example:8443",
            "a.example@x",
        ] {
            assert!(sites.find(host, "").is_none(), "{host}");
        }
    }

    #[test]
    fn an_unknown_host_takes_the_site_of_its_distribution() {
        let sites = read(r#"{"sites":{"d1.cloudfront.net":{"name":"d"},"a.example":{"name":"a"}}}"#).unwrap();
        assert_eq!(sites.find("bucket.s3.amazonaws.com", "d1.cloudfront.net").unwrap(), "d");
        assert_eq!(sites.find("a.example", "d1.cloudfront.net").unwrap(), "a");
    }

    #[test]
    fn a_wrong_map_of_sites_is_refused() {
        for text in [
            r#"{"sites":{}}"#,
            r#"{"sites":[]}"#,
            r#"{"sites":null}"#,
            r#"{"sites":{"a":{"name":"a"}},"name":"b"}"#,
        ] {
            assert!(matches!(read(text), Err(SettingsError::Sites)), "{text}");
        }
    }

    #[test]
    fn a_wrong_site_is_named() {
        let error = read(r#"{"sites":{"a.example":{"name":"a"},"b.example":{}}}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration.json: sites.b.example: name: found nothing, expected a name"
        );
    }

    #[test]
    fn text_that_is_no_json_is_refused_without_being_quoted() {
        let error = read("{\"nonceSigningSecret\": hunter2}").unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("hunter2"), "{error}");
    }
}
