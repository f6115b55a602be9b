//! The `state` parameter (RFC 6749, section 4.1.1): nonce and requested URI, as the reference packs them.
//!
//! It is not signed. The nonce inside is tied to the browser by its cookie; the URI is taken as a path
//! on our own host, whatever it says.

use crate::{
    js::base64::{decode_lenient, encode_url_safe},
    json::{Json, stringify_text},
};

/// A well-formed state.
#[derive(Debug)]
pub(crate) struct State {
    /// What must equal the nonce cookie. `None`: something that no cookie can equal.
    pub(crate) nonce: Option<String>,
    /// Where the viewer wanted to go: a path that starts with `/`.
    pub(crate) requested_path: String,
}

impl State {
    /// Packs nonce and requested URI.
    pub(crate) fn seal(nonce: &str, requested_uri: &str) -> String {
        let json = format!(
            r#"{{"nonce":{},"requestedUri":{}}}"#,
            stringify_text(nonce),
            stringify_text(requested_uri)
        );
        encode_url_safe(json.as_bytes())
    }

    /// Unpacks a state. `None` unless it decodes to JSON with a nonce and a requested URI.
    pub(crate) fn open(text: &str) -> Option<Self> {
        let json = Json::parse_lossy(&decode_lenient(text))?;
        let member = |name: &str| json.member(name).filter(|value| value.is_truthy());
        let (nonce, requested_uri) = (member("nonce")?, member("requestedUri")?);
        Some(Self {
            nonce: nonce.as_str().map(str::to_owned),
            requested_path: rooted(requested_uri.as_str()),
        })
    }
}

/// A path on our own host. It is appended to scheme and host, so that not even `//host` leads away.
pub(crate) fn rooted(requested: Option<&str>) -> String {
    match requested {
        None => "/".to_owned(),
        Some(path) if path.starts_with('/') => path.to_owned(),
        Some(path) => format!("/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens() {
        let state = State::open(&State::seal("1Tx", "/a?b=\"é\u{1}")).unwrap();
        assert_eq!(state.nonce.as_deref(), Some("1Tx"));
        assert_eq!(state.requested_path, "/a?b=\"é\u{1}");
    }

    #[test]
    fn a_state_without_its_members_does_not_open() {
        for json in [
            "null",
            "true",
            "[]",
            "{}",
            r#"{"nonce":"n"}"#,
            r#"{"nonce":"n","requestedUri":0}"#,
            "'x'",
        ] {
            assert!(State::open(&encode_url_safe(json.as_bytes())).is_none(), "{json}");
        }
    }

    #[test]
    fn a_requested_uri_is_always_a_path_on_our_host() {
        assert_eq!(rooted(Some("x")), "/x");
        assert_eq!(rooted(Some("")), "/");
        assert_eq!(rooted(Some("//evil.example")), "//evil.example");
        assert_eq!(rooted(None), "/");
    }
}
