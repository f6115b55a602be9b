//! `enhancements.oidc`: an OpenID provider that is not Cognito, its endpoints written out.
//!
//! The core looks nothing up: whoever reads the provider's discovery document (OpenID Connect Discovery 1.0) puts what
//! it says under these keys. Every address is https, or plain http on this machine where that is asked for; none has
//! user information or a fragment (RFC 6749, section 3.1).

use super::{
    provider::is_loopback,
    reader::{Reader, describe},
};
use crate::{
    json::{Json, Object},
    jwt::Dialect,
    provider::{ClientAuthentication, Endpoints, SignOut},
};

/// Every key.
pub(crate) const KEYS: [&str; 9] = [
    "issuer",
    "authorizationEndpoint",
    "tokenEndpoint",
    "jwksUri",
    "endSessionEndpoint",
    "revocationEndpoint",
    "usernameClaim",
    "groupsClaim",
    "tokenEndpointAuthMethod",
];

const SECTION: &str = "enhancements.oidc";

/// What is said of the provider.
pub(super) struct Generic {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) endpoints: Endpoints,
    pub(super) dialect: Dialect,
}

/// Reads the table, if it is there and the enhanced profile in force.
pub(super) fn read(reader: &mut Reader<'_>, loopback_http: bool) -> Option<Generic> {
    let is_enhanced = reader.value("profile").and_then(Json::as_str) == Some("enhanced");
    let table = table(reader).filter(|_| is_enhanced)?;
    let Some(object) = table.as_object() else {
        reader.problem(SECTION, describe(Some(table)), "an object");
        return None;
    };
    let has_secret = reader
        .value("clientSecret")
        .and_then(Json::as_str)
        .is_some_and(|secret| !secret.is_empty());
    check_scopes(reader);
    Some(read_table(reader, object, loopback_http, has_secret))
}

/// The table, whatever profile is in force.
pub(super) fn table<'j>(reader: &Reader<'j>) -> Option<&'j Json> {
    let table = reader.value("enhancements")?.member("oidc")?;
    Some(table).filter(|table| **table != Json::Null)
}

fn read_table(reader: &mut Reader<'_>, object: &Object, loopback_http: bool, has_secret: bool) -> Generic {
    reader.nested(SECTION, Some(object), &KEYS, |section| {
        let name = |section: &mut Reader<'_>, key: &str| {
            let found = section.optional_text(key).map(str::to_owned);
            if found.as_deref() == Some("") {
                section.problem(key, "\"\"", "the name of a claim");
            }
            found
        };
        let usernames = name(section, "usernameClaim");
        let groups = name(section, "groupsClaim");
        Generic {
            issuer: issuer(section, loopback_http),
            jwks_uri: needed(section, "jwksUri", loopback_http),
            endpoints: Endpoints {
                authorization: needed(section, "authorizationEndpoint", loopback_http),
                token: needed(section, "tokenEndpoint", loopback_http),
                revocation: address(section, "revocationEndpoint", loopback_http),
                sign_out: address(section, "endSessionEndpoint", loopback_http)
                    .map_or(SignOut::Nowhere, SignOut::EndSession),
                authentication: authentication(section, has_secret),
            },
            dialect: Dialect::generic(usernames.as_deref(), groups.as_deref()),
        }
    })
}

/// Without `openid` there is no id token (OpenID Connect Core, section 3.1.2.1).
fn check_scopes(reader: &mut Reader<'_>) {
    if let Some(Json::Array(scopes)) = reader.value("oauthScopes")
        && !scopes.iter().any(|scope| scope.as_str() == Some("openid"))
    {
        reader.problem("oauthScopes", "a list without openid", "openid among them");
    }
}

/// Compared with `iss` byte by byte, and so taken as it is.
fn issuer(section: &mut Reader<'_>, loopback_http: bool) -> String {
    let issuer = section.text("issuer");
    if section.value("issuer").is_some() && (!is_address(&issuer, loopback_http) || issuer.contains('?')) {
        let found = describe(section.value("issuer"));
        section.problem("issuer", found, "the provider's issuer, an https URL without a query");
    }
    issuer
}

fn needed(section: &mut Reader<'_>, key: &str, loopback_http: bool) -> String {
    if section.value(key).is_none() {
        let expected = "an https URL (the proxy can find it out from the issuer, the edge cannot)";
        section.problem(key, "nothing", expected);
    }
    address(section, key, loopback_http).unwrap_or_default()
}

fn address(section: &mut Reader<'_>, key: &str, loopback_http: bool) -> Option<String> {
    let url = section.optional_text(key)?;
    if !is_address(url, loopback_http) {
        let found = describe(section.value(key));
        let expected = "an https URL without user information or fragment (http only on loopback, with \
            insecureLoopbackHttp)";
        section.problem(key, found, expected);
    }
    Some(url.to_owned())
}

fn authentication(section: &mut Reader<'_>, has_secret: bool) -> ClientAuthentication {
    const KEY: &str = "tokenEndpointAuthMethod";
    let default = if has_secret {
        ClientAuthentication::Basic
    } else {
        ClientAuthentication::Public
    };
    if section.value(KEY).is_none() {
        return default;
    }
    let methods = [
        ("client_secret_basic", ClientAuthentication::Basic),
        ("client_secret_post", ClientAuthentication::Post),
        ("none", ClientAuthentication::Public),
    ];
    let chosen = section.choice(KEY, &methods).unwrap_or(default);
    if has_secret == (chosen == ClientAuthentication::Public) {
        let expected = if has_secret {
            "a method that uses the clientSecret"
        } else {
            "none, because there is no clientSecret"
        };
        let found = describe(section.value(KEY));
        section.problem(KEY, found, expected);
    }
    chosen
}

/// Whether a text is an address that calls and browsers may be sent to.
fn is_address(url: &str, loopback_http: bool) -> bool {
    let (rest, is_plain) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return false,
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_clean = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte));
    is_clean && !host.is_empty() && !host.contains('@') && (!is_plain || loopback_http && is_loopback(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_on_this_machine_and_nothing_else_is_in_them() {
        for url in ["https://id.example", "https://id.example:8443/realms/a/token?x=1"] {
            assert!(is_address(url, false), "{url}");
        }
        for url in ["http://localhost:3000/token", "http://127.0.0.1/", "http://[::1]:80"] {
            assert!(is_address(url, true), "{url}");
            assert!(!is_address(url, false), "{url}");
        }
        for url in [
            "",
            "id.example",
            "http://id.example/",
            "ftp://id.example/",
            "https://",
            "https:///token",
            "https://user@id.example/",
            "http://localhost@evil.example/",
            "https://id.example/#a",
            "https://id.example/ a",
            "https://id.example/\r\nx",
            "https://id.example\\@evil.example/",
            "https://id.exämple/",
            "javascript:alert(1)",
        ] {
            assert!(!is_address(url, true), "{url}");
        }
    }
}
