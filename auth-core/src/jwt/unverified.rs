//! An id token that is only read, for the names in it: fresh from the token endpoint, or about to be
//! signed out. Nothing is ever allowed on its word.

use crate::{
    js::base64::decode_lenient,
    json::{Json, Object},
};

/// The payload of a token whose signature nobody checked.
#[derive(Debug)]
pub(crate) struct UnverifiedIdToken(Json);

impl UnverifiedIdToken {
    /// Reads the second of the parts between dots. `None`: there is none, or it is no JSON, or `null`.
    pub(crate) fn decode(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let json = Json::parse_lossy(&decode_lenient(payload))?;
        (json != Json::Null).then_some(Self(json))
    }

    /// All of them, if it has any.
    pub(crate) fn into_claims(self) -> Option<Object> {
        match self.0 {
            Json::Object(claims) => Some(claims),
            _ => None,
        }
    }

    /// A claim. A payload that is no object has none.
    pub(crate) fn claim(&self, name: &str) -> Option<&Json> {
        self.0.member(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_enough_and_one_is_not() {
        assert!(UnverifiedIdToken::decode("x.e30").is_some());
        assert!(UnverifiedIdToken::decode("e30").is_none());
    }

    #[test]
    fn a_payload_of_null_or_garbage_is_refused() {
        assert!(UnverifiedIdToken::decode("x.bnVsbA").is_none());
        assert!(UnverifiedIdToken::decode("x.?").is_none());
    }
}
