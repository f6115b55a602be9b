//! A site's sign-in: the reference's `configuration.json`, as a file of its own or inline.

use auth_core::{
    Config, ConfigError, ConfiguredHeaders, checked_http_headers_from_json,
    json::{Json, Object},
};

use super::{
    auth_defaults, enhancements,
    section::{Section, describe, scalar},
    session_secrets,
    site::Conduct,
    tree::{self, same_name},
    undiscovered,
};

/// Whether viewers of a site must sign in.
#[derive(Clone, Debug)]
pub enum AuthSettings {
    /// They must.
    Required {
        /// What the core decides by.
        config: Box<Config>,
        /// The configuration as given, for display; secrets are masked when it is shown.
        given: Object,
        /// What is wrong with it, but passes at the edge and therefore in parity with it. No secrets.
        overlooked: Vec<String>,
    },
    /// Everything is public: `insecure_auth_off = true`.
    Off {
        /// The `httpHeaders` that are given; they are not about sign-in.
        headers: ConfiguredHeaders,
    },
}

/// What the core makes of it follows from what was given.
impl PartialEq for AuthSettings {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Off { headers }, Self::Off { headers: other }) => headers == other,
            (Self::Required { given, .. }, Self::Required { given: other, .. }) => given == other,
            (Self::Off { .. }, Self::Required { .. }) | (Self::Required { .. }, Self::Off { .. }) => false,
        }
    }
}

impl AuthSettings {
    /// What runs at the edge under a configuration.
    pub(crate) fn in_parity(config: &Config, given: &Json) -> Self {
        Self::Required {
            config: Box::new(config.clone()),
            given: given.as_object().cloned().unwrap_or_default(),
            overlooked: Vec::new(),
        }
    }
}

/// Text from the environment stands for a number here.
const NUMBERS: [&str; 3] = ["pkceLength", "nonceLength", "nonceMaxAge"];
/// May be given as the content of a file, under the key and `_file`.
const FILES: [&str; 3] = ["clientSecret", "nonceSigningSecret", "jwks"];
/// What holds without sign-in as well.
const HEADERS: &str = "httpHeaders";
/// Never shown.
pub(super) const SECRETS: [&str; 3] = ["clientSecret", "nonceSigningSecret", "sessionSecrets"];

/// Reads the section. `None`: there was a problem, and it has been reported.
pub(super) fn read(section: &mut Section<'_>, conduct: Conduct) -> Option<AuthSettings> {
    let Some(object) = section.object() else {
        let expected = "the keys of configuration.json, `file = \"configuration.json\"` or `insecure_auth_off = true`";
        section.source().report.add(section.path(), "nothing", expected);
        return None;
    };
    let mut given = base(section)?;
    if section.flag("insecure_auth_off") {
        return off(section, object, given);
    }
    for (name, value) in object.iter() {
        if !same_name(name, "file") && !same_name(name, "insecure_auth_off") {
            put(section, &mut given, name, value);
        }
    }
    session_secrets::read_file(section, &mut given);
    if !object.iter().any(|(name, _)| same_name(name, "file")) {
        auth_defaults::fill(&mut given);
    }
    if conduct == Conduct::Proxy {
        auth_defaults::choose_profile(&mut given);
    }
    let json = Json::Object(given.clone());
    let checked = match conduct {
        Conduct::Proxy if undiscovered::issuer(&given).is_some() => undiscovered::check(&given),
        _ => Config::from_json(&json),
    };
    let (config, overlooked) = match (checked, conduct) {
        // What runs at the edge must run in parity with it, however odd it is.
        (Err(error), Conduct::Edge) => (Config::as_deployed(&json), overlooked(&error)),
        (whole, _) => (whole, Vec::new()),
    };
    match config {
        Ok(config) => Some(AuthSettings::Required {
            config: Box::new(config),
            given,
            overlooked,
        }),
        Err(error) => {
            section.source().report.extend(section.path(), error.problems);
            None
        }
    }
}

