//! Objects within the file: each is read by a reader of its own, whose problems are told under its path.

use super::{EMPTY, Reader, Strictness, describe};
use crate::{
    config::{ConfigProblem, nearest},
    json::{Json, Object},
};

impl<'j> Reader<'j> {
    /// Reads an object under a key with a reader of its own, whose problems are told under the key. It is held to
    /// all rules; absent, it is empty.
    pub(crate) fn section<T>(&mut self, key: &str, known: &[&str], read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let found = self.value(key);
        if found.is_some_and(|found| found.as_object().is_none()) {
            self.problem(key, describe(found), "an object");
        }
        let object = found.and_then(Json::as_object);
        self.nested(key, object, known, read)
    }

    /// Whether an improvement is on that is a switch or an object of settings: anything but `false`.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.value(key) != Some(&Json::Bool(false))
    }

    /// Reads an object under a key where `true` stands for an empty one.
    pub(crate) fn section_or_switch<T>(
        &mut self,
        key: &str,
        known: &[&str],
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        match self.value(key) {
            Some(Json::Bool(_)) => self.nested(key, None, known, read),
            Some(found) if found.as_object().is_none() => {
                self.problem(key, describe(Some(found)), "true, false, or an object");
                self.nested(key, None, known, read)
            }
            _ => self.section(key, known, read),
        }
    }

    /// An object that may be absent.
    pub(crate) fn object(&mut self, key: &str) -> Option<&'j Object> {
        let found = self.value(key)?;
        if found.as_object().is_none() {
            self.problem(key, describe(Some(found)), "an object");
        }
        found.as_object()
    }

    /// Reads each object of a list under a key, as [`section`](Self::section) reads one.
    pub(crate) fn sections<T>(
        &mut self,
        key: &str,
        known: &[&str],
        mut read: impl FnMut(&mut Reader<'_>) -> T,
    ) -> Vec<T> {
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(Json::Array(list)) => list,
            found => {
                self.problem(key, describe(found), "a list of objects");
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let path = format!("{key}[{index}]");
            match entry.as_object() {
                Some(object) => values.push(self.nested(&path, Some(object), known, &mut read)),
                None => self.problem(&path, describe(Some(entry)), "an object"),
            }
        }
        values
    }

    pub(in crate::config) fn nested<T>(
        &mut self,
        path: &str,
        object: Option<&Object>,
        known: &[&str],
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let mut nested = Reader {
            object: object.unwrap_or(&EMPTY),
            strictness: Strictness::Whole,
            problems: Vec::new(),
        };
        nested.check_known("", nested.object, known);
        let value = read(&mut nested);
        for problem in nested.problems {
            self.problems.push(ConfigProblem {
                path: format!("{path}.{}", problem.path),
                ..problem
            });
        }
        value
    }

    /// Names every member that is not among the known ones.
    pub(crate) fn check_known(&mut self, prefix: &str, members: &Object, known: &[&str]) {
        for name in members.names().filter(|name| !known.contains(name)) {
            let shown = if name.is_empty() { "\"\"" } else { name };
            let expected = match nearest(name, known) {
                Some(meant) => format!("a known key (did you mean {meant}?)"),
                None => "a known key".to_owned(),
            };
            self.problem(&format!("{prefix}{shown}"), "an unknown key", &expected);
        }
    }
}
