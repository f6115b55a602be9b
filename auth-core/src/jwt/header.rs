//! A token's header (RFC 7515, section 4): the three parameters that count, read without keeping the others.
//!
//! Everything must be JSON as [`Json`] has it, and of a repeated name the last value holds, as in any object here.
//! `crit`, `jwk`, `jku` and the like are never looked at.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::json::{Json, parse_lossy};

/// The header of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
    pub(super) token_type: TokenType,
}

/// What `typ` says that a token is (RFC 7515, section 4.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenType {
    /// Nothing, or nothing more than that it is a JWT.
    Any,
    /// An access token (RFC 9068, section 2.1).
    AccessToken,
    /// Something else, or nothing that can be understood.
    Other,
}

impl TokenType {
    fn of(typ: Option<&Json>) -> Self {
        let Some(typ) = typ else {
            return Self::Any;
        };
        let Some(text) = typ.as_str() else {
            return Self::Other;
        };
        let text = match text.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => text,
        };
        if text.eq_ignore_ascii_case("jwt") {
            Self::Any
        } else if text.eq_ignore_ascii_case("at+jwt") {
            Self::AccessToken
        } else {
            Self::Other
        }
    }
}

impl Header {
    /// `None` unless it is an object whose `alg` is a text, and its `kid`, too, if there is one.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let Parameters { alg, kid, typ } = parse_lossy(text)?;
        let text = |json| match json {
            Json::String(text) => Some(text),
            _ => None,
        };
        Some(Self {
            token_type: TokenType::of(typ.as_ref()),
            algorithm: text(alg?)?,
            key_id: match kid {
                None => None,
                Some(kid) => Some(text(kid)?),
            },
        })
    }
}

#[derive(Default)]
struct Parameters {
    alg: Option<Json>,
    kid: Option<Json>,
    typ: Option<Json>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Alg,
    Kid,
    Typ,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParametersVisitor)
    }
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let mut found = Parameters::default();
        while let Some((name, value)) = map.next_entry::<Name, Json>()? {
            match name {
                Name::Alg => found.alg = Some(value),
                Name::Kid => found.kid = Some(value),
                Name::Typ => found.typ = Some(value),
                Name::Other => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Option<(String, Option<String>)> {
        Header::parse(text.as_bytes()).map(|header| (header.algorithm, header.key_id))
    }

    fn of(algorithm: &str, key_id: Option<&str>) -> Option<(String, Option<String>)> {
        Some((algorithm.to_owned(), key_id.map(str::to_owned)))
    }

    #[test]
    fn other_parameters_are_passed_over() {
        let text = r#"{"typ":"JWT","alg":"RS256","crit":["x"],"jwk":{"alg":"none","kid":"b"},"kid":"a"}"#;
        assert_eq!(header(text), of("RS256", Some("a")));
        assert_eq!(header(r#"{"\u0061lg":"RS256"}"#), of("RS256", None));
    }

    #[test]
    fn the_type_is_compared_without_case_and_its_prefix_may_be_there_or_not() {
        let typ = |json: &str| {
            let header = format!(r#"{{"alg":"RS256"{json}}}"#);
            Header::parse(header.as_bytes()).unwrap().token_type
        };
        for any in ["", r#","typ":"JWT""#, r#","typ":"jwt""#, r#","typ":"application/jwt""#] {
            assert_eq!(typ(any), TokenType::Any, "{any}");
        }
        for access in [r#","typ":"at+jwt""#, r#","typ":"Application/AT+JWT""#] {
            assert_eq!(typ(access), TokenType::AccessToken, "{access}");
        }
        for other in [
            r#","typ":"logout+jwt""#,
            r#","typ":"""#,
            r#","typ":null"#,
            r#","typ":["JWT"]"#,
            r#","typ":"at+jwtx""#,
            r#","typ":"application/""#,
        ] {
            assert_eq!(typ(other), TokenType::Other, "{other}");
        }
    }

    #[test]
    fn of_a_repeated_parameter_the_last_holds() {
        assert_eq!(header(r#"{"alg":1,"alg":"RS256"}"#), of("RS256", None));
        assert_eq!(header(r#"{"alg":"RS256","alg":1}"#), None);
        assert_eq!(
            header(r#"{"alg":"RS256","kid":null,"kid":"a"}"#),
            of("RS256", Some("a"))
        );
    }

    #[test]
    fn a_parameter_of_another_type_is_refused() {
        for text in [
            "{}",
            r#"{"kid":"a"}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","kid":null}"#,
            r#"{"alg":"RS256","kid":7}"#,
        ] {
            assert_eq!(header(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_or_no_json_is_refused_wherever_it_is_broken() {
        for text in [
            "",
            "null",
            "[]",
            r#"["RS256"]"#,
            r#"{"alg":"RS256"} x"#,
            r#"{"alg":"RS256","x":1e999}"#,
            r#"{"alg":"RS256","x":"\ud800"}"#,
            r#"{"alg":"RS256","\ud800":1}"#,
            r#"{"alg":"RS256","x":[}"#,
        ] {
            assert_eq!(header(text), None, "{text}");
            assert!(
                Json::parse_lossy(text.as_bytes()).is_none_or(|json| json.member("alg").is_none()),
                "{text}"
            );
        }
    }
}
