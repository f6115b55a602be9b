//! What can be wrong with a configuration, and the list that collects all of it.

use std::{
    cell::RefCell,
    fmt,
    path::{Path, PathBuf},
};

use auth_core::ConfigProblem;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The key's path, as `sites[0].origin.bucket`, or the name of a file.
    pub path: String,
    /// What was found there. Never a secret.
    pub found: String,
    /// What is accepted.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}", self.path, self.found, self.expected)
    }
}

/// Every problem of a configuration at once; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of reading.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

/// Collects problems while the sections are read, and which files were read; shared by all of them.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    files: RefCell<Vec<PathBuf>>,
}

impl Report {
    pub(super) fn add(&self, path: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            path: path.into(),
            found: found.into(),
            expected: expected.into(),
        });
    }

    /// Notes a file that a value was taken from.
    pub(super) fn has_read(&self, file: &Path) {
        self.files.borrow_mut().push(file.to_owned());
    }

    /// The files that have been noted.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.take()
    }

    /// Whether a key below `section` has been reported.
    pub(super) fn mentions(&self, section: &str) -> bool {
        self.problems
            .borrow()
            .iter()
            .any(|problem| problem.path.starts_with(section))
    }

    /// The core's problems, under the path of the section that was handed to it.
    pub(super) fn extend(&self, section: &str, problems: Vec<ConfigProblem>) {
        for problem in problems {
            let path = if problem.path.is_empty() {
                section.to_owned()
            } else {
                format!("{section}.{}", problem.path)
            };
            self.add(path, problem.found, problem.expected);
        }
    }

    /// `settings`, unless there was a problem.
    pub(super) fn conclude<T>(self, settings: T) -> Result<T, ConfigError> {
        let problems = self.problems.into_inner();
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError { problems })
        }
    }
}
