//! Reads one table of the configuration: typed values out, problems into the report, no key overlooked.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    str::FromStr,
};

use auth_core::{
    Secret,
    json::{Json, Object},
};

use super::{
    problem::Report,
    tree::{child, same_name},
};

/// A table that is being read. Every key that is asked for counts as known; [`finish`](Self::finish)
/// reports the rest.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    object: Option<&'a Object>,
    known: Vec<&'static str>,
    source: Source<'a>,
}

/// What all sections of one configuration share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// Where problems go.
    pub(super) report: &'a Report,
    /// The folder that relative paths start from.
    pub(super) folder: &'a Path,
}

impl<'a> Section<'a> {
    /// The whole configuration.
    pub(super) fn root(tree: &'a Json, source: Source<'a>) -> Self {
        Self::at(String::new(), Some(tree), source)
    }

    fn at(path: String, value: Option<&'a Json>, source: Source<'a>) -> Self {
        let object = match value {
            None | Some(Json::Null) => None,
            Some(Json::Object(object)) => Some(object),
            Some(other) => {
                source.report.add(path.as_str(), describe(other), "a table");
                None
            }
        };
        Self {
            path,
            object,
            known: Vec::new(),
            source,
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn source(&self) -> Source<'a> {
        self.source
    }

    /// The members, for tables whose keys are not ours to know; all count as known.
    pub(super) fn object(&self) -> Option<&'a Object> {
        self.object
    }

    /// The path of one of this section's keys.
    pub(super) fn path_of(&self, key: &str) -> String {
        child(&self.path, key)
    }

    /// Whether anything in this section has been refused already.
    pub(super) fn is_refused(&self) -> bool {
        self.source.report.mentions(&self.path)
    }

    /// Reports a value that was read but is not acceptable.
    pub(super) fn refuse(&self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.source.report.add(self.path_of(key), found, expected);
    }

    fn lookup(&self, key: &str) -> Option<&'a Json> {
        let mut members = self.object?.iter();
        let (_, value) = members.find(|(name, _)| same_name(name, key))?;
        (*value != Json::Null).then_some(value)
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Json> {
        self.known.push(key);
        let spellings = self.object?.iter().filter(|(name, _)| same_name(name, key));
        if spellings.count() > 1 {
            self.refuse(key, "two spellings of one key", "one");
        }
        self.lookup(key)
    }

