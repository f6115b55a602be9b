//! Rules as they are configured. What could be meant in two ways is a problem, and so is whatever asks for nothing.

use super::{
    HostPattern, Methods, PathPattern, Requirement, Rule, Rules,
    requirement::{AcceptedClaim, Conditions},
};
use crate::{
    config::{Reader, describe},
    json::Json,
};

pub(crate) const KEYS: [&str; 5] = ["hosts", "paths", "under", "methods", "require"];
pub(crate) const CONDITIONS: [&str; 7] = [
    "groups",
    "allGroups",
    "claims",
    "anyClaims",
    "emailDomains",
    "scopes",
    "allScopes",
];
const EXPECTED: &str = "`public`, `signedIn`, `deny`, an object of conditions or a list of such objects";

/// How many rules there may be, and how many entries in each of their lists (T-DOS-4).
const MOST: usize = 200;

impl Rules {
    /// Reads the list under `rules`. Without one, any session will do.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        if reader.value("rules").is_none() {
            return Self::new(None);
        }
        let rules = reader.sections("rules", &KEYS, read_rule);
        if rules.is_empty() || rules.len() > MOST {
            let found = format!("{} rules", rules.len());
            reader.problem(
                "rules",
                found,
                &format!("1 to {MOST} rules, or no `rules` for any session"),
            );
        }
        Self::new(Some(rules))
    }
}

fn read_rule(reader: &mut Reader<'_>) -> Rule {
    let requirement = read_requirement(reader);
    let parse_host = |text: &str| HostPattern::parse(text).ok_or(());
    let hosts = parsed(
        reader,
        "hosts",
        parse_host,
        |()| "no host name".to_owned(),
        "host names as app.example.com or *.example.com, without port",
    );
    let expected = "paths as /exact, /one/*/segment or /all/below/**, decoded";
    let mut paths = parsed(reader, "paths", PathPattern::parse, |error| error.to_string(), expected);
    let expected = "paths as /admin, decoded and without wildcards";
    paths.extend(parsed(
        reader,
        "under",
        PathPattern::under,
        |error| error.to_string(),
        expected,
    ));
    let as_method = |text: &str| Methods::is_method(text).then(|| text.to_owned()).ok_or(());
    let methods = parsed(
        reader,
        "methods",
        as_method,
        |()| "no method".to_owned(),
        "methods in upper case",
    );
    if paths.iter().any(PathPattern::is_everything) {
        paths.clear();
    }
    Rule {
        hosts,
        paths,
        methods: Methods::new(methods, requirement == Requirement::Public),
        requirement: requirement.into(),
    }
}

/// A list of texts, each of which has to be something. An empty one is a problem: it would fit everything, or
/// nothing, and nobody writes it on purpose (T-AUTHZ-1).
fn parsed<T, E>(
    reader: &mut Reader<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    tell: impl Fn(E) -> String,
    expected: &str,
) -> Vec<T> {
    let texts = reader.list(key);
    check_length(reader, key, texts.len());
    let mut values = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match parse(text) {
            Ok(value) => values.push(value),
            Err(error) => {
                let found = format!("{}: {}", Json::String(text.clone()).stringify(), tell(error));
                reader.problem(&format!("{key}[{index}]"), found, expected);
            }
        }
    }
    values
}

fn check_length(reader: &mut Reader<'_>, key: &str, length: usize) {
    match reader.value(key) {
        Some(Json::Array(list)) if list.is_empty() => {
            reader.problem(key, "an empty list", "at least one entry, or no such key")
        }
        _ if length > MOST => reader.problem(key, format!("{length} entries"), &format!("at most {MOST}")),
        _ => {}
    }
}

fn read_requirement(reader: &mut Reader<'_>) -> Requirement {
    match reader.value("require") {
        Some(Json::String(word)) => match word.as_str() {
            "public" => return Requirement::Public,
            "signedIn" => return Requirement::SignedIn,
            "deny" => return Requirement::Deny,
            _ => reader.problem("require", describe(reader.value("require")), EXPECTED),
        },
        Some(Json::Object(_)) => {
            return Requirement::AnyOf(vec![reader.section("require", &CONDITIONS, read_conditions)]);
        }
        Some(Json::Array(list)) if (1..=MOST).contains(&list.len()) => {
            return Requirement::AnyOf(reader.sections("require", &CONDITIONS, read_conditions));
        }
        found => reader.problem("require", describe(found), EXPECTED),
    }
    Requirement::Deny
}

fn read_conditions(reader: &mut Reader<'_>) -> Conditions {
    let words = |reader: &mut Reader<'_>, key: &str| {
        let as_word = |text: &str| if text.is_empty() { Err(()) } else { Ok(text.to_owned()) };
        parsed(reader, key, as_word, |()| "nothing".to_owned(), "names")
    };
    let as_scope = |text: &str| {
        let is_scope = !text.is_empty() && !text.contains(' ');
        is_scope.then(|| text.to_owned()).ok_or(())
    };
    let scopes = |reader: &mut Reader<'_>, key: &str| {
        parsed(
            reader,
            key,
            as_scope,
            |()| "no scope".to_owned(),
            "scopes, one an entry",
        )
    };
    let as_domain = |text: &str| match HostPattern::parse(text) {
        Some(HostPattern::Name(name)) if name.contains('.') && !name.starts_with('[') => Ok(name.into()),
        _ => Err(()),
    };
    let conditions = Conditions {
        groups: words(reader, "groups"),
        all_groups: words(reader, "allGroups"),
        claims: claims(reader, "claims"),
        any_claims: claims(reader, "anyClaims"),
        email_domains: parsed(
            reader,
            "emailDomains",
            as_domain,
            |()| "no domain".to_owned(),
            "whole domains as example.com, without @ and wildcards",
        ),
        scopes: scopes(reader, "scopes"),
        all_scopes: scopes(reader, "allScopes"),
    };
    if CONDITIONS.iter().all(|key| reader.value(key).is_none()) {
        reader.problem(
            "(conditions)",
            "nothing",
            "at least one condition, or `signedIn` for any session",
        );
    }
    conditions
}

/// Names with the values that are good: one, or a list.
fn claims(reader: &mut Reader<'_>, key: &str) -> Vec<AcceptedClaim> {
    let members = match reader.value(key) {
        None => return Vec::new(),
        Some(Json::Object(members)) => members,
        found => {
            reader.problem(
                key,
                describe(found),
                "an object of claims, each with a value or a list of values",
            );
            return Vec::new();
        }
    };
    let mut claims = Vec::new();
    for (name, value) in members.iter() {
        let accepted = match value {
            Json::Array(list) => list.clone(),
            single => vec![single.clone()],
        };
        let is_single = |value: &Json| matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_));
        if name.is_empty() || accepted.is_empty() || accepted.len() > MOST || !accepted.iter().all(is_single) {
            reader.problem(
                &format!("{key}.{name}"),
                describe(Some(value)),
                "a value or a list of values: texts, numbers or truth values",
            );
        }
        claims.push(AcceptedClaim {
            name: name.to_owned(),
            accepted,
        });
    }
    check_count(reader, key, claims.len());
    claims
}

fn check_count(reader: &mut Reader<'_>, key: &str, count: usize) {
    if !(1..=MOST).contains(&count) {
        reader.problem(key, format!("{count} claims"), &format!("1 to {MOST}"));
    }
}
