//! configuration.json, put together from template parameters. What is wrong is reported all at once, by
//! the parameter that the operator has to change.

use auth_core::{ConfigError, http_headers_from_json, json::Json};
use edge_adapter::{Role, SettingsError, check_settings, settings_for};
use serde_json::{Map, Value, value::RawValue};

use crate::{problem::Problem, properties::Properties, user_pool::AppClient};

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

const ENHANCEMENTS: &str = "enhancements";

/// A configuration that is not shown in a Debug form.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Configuration {
    /// Given as one text, for one function that may not need all of it.
    Text(String),
    /// Put together from parameters.
    Whole {
        members: Vec<(&'static str, String)>,
        /// Whose identity providers matter: none's in the reference profile, nor where the settings say of them.
        client: Option<AppClient>,
    },
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
        Ok(Self::Text(properties.text("Configuration")?.to_owned()))
    }

    fn assemble(parameters: &Properties) -> Result<Self, Problem> {
        let (mut members, mut problems) = (Vec::new(), Vec::new());
        for (parameter, key, form) in MEMBERS {
            match value(parameters, parameter, form) {
                Ok(Some(json)) => members.push((key, json)),
                Ok(None) => {}
                Err(problem) => problems.push(problem.to_string()),
            }
        }
        let client = client_to_ask_about(parameters, &members);
        let whole = Self::Whole { members, client };
        if problems.is_empty() {
            problems = check_settings(whole.text().as_bytes())
                .err()
                .map(by_parameter)
                .unwrap_or_default();
        }
        if problems.is_empty() {
            return Ok(whole);
        }
        Err(Problem::Settings(problems.join("\n")))
    }

    /// What one function gets of it.
    pub(super) fn for_role(&self, role: Role) -> Result<Vec<u8>, Problem> {
        let text = self.text();
        if matches!(self, Self::Text(_)) {
            check_partial(role, text.as_bytes())?;
        }
        settings_for(role, text.as_bytes()).map_err(refused)
    }

    /// Whose identity providers are to be asked for.
    pub(super) const fn asks_about(&self) -> Option<&AppClient> {
        match self {
            Self::Whole { client, .. } => client.as_ref(),
            Self::Text(_) => None,
        }
    }

    /// The same for a client that lets people of other identity providers in.
    pub(super) fn federated(mut self) -> Self {
        if let Self::Whole { members, .. } = &mut self {
            let mut settings = settings(members);
            settings.insert("federated".to_owned(), Value::Bool(true));
            members.retain(|(key, _)| *key != ENHANCEMENTS);
            members.push((ENHANCEMENTS, Value::Object(settings).to_string()));
        }
        self
    }

    /// What is accepted but probably not meant, a sentence each. `None`: it is not known whether this is all of it.
    pub(super) fn warnings(&self) -> Option<Vec<String>> {
        match self {
            Self::Text(_) => None,
            Self::Whole { .. } => check_settings(self.text().as_bytes()).ok(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole { members, .. } => {
                let members = members.iter().map(|(key, json)| format!("\"{key}\":{json}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// The settings of the enhanced profile, if there are any.
fn settings(members: &[(&'static str, String)]) -> Map<String, Value> {
    let found = members.iter().find(|(key, _)| *key == ENHANCEMENTS);
    let settings = found.and_then(|(_, json)| serde_json::from_str(json).ok());
    settings.unwrap_or_default()
}

fn client_to_ask_about(parameters: &Properties, members: &[(&'static str, String)]) -> Option<AppClient> {
    let is_enhanced = parameters.optional_text("Profile") == Some("enhanced");
    let is_open = is_enhanced && !settings(members).contains_key("federated");
    AppClient::of(parameters).ok().filter(|_| is_open)
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