    /// A table; absent is as good as empty.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let value = self.take(key);
        Section::at(self.path_of(key), value, self.source)
    }

    /// A list of tables.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let items = match self.take(key) {
            None => &[],
            Some(Json::Array(items)) => items.as_slice(),
            Some(other) => {
                self.refuse(key, describe(other), "a list of tables");
                &[]
            }
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Section::at(format!("{}[{index}]", self.path_of(key)), Some(item), self.source))
            .collect()
    }

    /// A table of tables whose names are free.
    pub(super) fn named_sections(&mut self, key: &'static str) -> Vec<(&'a str, Section<'a>)> {
        let table = self.section(key);
        let members = table.object.into_iter().flat_map(Object::iter);
        members
            .map(|(name, value)| (name, Section::at(table.path_of(name), Some(value), self.source)))
            .collect()
    }

    /// A text, number or truth value, as text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Cow<'a, str>> {
        let value = self.take(key)?;
        let text = scalar(value);
        if text.is_none() {
            self.refuse(key, describe(value), "a single value");
        }
        text
    }

    /// A text that must be there.
    pub(super) fn required_text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        match self.text(key) {
            Some(text) if !text.is_empty() => Some(text.into_owned()),
            Some(_) => {
                self.refuse(key, "\"\"", expected);
                None
            }
            None => {
                if self.lookup(key).is_none() {
                    self.refuse(key, "nothing", expected);
                }
                None
            }
        }
    }

    /// A value of any type that can be read from text.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let text = self.text(key)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.refuse(key, format!("{text:?}"), expected);
        }
        value
    }

    /// A list of values that can be read from text; also one text with commas.
    pub(super) fn parsed_list<T: FromStr>(&mut self, key: &'static str, expected: &str) -> Vec<T> {
        let texts: Vec<(usize, Option<Cow<'a, str>>)> = match self.take(key) {
            None => return Vec::new(),
            Some(Json::Array(items)) => items.iter().map(scalar).enumerate().collect(),
            Some(Json::String(text)) => text
                .split(',')
                .map(|item| Some(Cow::Borrowed(item.trim())))
                .filter(|item| item.as_deref() != Some(""))
                .enumerate()
                .collect(),
            Some(other) => {
                self.refuse(key, describe(other), format!("a list, each {expected}"));
                return Vec::new();
            }
        };
        let mut values = Vec::with_capacity(texts.len());
        for (index, text) in texts {
            match text.as_deref().map(str::parse) {
                Some(Ok(value)) => values.push(value),
                _ => self.source.report.add(
                    format!("{}[{index}]", self.path_of(key)),
                    text.map_or_else(|| "no single value".to_owned(), |text| format!("{text:?}")),
                    expected,
                ),
            }
        }
        values
    }

    /// `true` or `false`; absent is `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.parsed(key, "true or false").unwrap_or(false)
    }

    /// A path, relative ones taken from the configuration file's folder.
    pub(super) fn file(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(|text| self.source.folder.join(&*text))
    }

    /// A secret, given as `key` or as the content of the file that `key_file` names.
    pub(super) fn secret(&mut self, key: &'static str, key_file: &'static str) -> Option<Secret<String>> {
        let inline = match self.take(key) {
            None => None,
            Some(value) => match scalar(value) {
                Some(text) => Some(text.into_owned()),
                None => {
                    self.refuse(key, describe(value), "a text");
                    None
                }
            },
        };
        let file = self.file(key_file);
        match (inline, file) {
            (Some(_), Some(_)) => {
                self.refuse(key_file, format!("it beside {key}"), "one of the two");
                None
            }
            (inline, None) => inline.map(Secret::new),
            (None, Some(file)) => self.secret_file(key_file, &file),
        }
    }

    /// The content of a secret's file without the newline at its end.
    pub(super) fn secret_file(&self, key: &str, file: &Path) -> Option<Secret<String>> {
        self.source.report.has_read(file);
        match std::fs::read_to_string(file) {
            Ok(content) => {
                let content = content.strip_suffix('\n').unwrap_or(&content);
                Some(Secret::new(content.strip_suffix('\r').unwrap_or(content).to_owned()))
            }
            Err(error) => {
                let found = format!("{}, which cannot be read ({error})", file.display());
                self.refuse(key, found, "a readable file");
                None
            }
        }
    }

    /// A table whose keys are free.
    pub(super) fn members(&mut self, key: &'static str) -> Vec<(&'a str, &'a Json)> {
        self.section(key)
            .object
            .map(|object| object.iter().collect())
            .unwrap_or_default()
    }

    /// Reports every key that nobody asked for, each with the nearest one that is known.
    pub(super) fn finish(self) {
        for (name, _) in self.object.into_iter().flat_map(Object::iter) {
            if self.known.iter().any(|known| same_name(known, name)) {
                continue;
            }
            let expected = match nearest(name, &self.known) {
                Some(known) => format!("`{known}`, which it resembles"),
                None => format!("one of {}", self.known.join(", ")),
            };
            self.refuse(name, "an unknown key", expected);
        }
    }
}

/// The known key, in lower case, that an unknown one was probably meant to be.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |known: &str| {
        strsim::damerau_levenshtein(
            &known.replace('_', ""),
            &name.to_ascii_lowercase().replace(['_', '-'], ""),
        )
    };
    known
        .iter()
        .map(|known| (distance(known), *known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .map(|(_, known)| known)
}

/// A single value as text.
pub(super) fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// What kind of value was found, without showing it.
pub(super) fn describe(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a table",
    }
}
