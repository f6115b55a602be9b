//! `enhancements.session_secrets_file`: the secrets of sealed sessions in a file of their own, one a line, newest
//! first. A secret is replaced by putting the new one on top; the old one goes when its last session is over.

use auth_core::json::{Json, Object};

use super::{
    section::{Section, describe, scalar},
    tree::same_name,
};

const SECRETS: &str = "sessionSecrets";
const FILE: &str = "sessionSecretsFile";

/// Puts the content of the file in the place of its name.
pub(super) fn read_file(section: &Section<'_>, given: &mut Object) {
    let Some(enhancements) = given.get("enhancements").and_then(Json::as_object) else {
        return;
    };
    let Some((name, file)) = enhancements.iter().find(|(name, _)| same_name(name, FILE)) else {
        return;
    };
    let key = format!("enhancements.{name}");
    let beside = enhancements.iter().any(|(other, _)| same_name(other, SECRETS));
    let secrets = match scalar(file) {
        Some(_) if beside => {
            section.refuse(&key, "it beside session_secrets", "one of the two");
            None
        }
        Some(file) => {
            let file = section.source().folder.join(&*file);
            section.secret_file(&key, &file)
        }
        None => {
            section.refuse(&key, describe(file), "a path");
            None
        }
    };
    let mut read: Object = enhancements
        .iter()
        .filter(|(other, _)| *other != name)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    if let Some(secrets) = secrets {
        let lines = secrets.expose().lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.map(|line| Json::String(line.to_owned())).collect();
        read.insert(SECRETS.to_owned(), Json::Array(lines));
    }
    given.insert("enhancements".to_owned(), Json::Object(read));
}
