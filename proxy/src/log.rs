//! Log events on standard output: JSON for collectors, text for people. Never a secret, never a query.

use std::{
    io::IsTerminal as _,
    sync::atomic::{AtomicU8, Ordering},
};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer as _, filter::filter_fn, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

use crate::config::{LogFormat, LogSettings};

/// Targets of our own crates. Libraries may print whole requests with their cookies below `warn`, so
/// the configured level is not for them (T-LEAK-3).
const OWN_TARGETS: [&str; 5] = ["portcullis", "proxy", "auth_core", "auth_driver", "dev_idp"];

/// Directs the process's log events to standard output. A second call changes nothing.
pub fn init(settings: LogSettings) {
    set_level(settings.level);
    let filter = filter_fn(|metadata| shows(metadata, level()));
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stdout().is_terminal(),
    };
    let layer = if json {
        fmt::layer().json().flatten_event(true).with_filter(filter).boxed()
    } else {
        fmt::layer().with_filter(filter).boxed()
    };
    // An embedding program, as a test, may have its own subscriber.
    let _ = registry().with(layer).try_init();
    // Through this facade come libraries alone. Below that level nothing of theirs is shown, and they ask dozens
    // of times in every request.
    ::log::set_max_level(::log::LevelFilter::Warn);
}

/// Index into [`LEVELS`].
static LEVEL: AtomicU8 = AtomicU8::new(2);
const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

/// From now on events of that level and above are shown.
pub(crate) fn set_level(level: Level) {
    let index = LEVELS.iter().position(|known| *known == level).unwrap_or_default();
    LEVEL.store(u8::try_from(index).unwrap_or_default(), Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

fn level() -> Level {
    let index = usize::from(LEVEL.load(Ordering::Relaxed));
    LEVELS.get(index).copied().unwrap_or(Level::INFO)
}

fn shows(metadata: &Metadata<'_>, level: Level) -> bool {
    let target = metadata.target();
    let own = OWN_TARGETS.iter().any(|own| {
        target
            .strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    });
    if own {
        *metadata.level() <= level
    } else {
        *metadata.level() <= level.min(Level::WARN)
    }
}
