//! configuration.json, put together from template parameters. What is wrong is reported all at once, by
//! the parameter that the operator has to change.

use auth_core::{ConfigError, http_headers_from_json, json::Json};
use edge_adapter::{Role, SettingsError, check_settings, settings_for};
use serde_json::{Value, value::RawValue};

use crate::{problem::Problem, properties::Properties};

/// How a parameter becomes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is.
    Text,
    /// A list of texts.
    List,
    /// The text of a JSON value.
    Json,
    /// EnableSPAMode: one of two words.
    Mode,
    /// JSON that says nothing when it is empty.
    Settings,
}

/// Parameter, key, form; in the order of the reference's file.
const MEMBERS: [(&str, &str, Form); 20] = [
    ("UserPoolArn", "userPoolArn", Form::Text),
    ("Jwks", "jwks", Form::Json),
    ("UserPoolClientId", "clientId", Form::Text),
    ("UserPoolClientSecret", "clientSecret", Form::Text),
    ("OAuthScopes", "oauthScopes", Form::List),
    ("UserPoolAuthDomain", "cognitoAuthDomain", Form::Text),
    ("RedirectPathSignIn", "redirectPathSignIn", Form::Text),
    ("RedirectPathSignOut", "redirectPathSignOut", Form::Text),
    ("SignOutUrl", "signOutUrl", Form::Text),
    ("RedirectPathAuthRefresh", "redirectPathAuthRefresh", Form::Text),
    ("CookieSettings", "cookieSettings", Form::Json),
    ("EnableSPAMode", "mode", Form::Mode),
    ("HttpHeaders", "httpHeaders", Form::Json),
    ("LogLevel", "logLevel", Form::Text),
    ("NonceSigningSecret", "nonceSigningSecret", Form::Text),
    ("CookieCompatibility", "cookieCompatibility", Form::Text),
    ("AdditionalCookies", "additionalCookies", Form::Json),
    ("UserPoolGroupName", "requiredGroup", Form::Text),
    ("Profile", "profile", Form::Text),
    ("Enhancements", "enhancements", Form::Settings),
];

/// A configuration that is not shown in a Debug form.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    text: String,
    /// Given as one text, for one function that may not need all of it.
    partial: bool,
}

impl std::fmt::Debug for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Configuration(…)")
    }
}

impl Configuration {
    /// Reads Parameters, or, as people wire the reference's resource, Configuration.
    pub(super) fn of(properties: &Properties) -> Result<Self, Problem> {
        if let Some(parameters) = properties.object("Parameters")? {
            return Self::assemble(&parameters);
        }
        let text = properties.text("Configuration")?.to_owned();
        Ok(Self { text, partial: true })
    }

    fn assemble(parameters: &Properties) -> Result<Self, Problem> {
        let (mut members, mut problems) = (Vec::new(), Vec::new());
        for (parameter, key, form) in MEMBERS {
            match value(parameters, parameter, form) {
                Ok(Some(json)) => members.push(format!("\"{key}\":{json}")),
                Ok(None) => {}
                Err(problem) => problems.push(problem.to_string()),
            }
        }
        let text = format!("{{{}}}", members.join(","));
        if problems.is_empty() {
            problems = check_settings(text.as_bytes())
                .err()
                .map(by_parameter)
                .unwrap_or_default();
        }
        if problems.is_empty() {
            return Ok(Self { text, partial: false });
        }
        Err(Problem::Settings(problems.join("\n")))
    }

    /// What one function gets of it.
    pub(super) fn for_role(&self, role: Role) -> Result<Vec<u8>, Problem> {
        if self.partial {
            check_partial(role, self.text.as_bytes())?;
        }
        settings_for(role, self.text.as_bytes()).map_err(refused)
    }
}

/// The JSON text of a parameter's value; `None` where it is not given.
fn value(parameters: &Properties, name: &str, form: Form) -> Result<Option<String>, Problem> {
    if form == Form::List {
        return Ok(Some(Value::from(parameters.list(name)?).to_string()));
    }
    let Some(text) = parameters.optional_text(name) else {
        return Ok(None);
    };
    match form {
        // The template has a default; to the core, settings of a profile that is not chosen are a mistake.
        Form::Settings if text == "{}" => Ok(None),
        Form::Json | Form::Settings => match serde_json::from_str::<&RawValue>(text) {
            Ok(json) => Ok(Some(json.get().to_owned())),
            // The position alone: the message may quote what stands there.
            Err(error) => {
                let found = format!("no JSON (line {}, column {})", error.line(), error.column());
                Err(Problem::property(name, found, "a JSON object"))
            }
        },
        Form::Mode => match text {
            "true" => Ok(Some("\"spaMode\"".to_owned())),
            "false" => Ok(Some("\"staticSiteMode\"".to_owned())),
            _ => Err(Problem::property(name, format!("{text:?}"), "true or false")),
        },
        Form::Text | Form::List => Ok(Some(Value::from(text).to_string())),
    }
}

fn by_parameter(error: SettingsError) -> Vec<String> {
    match error {
        SettingsError::Site(None, ConfigError { problems }) => problems
            .into_iter()
            .map(|mut problem| {
                problem.path = parameter_path(&problem.path);
                problem.to_string()
            })
            .collect(),
        error => vec![error.to_string()],
    }
}

/// `httpHeaders.X-Cache` as `HttpHeaders.X-Cache`; several keys may stand there, with commas.
fn parameter_path(path: &str) -> String {
    let keys: Vec<String> = path
        .split(", ")
        .map(|path| {
            let (key, rest) = path
                .split_once('.')
                .map_or((path, ""), |(key, _)| (key, &path[key.len()..]));
            let parameter = MEMBERS.into_iter().find(|(_, known, _)| *known == key);
            format!("{}{rest}", parameter.map_or(key, |(parameter, ..)| parameter))
        })
        .collect();
    keys.join(", ")
}

/// A text of the template's own author: whole where the function authenticates.
fn check_partial(role: Role, text: &[u8]) -> Result<(), Problem> {
    match role {
        Role::RewriteTrailingSlash => Ok(()),
        Role::HttpHeaders => {
            let json = Json::parse(text).map_err(|error| refused(SettingsError::Json(error)))?;
            let headers = http_headers_from_json(&json);
            headers.map(drop).map_err(|error| Problem::Settings(error.to_string()))
        }
        Role::CheckAuth | Role::ParseAuth | Role::RefreshAuth | Role::SignOut | Role::AllInOne => {
            check_settings(text).map(drop).map_err(refused)
        }
    }
}

fn refused(error: SettingsError) -> Problem {
    Problem::Settings(error.to_string())
}
