//! What `[sites.auth]` may leave out where no `configuration.json` is named: the usual paths and names, the
//! stricter cookies, and a secret for nonces that all replicas come to by themselves.

use auth_core::json::{Json, Object};
use ring::hmac;

use super::undiscovered;

/// Told apart from everything else that a client secret may ever be the key of.
const NONCE_SIGNING_LABEL: &[u8] = b"portcullis nonce signing secret, version 1\0";

const TEXTS: [(&str, &str); 7] = [
    ("redirectPathSignIn", "/parseauth"),
    ("redirectPathSignOut", "/"),
    ("redirectPathAuthRefresh", "/refreshauth"),
    ("signOutUrl", "/signout"),
    // Scripts cannot read the tokens; what needs them to, as AWS Amplify, asks for `spaMode`.
    ("mode", "staticSiteMode"),
    ("cookieCompatibility", "amplify"),
    ("requiredGroup", ""),
];

/// Both are allowed to every app client that Cognito's console makes.
const SCOPES: [&str; 2] = ["openid", "email"];
/// Every OpenID provider knows these (OpenID Connect Core, section 5.4).
const SCOPES_ELSEWHERE: [&str; 3] = ["openid", "email", "profile"];

/// No policy that could break a page that nobody has looked at.
const HEADERS: [(&str, &str); 4] = [
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
];

/// Adds what is not there.
pub(super) fn fill(given: &mut Object) {
    for (key, text) in TEXTS {
        put(given, key, || Json::String(text.to_owned()));
    }
    let scopes: &[&str] = match undiscovered::provider(given) {
        Some(_) => &SCOPES_ELSEWHERE,
        None => &SCOPES,
    };
    put(given, "oauthScopes", || {
        let scopes = scopes.iter().map(|&scope| Json::String(scope.to_owned()));
        Json::Array(scopes.collect())
    });
    put(given, "httpHeaders", || {
        let mut headers = Object::default();
        for (name, value) in HEADERS {
            headers.insert(name.to_owned(), Json::String(value.to_owned()));
        }
        Json::Object(headers)
    });
    if let Some(secret) = nonce_signing_secret(given) {
        put(given, "nonceSigningSecret", || Json::String(secret));
    }
}

/// Outside edge parity, where the reference's own is meant, the improvements are there unless declined.
pub(super) fn choose_profile(given: &mut Object) {
    put(given, "profile", || Json::String("enhanced".to_owned()));
}

fn put(given: &mut Object, key: &str, value: impl FnOnce() -> Json) {
    // An explicit null stays one.
    if given.get(key).is_none() {
        given.insert(key.to_owned(), value());
    }
}

/// Replicas have to agree on the secret and share nothing but the configuration: it follows from the client
/// secret. A public client has none, and a secret has to be given.
fn nonce_signing_secret(given: &Object) -> Option<String> {
    let text = |key| given.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let key = hmac::Key::new(hmac::HMAC_SHA256, text("clientSecret")?.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(NONCE_SIGNING_LABEL);
    context.update(text("clientId")?.as_bytes());
    Some(
        context
            .sign()
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(json: &str) -> Object {
        let Json::Object(mut given) = Json::parse(json.as_bytes()).unwrap() else {
            panic!("{json}")
        };
        fill(&mut given);
        given
    }

    #[test]
    fn what_is_given_stays_an_explicit_null_too() {
        let given = filled(r#"{"mode":"spaMode","httpHeaders":null,"oauthScopes":["openid"]}"#);
        assert_eq!(given.get("mode").unwrap().as_str(), Some("spaMode"));
        assert_eq!(given.get("httpHeaders"), Some(&Json::Null));
        assert_eq!(
            given.get("oauthScopes"),
            Some(&Json::Array(vec![Json::String("openid".into())]))
        );
    }

    #[test]
    fn replicas_agree_on_the_nonce_signing_secret_and_clients_differ() {
        let secret = |json| {
            let given = filled(json);
            given
                .get("nonceSigningSecret")
                .and_then(Json::as_str)
                .map(str::to_owned)
        };
        let one = secret(r#"{"clientId":"a","clientSecret":"x"}"#).unwrap();
        assert_eq!(Some(&one), secret(r#"{"clientId":"a","clientSecret":"x"}"#).as_ref());
        assert_eq!(one.len(), 64);
        assert_ne!(Some(&one), secret(r#"{"clientId":"b","clientSecret":"x"}"#).as_ref());
        assert_ne!(Some(&one), secret(r#"{"clientId":"a","clientSecret":"y"}"#).as_ref());
    }

    #[test]
    fn a_public_client_gets_no_secret_that_others_could_work_out() {
        for json in [r#"{"clientId":"a"}"#, r#"{"clientId":"a","clientSecret":""}"#] {
            assert_eq!(filled(json).get("nonceSigningSecret"), None, "{json}");
        }
    }

    #[test]
    fn pain_18_no_policy_that_breaks_pages_or_binds_other_hosts_is_sent_by_default() {
        let given = filled("{}");
        let headers = given.get("httpHeaders").and_then(Json::as_object).unwrap();
        assert!(
            headers
                .names()
                .all(|name| !name.eq_ignore_ascii_case("content-security-policy"))
        );
        let hsts = headers.get("Strict-Transport-Security").and_then(Json::as_str).unwrap();
        assert!(
            !hsts.contains("preload") && !hsts.contains("includeSubDomains"),
            "{hsts}"
        );
    }

    #[test]
    fn the_improvements_are_on_unless_the_profile_is_named() {
        let profile = |json: &str| {
            let mut given = filled(json);
            choose_profile(&mut given);
            given.get("profile").and_then(Json::as_str).map(str::to_owned)
        };
        assert_eq!(profile("{}").as_deref(), Some("enhanced"));
        assert_eq!(profile(r#"{"profile":"reference"}"#).as_deref(), Some("reference"));
    }
}
