//! Makes the next generation beside the one in force. Nothing is changed until all of it is there.

use std::sync::Arc;

use thiserror::Error;

use super::{StartError, listeners::Bound};
use crate::{
    access_log::AccessLog,
    config::{ConfigError, Settings},
    generation::{Generation, Means},
    tls::Certificates,
};

/// Why a configuration has not come into force. The one before it stays.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error("{0}")]
    Configuration(#[from] ConfigError),
    /// It cannot be carried out.
    #[error("{0}")]
    Start(Box<StartError>),
    /// Another one came before this one was ready, or the server has ended.
    #[error("given up for a later one")]
    Superseded,
}

impl From<StartError> for ReloadError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Configuration(error) => Self::Configuration(error),
            error => Self::Start(Box::new(error)),
        }
    }
}

impl ReloadError {
    /// One event for each problem.
    pub(super) fn report(&self) {
        const STAYS: &str = "not reloaded, the configuration before stays in force";
        match self {
            Self::Configuration(error) => {
                for problem in &error.problems {
                    tracing::error!(target: "portcullis", %problem, "{STAYS}");
                }
            }
            Self::Start(_) | Self::Superseded => {
                tracing::error!(target: "portcullis", problem = %self, "{STAYS}");
            }
        }
    }
}

/// What the next generation is made of.
pub(super) struct Preparation {
    pub(super) settings: Settings,
    pub(super) bound: Vec<Bound>,
    pub(super) before: Arc<Generation>,
    pub(super) access_log: Arc<AccessLog>,
    pub(super) means: Means,
}

/// What can be put in force in one step.
pub(super) struct Prepared {
    pub(super) settings: Settings,
    pub(super) bound: Vec<Bound>,
    pub(super) certificates: Certificates,
    pub(super) generation: Generation,
    pub(super) access_log: AccessLog,
}

/// Loads certificates and sets origins up.
pub(super) async fn prepare(preparation: Preparation) -> Result<Prepared, ReloadError> {
    let Preparation {
        settings,
        bound,
        before,
        access_log,
        means,
    } = preparation;
    let certificates = Certificates::load(&settings.listen.tls)?;
    let generation = Generation::build(&settings, &means, Some(&before))
        .await
        .map_err(StartError::from)?;
    let access_log = AccessLog::open(&settings.access_log, &means.metrics, Some(&access_log))?;
    Ok(Prepared {
        access_log,
        settings,
        bound,
        certificates,
        generation,
    })
}
