//! The configuration as one tree: read from a file, with variables expanded and overrides put in.

use std::{collections::BTreeMap, path::Path};

use auth_core::json::{Json, Object};

use super::problem::{Problem, Report};

/// The part of the environment that configuration may draw from. Handed in, so that tests have their own.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

/// What the names of overriding variables begin with.
pub(super) const PREFIX: &str = "PORTCULLIS__";
/// Lists in overriding variables are no longer than this.
const MAX_INDEX: usize = 255;

impl Environment {
    /// The process's own environment; variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Every variable.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One variable's value.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Puts every override into the tree, in the order of the names, so that list items come in theirs.
    pub(super) fn override_keys(&self, tree: &mut Json, report: &Report) {
        let mut overrides: Vec<(Vec<&str>, &str)> = self
            .0
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.split("__").collect(), value.as_str())))
            .collect();
        overrides.sort_by_key(|(path, _)| path.iter().map(|segment| (segment.len(), *segment)).collect::<Vec<_>>());
        for (path, value) in overrides {
            if set(tree, &path, value).is_err() {
                let name = format!("{PREFIX}{}", path.join("__"));
                report.add(
                    name,
                    "a name that fits no key",
                    "indices from 0 without gaps, tables where keys follow",
                );
            }
        }
    }

    /// Replaces `${NAME}` and `${NAME:-default}` in every text of the tree; `$${` stands for `${`.
    pub(super) fn expand(&self, tree: &mut Json, path: &str, report: &Report) {
        match tree {
            Json::String(text) if text.contains("${") => match self.expand_text(text) {
                Ok(expanded) => *text = expanded,
                Err(found) => report.add(path, found, "a variable that is set, or `${NAME:-default}`"),
            },
            Json::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.expand(item, &format!("{path}[{index}]"), report);
                }
            }
            Json::Object(object) => {
                let mut expanded = Object::default();
                for (name, value) in object.iter() {
                    let mut value = value.clone();
                    self.expand(&mut value, &child(path, name), report);
                    expanded.insert(name.to_owned(), value);
                }
                *object = expanded;
            }
            _ => {}
        }
    }

    fn expand_text(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = rest.split_at(at);
            if let Some(literal) = before.strip_suffix('$') {
                expanded.push_str(literal);
                expanded.push_str("${");
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            expanded.push_str(before);
            let body = after.get(2..).unwrap_or_default();
            let (reference, tail) = body.split_once('}').ok_or("`${` without `}`")?;
            let (name, default) = match reference.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (reference, None),
            };
            let value = self.0.get(name).map(String::as_str).or(default);
            expanded.push_str(value.ok_or_else(|| format!("`${{{name}}}`, which is not set"))?);
            rest = tail;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Reads a file by its extension: `.toml`, `.yaml`, `.yml` or `.json`.
pub(super) fn read(file: &Path) -> Result<Json, Problem> {
    let problem = |found: String, expected: &str| Problem {
        path: file.display().to_string(),
        found,
        expected: expected.to_owned(),
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| problem(format!("an unreadable file ({error})"), "a readable file"))?;
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let tree = match extension {
        "toml" => toml::from_str(&text).map_err(|error| error.to_string()),
        "yaml" | "yml" => serde_yaml_ng::from_str(&text).map_err(|error| error.to_string()),
        "json" => Json::parse(text.as_bytes()).map_err(|error| error.to_string()),
        _ => {
            return Err(problem(
                "an unknown extension".into(),
                "a file named *.toml, *.yaml or *.json",
            ));
        }
    };
    tree.map_err(|error| {
        problem(
            error.trim_end().to_owned(),
            &format!("valid {}", extension.to_uppercase()),
        )
    })
}

/// The path of a member.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Names compare without case and separators, because environment variables have none of the former
/// and configuration.json has none of the latter.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| {
        name.bytes()
            .filter(|&byte| byte != b'_' && byte != b'-')
            .map(|byte| byte.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    letters(one) == letters(other)
}

/// The value at a path of names and indices; null counts as absent.
pub(super) fn find<'t>(tree: &'t Json, path: &[&str]) -> Option<&'t Json> {
    let Some((first, rest)) = path.split_first() else {
        return (*tree != Json::Null).then_some(tree);
    };
    let member = match tree {
        Json::Object(object) => object.iter().find(|(name, _)| same_name(name, first))?.1,
        Json::Array(items) => items.get(first.parse::<usize>().ok()?)?,
        _ => return None,
    };
    find(member, rest)
}

/// A path that leads through what is no table or list, or past a list's end.
pub(super) struct Misfit;

/// Sets the value at a path of names and indices, tables and lists coming into being on the way.
pub(super) fn set(tree: &mut Json, path: &[&str], value: &str) -> Result<(), Misfit> {
    let Some((first, rest)) = path.split_first() else {
        *tree = leaf(value);
        return Ok(());
    };
    if let Ok(index) = first.parse::<usize>() {
        if !matches!(tree, Json::Array(_)) {
            *tree = Json::Array(Vec::new());
        }
        let Json::Array(items) = tree else { return Err(Misfit) };
        if index > items.len() || index > MAX_INDEX {
            return Err(Misfit);
        }
        if index == items.len() {
            items.push(Json::Null);
        }
        return items
            .get_mut(index)
            .ok_or(Misfit)
            .and_then(|item| set(item, rest, value));
    }
    if first.is_empty() {
        return Err(Misfit);
    }
    if !matches!(tree, Json::Object(_)) {
        *tree = Json::Object(Object::default());
    }
    let Json::Object(object) = tree else { return Err(Misfit) };
    let name = object
        .iter()
        .map(|(known, _)| known)
        .find(|known| same_name(known, first))
        .map_or_else(|| first.to_ascii_lowercase(), str::to_owned);
    let mut member = object.get(&name).cloned().unwrap_or(Json::Null);
    set(&mut member, rest, value)?;
    object.insert(name, member);
    Ok(())
}

/// Lists and tables may be given as JSON; everything else is text, which the reader of the key interprets.
fn leaf(value: &str) -> Json {
    if value.starts_with(['[', '{'])
        && let Ok(json) = Json::parse(value.as_bytes())
    {
        return json;
    }
    Json::String(value.to_owned())
}
