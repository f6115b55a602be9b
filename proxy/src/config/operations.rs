//! How a running server is changed: what it watches for changes, and who may take over from it.

use std::{path::PathBuf, time::Duration};

use super::{section::Section, units::Span};

/// What makes a running server read its configuration again, apart from SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadSettings {
    /// Which files are watched.
    pub watch: Watch,
    /// How often they are looked at.
    pub interval: Duration,
}

/// Which files are watched for changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// None.
    Off,
    /// The certificates of `listen.tls` and their keys. They are exchanged, and nothing else.
    #[default]
    Certificates,
    /// These, the configuration file, and every file that it takes a value from.
    All,
}

impl Watch {
    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Certificates => "certificates",
            Self::All => "all",
        }
    }
}

/// How one process takes over from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeSettings {
    /// The socket at which the next process asks for the listeners. `None`: nobody takes over.
    pub socket: Option<PathBuf>,
    /// How long the old process may go on with what it has begun.
    pub drain: Duration,
}

pub(super) fn reload(mut section: Section<'_>) -> ReloadSettings {
    let watch = match section.text("watch").as_deref() {
        None | Some("certificates") => Watch::Certificates,
        Some("off") => Watch::Off,
        Some("all") => Watch::All,
        Some(other) => {
            section.refuse("watch", format!("{other:?}"), "`certificates`, `all` or `off`");
            Watch::Off
        }
    };
    let interval = section
        .parsed::<Span>("interval", "a duration as `10s`")
        .map_or(Duration::from_secs(10), |span| span.0);
    if interval < Duration::from_millis(100) {
        section.refuse("interval", format!("{interval:?}"), "100ms or more");
    }
    section.finish();
    ReloadSettings { watch, interval }
}

pub(super) fn upgrade(mut section: Section<'_>) -> UpgradeSettings {
    let socket = section.file("socket");
    if socket.as_ref().is_some_and(|socket| !socket.is_absolute()) {
        section.refuse("socket", "a relative path", "an absolute path in a folder of its own");
    }
    let drain = section
        .parsed::<Span>("drain", "a duration as `5m`")
        .map_or(Duration::from_secs(300), |span| span.0);
    section.finish();
    UpgradeSettings { socket, drain }
}
