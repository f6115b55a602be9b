//! The attributes of each cookie, and the defaults that depend on cookie names and mode.

use super::{
    Config,
    reader::{Reader, describe},
};
use crate::{
    cookie_names::{CookieScheme, Token},
    js::percent::encode_component,
    json::Json,
    jwt::Speaker,
};

/// Attribute strings, as they are appended to a value.
#[derive(Clone, Debug)]
pub(crate) struct CookieSettings {
    pub(crate) id_token: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) nonce: String,
    pub(crate) cognito_enabled: String,
}

impl CookieSettings {
    pub(crate) fn of(&self, token: Token) -> &str {
        match token {
            Token::Id => &self.id_token,
            Token::Access => &self.access_token,
            Token::Refresh => &self.refresh_token,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compatibility {
    Amplify,
    Elasticsearch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Spa,
    StaticSite,
}

const SCRIPT_READABLE: &str = "Path=/; Secure; SameSite=Lax";
const HTTP_ONLY: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Cookie names and attributes. The mode only matters for Amplify's names, and so only there must it be
/// one that is known.
pub(super) fn read(reader: &mut Reader<'_>, client_id: &str, speaker: Speaker) -> (CookieScheme, CookieSettings) {
    let compatibility = reader.choice(
        "cookieCompatibility",
        &[
            ("amplify", Compatibility::Amplify),
            ("elasticsearch", Compatibility::Elasticsearch),
        ],
    );
    let elasticsearch = compatibility == Some(Compatibility::Elasticsearch);
    let mode = if elasticsearch && !reader.is_whole() {
        Mode::StaticSite
    } else {
        let modes = [("spaMode", Mode::Spa), ("staticSiteMode", Mode::StaticSite)];
        reader.choice("mode", &modes).unwrap_or(Mode::StaticSite)
    };
    let spa = !elasticsearch && mode == Mode::Spa;
    let token_default = if spa { SCRIPT_READABLE } else { HTTP_ONLY };
    let refresh_default = if elasticsearch || spa {
        token_default.to_owned()
    } else {
        let refresh_path = reader
            .value("redirectPathAuthRefresh")
            .and_then(Json::as_str)
            .unwrap_or("/");
        format!("Path={refresh_path}; Secure; HttpOnly; SameSite=Lax")
    };
    let settings = CookieSettings {
        id_token: setting(reader, "idToken", token_default),
        access_token: setting(reader, "accessToken", token_default),
        refresh_token: setting(reader, "refreshToken", &refresh_default),
        nonce: setting(reader, "nonce", HTTP_ONLY),
        cognito_enabled: setting(reader, "cognitoEnabled", SCRIPT_READABLE),
    };
    check_shape(reader);
    let scheme = if elasticsearch {
        CookieScheme::Elasticsearch
    } else if speaker == Speaker::Cognito {
        CookieScheme::amplify(client_id)
    } else {
        // Cognito's client ids are letters and digits; others may have what no cookie's name can.
        CookieScheme::amplify(&encode_component(client_id))
    };
    (scheme, settings)
}

/// One entry: null and "" stand for the default.
fn setting(reader: &mut Reader<'_>, key: &str, default: &str) -> String {
    let found = reader.value("cookieSettings").and_then(|settings| settings.member(key));
    match found {
        Some(Json::String(attributes)) if !attributes.is_empty() => attributes.clone(),
        None | Some(Json::Null | Json::String(_)) => default.to_owned(),
        found => {
            reader.problem(
                &format!("cookieSettings.{key}"),
                describe(found),
                "a string of cookie attributes, or null",
            );
            default.to_owned()
        }
    }
}

fn check_shape(reader: &mut Reader<'_>) {
    match reader.value("cookieSettings") {
        None => {}
        Some(Json::Object(members)) if reader.is_whole() => {
            reader.check_known("cookieSettings.", members, &Config::COOKIE_SETTINGS_KEYS);
            for key in Config::COOKIE_SETTINGS_KEYS {
                let text = members.get(key).and_then(Json::as_str).unwrap_or_default();
                if text.contains(|c: char| c.is_control()) {
                    reader.problem(
                        &format!("cookieSettings.{key}"),
                        "a control character",
                        "cookie attributes",
                    );
                }
            }
        }
        Some(Json::Object(_)) => {}
        found => reader.problem("cookieSettings", describe(found), "an object, or null"),
    }
}
