//! configuration.json as the packaging command sees it: checked as a whole, and cut to what a function
//! needs, so that no secret lies where none is used.

use auth_core::{Config, ConfigError, ConfigProblem, json::Json};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Role, SettingsError, Sites,
    forbidden::{Place, is_forbidden},
    raw_object::RawObject,
};

/// Checks every site's settings as a whole; gives what is accepted but weak.
///
/// # Errors
/// What is wrong, headers that CloudFront would refuse included.
pub fn check_settings(text: &[u8]) -> Result<Vec<String>, SettingsError> {
    let sites = Sites::read(text, |json: &Json| {
        let config = Config::from_json(json)?;
        check_headers(&config)?;
        Ok(config)
    })?;
    Ok(sites.iter().flat_map(Config::warnings).collect())
}

fn check_headers(config: &Config) -> Result<(), ConfigError> {
    let problems: Vec<_> = config
        .http_headers()
        .iter()
        .filter(|(name, _)| is_forbidden(&name.to_ascii_lowercase(), Place::Generated))
        .map(|(name, _)| ConfigProblem {
            path: format!("httpHeaders.{name}"),
            found: "a header that functions at the edge may not set".to_owned(),
            expected: "another header".to_owned(),
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ConfigError { problems })
    }
}

/// The text of configuration.json for one role: all of it where viewers are authenticated, otherwise the
/// few keys that the role reads.
///
/// # Errors
/// When it is not JSON of the right layout.
pub fn settings_for(role: Role, text: &[u8]) -> Result<Vec<u8>, SettingsError> {
    let keys: &[&str] = match role {
        Role::HttpHeaders => &["httpHeaders", "logLevel"],
        Role::RewriteTrailingSlash => &["logLevel"],
        Role::CheckAuth | Role::ParseAuth | Role::RefreshAuth | Role::SignOut | Role::AllInOne => {
            return Ok(text.to_owned());
        }
    };
    cut(text, keys).map_err(SettingsError::Json)
}

fn cut(text: &[u8], keys: &[&str]) -> Result<Vec<u8>, serde_json::Error> {
    let settings: RawObject<'_> = serde_json::from_slice(text)?;
    let Some(sites) = settings.get("sites") else {
        return serde_json::to_vec(&settings.only(keys));
    };
    let mut sites: RawObject<'_> = serde_json::from_str(sites.get())?;
    let hosts: Vec<String> = sites.names().map(ToOwned::to_owned).collect();
    for host in hosts {
        let own = sites.get(&host).map(RawValue::get).unwrap_or_default();
        let own = to_raw_value(&serde_json::from_str::<RawObject<'_>>(own)?.only(keys))?;
        sites.set(&host, own);
    }
    let mut all = RawObject::empty();
    all.set("sites", to_raw_value(&sites)?);
    serde_json::to_vec(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_for(role: Role, text: &str) -> String {
        String::from_utf8(settings_for(role, text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn functions_that_authenticate_get_the_file_as_it_is() {
        let text = "{ \"clientSecret\": \"s\",  \"httpHeaders\": {} }";
        assert_eq!(cut_for(Role::CheckAuth, text), text);
    }

    #[test]
    fn the_others_get_no_secret() {
        let text = r#"{"clientSecret":"s","httpHeaders":{"X-b":"1","X-B":"2"},"logLevel":"info"}"#;
        assert_eq!(
            cut_for(Role::HttpHeaders, text),
            r#"{"httpHeaders":{"X-b":"1","X-B":"2"},"logLevel":"info"}"#
        );
        assert_eq!(cut_for(Role::RewriteTrailingSlash, text), r#"{"logLevel":"info"}"#);
        assert_eq!(cut_for(Role::RewriteTrailingSlash, "{}"), "{}");
    }

    #[test]
    fn every_site_is_cut() {
        let text = r#"{"sites":{"a":{"clientSecret":"s","httpHeaders":{}},"b":{"httpHeaders":{"X":"1"}}}}"#;
        assert_eq!(
            cut_for(Role::HttpHeaders, text),
            r#"{"sites":{"a":{"httpHeaders":{}},"b":{"httpHeaders":{"X":"1"}}}}"#
        );
    }

    #[test]
    fn headers_that_cloudfront_would_refuse_are_named() {
        let headers = r#"{"X-Cache":"a","Via":"b","X-Ok":"c"}"#;
        let error = check_settings(valid_with(headers).as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains("httpHeaders.X-Cache") && error.contains("httpHeaders.Via"),
            "{error}"
        );
        assert!(!error.contains("X-Ok"));
    }

    fn valid_with(headers: &str) -> String {
        format!(
            r#"{{"userPoolArn":"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
            "jwks":{{"keys":[]}},"clientId":"client","clientSecret":"","oauthScopes":["openid"],
            "cognitoAuthDomain":"auth.example.com","redirectPathSignIn":"/parseauth","redirectPathSignOut":"/",
            "redirectPathAuthRefresh":"/refreshauth","signOutUrl":"/signout","cookieSettings":{{}},"mode":"spaMode",
            "httpHeaders":{headers},"logLevel":"none","nonceSigningSecret":"jvfgVwXyZ0123456789abcdefGHIJKLM",
            "cookieCompatibility":"amplify","additionalCookies":{{}},"requiredGroup":""}}"#
        )
    }

    #[test]
    fn a_valid_file_is_accepted_and_a_wrong_one_is_not() {
        assert_eq!(
            check_settings(valid_with("{}").as_bytes()).unwrap(),
            Vec::<String>::new()
        );
        assert!(check_settings(b"{}").is_err());
    }
}
