//! A configuration, as variables line by line: accepted and shown, or refused with at least one problem.

use proxy::config::{Environment, Settings};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Settings that name files would be read from the machine that runs this.
    if text.to_ascii_lowercase().contains("file") || text.contains("/dev") {
        return;
    }
    let variables = text.lines().filter_map(|line| line.split_once('='));
    let environment: Environment = variables.collect();
    match Settings::load(None, &environment) {
        Ok(settings) => assert!(!settings.to_toml().is_empty()),
        Err(error) => {
            assert!(!error.problems.is_empty());
            assert!(error.problems.iter().all(|problem| !problem.path.is_empty()));
        }
    }
}