/// A public site keeps the headers that are given; none are by default, since nothing of it is about sign-in.
fn off(section: &Section<'_>, object: &Object, mut given: Object) -> Option<AuthSettings> {
    for (name, value) in object.iter().filter(|(name, _)| same_name(name, HEADERS)) {
        put(section, &mut given, name, value);
    }
    let mut headers = Object::default();
    headers.insert(HEADERS.to_owned(), given.get(HEADERS).cloned().unwrap_or(Json::Null));
    match checked_http_headers_from_json(&Json::Object(headers)) {
        Ok(headers) => Some(AuthSettings::Off { headers }),
        Err(error) => {
            section.source().report.extend(section.path(), error.problems);
            None
        }
    }
}

fn overlooked(error: &ConfigError) -> Vec<String> {
    let problems = error.problems.iter();
    problems
        .map(|problem| format!("{problem}; as at the edge, this is overlooked"))
        .collect()
}

/// The file's content, which inline keys add to.
fn base(section: &mut Section<'_>) -> Option<Object> {
    let Some(file) = section.file("file") else {
        return Some(Object::default());
    };
    section.source().report.has_read(&file);
    match tree::read(&file) {
        Ok(Json::Object(object)) => Some(object),
        Ok(other) => {
            section.refuse(
                "file",
                format!("{} in {}", describe(&other), file.display()),
                "an object",
            );
            None
        }
        Err(problem) => {
            section.refuse("file", format!("{}: {}", problem.path, problem.found), problem.expected);
            None
        }
    }
}

fn put(section: &Section<'_>, given: &mut Object, name: &str, value: &Json) {
    let of_file = name
        .len()
        .checked_sub("file".len())
        .and_then(|at| name.split_at_checked(at))
        .filter(|(_, suffix)| suffix.eq_ignore_ascii_case("file"))
        .and_then(|(key, _)| FILES.into_iter().find(|known| same_name(known, key)));
    if let Some(key) = of_file {
        if let Some(content) = content(section, name, value) {
            let json = (key == "jwks").then(|| Json::parse(content.as_bytes()).ok()).flatten();
            given.insert(key.to_owned(), json.unwrap_or(Json::String(content)));
        }
        return;
    }
    let key = spelled(name, &Config::KEYS);
    let value = match value {
        Json::Object(settings) if key == "cookieSettings" => {
            let mut spelled_settings = Object::default();
            for (name, value) in settings.iter() {
                spelled_settings.insert(spelled(name, &Config::COOKIE_SETTINGS_KEYS), value.clone());
            }
            Json::Object(spelled_settings)
        }
        Json::String(text) if NUMBERS.contains(&key.as_str()) => {
            text.parse().map_or_else(|_| value.clone(), Json::Number)
        }
        Json::String(text) if key == "insecureLoopbackHttp" => text.parse().map_or_else(|_| value.clone(), Json::Bool),
        Json::String(text) if key == "oauthScopes" => Json::Array(
            text.split([',', ' '])
                .filter(|scope| !scope.is_empty())
                .map(|scope| Json::String(scope.to_owned()))
                .collect(),
        ),
        value if key == "enhancements" => enhancements::translate(value),
        other => other.clone(),
    };
    given.insert(key, value);
}

fn content(section: &Section<'_>, name: &str, value: &Json) -> Option<String> {
    let Some(file) = scalar(value) else {
        section.refuse(name, describe(value), "a path");
        return None;
    };
    let file = section.source().folder.join(&*file);
    section.secret_file(name, &file).map(|secret| secret.expose().clone())
}

/// The core's spelling of a known key; of an unknown one, its own in camel case.
pub(super) fn spelled(name: &str, known: &[&str]) -> String {
    if let Some(key) = known.iter().find(|key| same_name(key, name)) {
        return (*key).to_owned();
    }
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_written_in_snake_case_or_upper_case() {
        assert_eq!(spelled("client_secret", &Config::KEYS), "clientSecret");
        assert_eq!(spelled("CLIENTSECRET", &Config::KEYS), "clientSecret");
        assert_eq!(spelled("user_pool_arn", &Config::KEYS), "userPoolArn");
    }

    #[test]
    fn unknown_keys_are_left_to_the_core_in_its_style() {
        assert_eq!(spelled("clint_id", &Config::KEYS), "clintId");
        assert_eq!(spelled("clintId", &Config::KEYS), "clintId");
    }
}
