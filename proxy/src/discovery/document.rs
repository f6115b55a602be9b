//! The provider's document (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2): what we need of it, and
//! whether we can do with what it offers. What it does not say is taken for the best.

use auth_core::json::Json;
use thiserror::Error;

/// What counts of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Keys of the configuration, and what the document says there.
    pub(crate) endpoints: Vec<(&'static str, String)>,
    /// The ways in which a client with a secret may prove itself, where the document says so.
    authentication: Option<Vec<String>>,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// It is no JSON object.
    #[error("it is not a JSON object")]
    Form,
    /// It is another provider's, or says so.
    #[error("it is about the issuer {found:?}, not {expected:?}; they have to be equal to the last character")]
    Issuer {
        /// What it says.
        found: String,
        /// What is configured.
        expected: String,
    },
    /// A member is not of its type.
    #[error("{0} is not of its type")]
    Type(&'static str),
    /// It offers nothing that we can do.
    #[error("{member} does not have {wanted}")]
    Unsupported {
        /// Where it says so.
        member: &'static str,
        /// What would have to be there.
        wanted: &'static str,
    },
}

/// Members of the document and the keys of the configuration that they stand for.
const ENDPOINTS: [(&str, &str); 5] = [
    ("authorization_endpoint", "authorizationEndpoint"),
    ("token_endpoint", "tokenEndpoint"),
    ("jwks_uri", "jwksUri"),
    ("end_session_endpoint", "endSessionEndpoint"),
    ("revocation_endpoint", "revocationEndpoint"),
];

/// What the core can verify.
const ALGORITHMS: [&str; 4] = ["RS256", "RS384", "RS512", "ES256"];

impl Metadata {
    /// Reads the document of the provider that is expected there.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub(crate) fn parse(document: &[u8], issuer: &str) -> Result<Self, DocumentError> {
        let json = Json::parse(document).map_err(|_| DocumentError::Form)?;
        if json.as_object().is_none() {
            return Err(DocumentError::Form);
        }
        let found = json.member("issuer").and_then(Json::as_str).unwrap_or_default();
        if found != issuer {
            return Err(DocumentError::Issuer {
                found: found.chars().take(200).collect(),
                expected: issuer.to_owned(),
            });
        }
        offers(&json, "response_types_supported", "code", &["code"])?;
        offers(&json, "code_challenge_methods_supported", "S256", &["S256"])?;
        let algorithms = "RS256, RS384, RS512 or ES256";
        offers(&json, "id_token_signing_alg_values_supported", algorithms, &ALGORITHMS)?;
        let mut endpoints = Vec::with_capacity(ENDPOINTS.len());
        for (member, key) in ENDPOINTS {
            match json.member(member) {
                None | Some(Json::Null) => {}
                Some(Json::String(url)) => endpoints.push((key, url.clone())),
                Some(_) => return Err(DocumentError::Type(member)),
            }
        }
        let authentication = list(&json, "token_endpoint_auth_methods_supported")?;
        Ok(Self {
            endpoints,
            authentication: authentication.map(|list| list.into_iter().map(str::to_owned).collect()),
        })
    }

    /// How a client with a secret proves itself where nobody has said how: by HTTP Basic, which is the default (OpenID
    /// Connect Core, section 9), unless only the body will do.
    pub(crate) fn authentication(&self) -> &'static str {
        let offers = |method: &str| self.authentication.iter().flatten().any(|offered| offered == method);
        if offers("client_secret_post") && !offers("client_secret_basic") {
            "client_secret_post"
        } else {
            "client_secret_basic"
        }
    }
}

/// Whether a list has one of these, or is not there.
fn offers(json: &Json, member: &'static str, wanted: &'static str, any_of: &[&str]) -> Result<(), DocumentError> {
    match list(json, member)? {
        Some(offered) if !offered.iter().any(|one| any_of.contains(one)) => {
            Err(DocumentError::Unsupported { member, wanted })
        }
        _ => Ok(()),
    }
}

fn list<'j>(json: &'j Json, member: &'static str) -> Result<Option<Vec<&'j str>>, DocumentError> {
    match json.member(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Json::as_str).collect();
            texts.map(Some).ok_or(DocumentError::Type(member))
        }
        Some(_) => Err(DocumentError::Type(member)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example/realms/a";

    fn parsed(changes: Value) -> Result<Metadata, DocumentError> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/jwks",
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::parse(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn each_endpoint_has_its_key_and_may_be_absent() {
        let found = parsed(json!({"end_session_endpoint": "https://id.example/end", "jwks_uri": null})).unwrap();
        assert_eq!(
            found.endpoints,
            [
                ("authorizationEndpoint", "https://id.example/authorize".to_owned()),
                ("tokenEndpoint", "https://id.example/token".to_owned()),
                ("endSessionEndpoint", "https://id.example/end".to_owned()),
            ]
        );
    }

    #[test]
    fn only_the_very_issuer_will_do() {
        for issuer in [
            json!("https://id.example/realms/a/"),
            json!("https://id.example/realms/b"),
            json!("https://ID.example/realms/a"),
            json!("https://login.example/{tenantid}/v2.0"),
            json!(""),
            json!(7),
            json!(null),
        ] {
            let error = parsed(json!({"issuer": issuer})).unwrap_err();
            assert!(matches!(error, DocumentError::Issuer { .. }), "{issuer}: {error}");
        }
    }

    #[test]
    fn what_it_offers_has_to_be_what_we_can_do() {
        for (member, good, bad) in [
            (
                "response_types_supported",
                json!(["id_token", "code"]),
                json!(["id_token"]),
            ),
            (
                "code_challenge_methods_supported",
                json!(["plain", "S256"]),
                json!(["plain"]),
            ),
            (
                "id_token_signing_alg_values_supported",
                json!(["HS256", "ES256"]),
                json!(["HS256", "none", "EdDSA"]),
            ),
        ] {
            assert!(parsed(json!({ member: good })).is_ok(), "{member}");
            assert!(parsed(json!({ member: null })).is_ok(), "{member}");
            for (wrong, is_type) in [
                (bad, false),
                (json!([]), false),
                (json!("S256"), true),
                (json!([7]), true),
            ] {
                let error = parsed(json!({ member: wrong })).unwrap_err();
                assert_eq!(matches!(error, DocumentError::Type(_)), is_type, "{member} {error}");
            }
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "[]", "null", "\"x\"", "<html>", "{", "{} {}", "\u{feff}{}"] {
            assert_eq!(
                Metadata::parse(text.as_bytes(), ISSUER),
                Err(DocumentError::Form),
                "{text}"
            );
        }
        assert_eq!(
            parsed(json!({"token_endpoint": ["https://id.example"]})),
            Err(DocumentError::Type("token_endpoint"))
        );
    }

    #[test]
    fn a_client_proves_itself_in_the_body_only_where_nothing_else_is_offered() {
        let chosen = |methods: Value| {
            let metadata = parsed(json!({"token_endpoint_auth_methods_supported": methods})).unwrap();
            metadata.authentication()
        };
        assert_eq!(chosen(json!(null)), "client_secret_basic");
        assert_eq!(
            chosen(json!(["client_secret_post", "client_secret_basic"])),
            "client_secret_basic"
        );
        assert_eq!(
            chosen(json!(["private_key_jwt", "client_secret_post"])),
            "client_secret_post"
        );
        assert_eq!(chosen(json!(["private_key_jwt"])), "client_secret_basic");
    }
}
