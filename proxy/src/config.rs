//! Configuration: from a file and the environment to checked settings, every problem reported at once.
//!
//! The file (TOML, YAML or JSON by its extension) is read as a tree, `${NAME}` in its texts is replaced,
//! `PORTCULLIS__…` variables override keys, and then the tree is read once, table by table. A key that
//! nobody reads is a problem. Nothing is validated after that.

mod access_log;
mod auth;
mod auth_defaults;
mod behaviour;
mod cache;
mod enhancements;
mod error_pages;
mod forward_auth;
mod host;
mod identity;
mod limits;
mod methods;
mod operations;
pub(crate) mod origin;
mod origin_section;
mod path_pattern;
mod problem;
mod root_section;
mod section;
mod session_secrets;
mod settings;
mod short_variables;
mod show;
mod site;
mod tree;
mod undiscovered;
mod units;

#[cfg(test)]
mod tests;

use std::path::Path;

use auth_core::json::{Json, Object};

use problem::Report;
use section::{Section, Source};

pub use access_log::{AccessForm, AccessLogSettings};
pub use auth::AuthSettings;
pub use behaviour::{BehaviourSettings, Compression, OriginChoice, PathBehaviour, TrailingSlash};
pub use cache::{CacheSettings, CachedQuery};
pub use error_pages::{ErrorPage, ErrorPages, FallbackScope, Missing, SpaFallback};
pub use host::{HostPattern, HostPatternError, is_host_name, is_loopback, split_port};
pub use identity::{AssertionSettings, GroupPattern, IdentitySettings};
pub use limits::Limits;
pub use methods::AllowedMethods;
pub use operations::{ReloadSettings, UpgradeSettings, Watch};
pub use origin::{
    CertificateFiles, CustomSettings, DirectorySettings, HealthCheck, MissingStatus, OriginSettings, OriginTimeouts,
    OriginTransport, OriginUrl, OriginUrlError, S3Addressing, S3Settings, StaticCredentials,
};
pub use path_pattern::{PathPattern, PathPatternError};
pub use problem::{ConfigError, Problem};
pub use settings::{ListenSettings, LogFormat, LogSettings, PlainHttp, Settings};
pub use site::{Conduct, HeaderPrecedence, HttpViewers, SiteSettings};
pub use tree::Environment;

impl Settings {
    /// Reads a configuration. Without a file everything comes from the environment.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let mut tree = match file {
            Some(file) => tree::read(file)?,
            None => Json::Object(Object::default()),
        };
        let report = Report::default();
        if let Some(file) = file {
            report.has_read(file);
        }
        environment.expand(&mut tree, "", &report);
        environment.override_by_short(&mut tree, &report);
        environment.override_keys(&mut tree, &report);
        if file.is_none() {
            environment.complete_short(&mut tree);
        }
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        let source = Source {
            report: &report,
            folder,
        };
        let settings = root_section::read(Section::root(&tree, source)).map(|settings| Self {
            files: report.files(),
            ..settings
        });
        let settings = report.conclude(settings).map_err(|error| match file {
            Some(_) => error,
            None => short_variables::name_in(error),
        })?;
        settings.ok_or_else(|| {
            ConfigError::from(Problem {
                path: "configuration".into(),
                found: "something unreadable".into(),
                expected: "what the settings reference says".into(),
            })
        })
    }

    /// What is accepted but weak, one sentence each, with the path it is about.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let of_site = |(index, site): (usize, &SiteSettings)| match &site.auth {
            AuthSettings::Off { .. } => vec![format!("sites[{index}].auth: insecure_auth_off lets everyone in")],
            AuthSettings::Required { config, overlooked, .. } => {
                let warnings = config.warnings().into_iter().chain(overlooked.iter().cloned());
                warnings
                    .map(|warning| format!("sites[{index}].auth: {warning}"))
                    .collect()
            }
        };
        self.sites.iter().enumerate().flat_map(of_site).collect()
    }
}
