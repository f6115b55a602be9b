//! Which methods a behaviour passes on.

use std::fmt;

use http::Method;

use super::{origin::OriginSettings, section::Section};

/// The methods that reach an origin; all others are answered with 405.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedMethods {
    /// Whatever the viewer sends, except for `TRACE` and `CONNECT`: the first would send the origin's own
    /// secret headers back to the viewer, the second asks for a tunnel.
    Any,
    /// These, and what is named here is all there is.
    Only(Vec<Method>),
}

impl AllowedMethods {
    /// What an origin of that kind is asked with unless the configuration says otherwise.
    #[must_use]
    pub fn default_for(origin: &OriginSettings) -> Self {
        match origin {
            OriginSettings::Custom(_) => Self::Any,
            OriginSettings::S3(_) | OriginSettings::Directory(_) | OriginSettings::Nothing => {
                Self::Only(vec![Method::GET, Method::HEAD])
            }
        }
    }

    /// Whether a request with that method may pass.
    #[must_use]
    pub fn contain(&self, method: &Method) -> bool {
        match self {
            Self::Any => *method != Method::TRACE && *method != Method::CONNECT,
            Self::Only(methods) => methods.contains(method),
        }
    }
}

/// The value of an Allow header (RFC 9110, section 10.2.1).
impl fmt::Display for AllowedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = match self {
            Self::Any => vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            Self::Only(methods) => methods.iter().map(Method::as_str).collect(),
        };
        f.write_str(&names.join(", "))
    }
}

/// Reads `methods`. `None`: it is not there.
pub(super) fn read(section: &mut Section<'_>) -> Option<Vec<Method>> {
    let expected = "a method as `GET`";
    let methods: Vec<Method> = section.parsed_list("methods", expected);
    for (index, method) in methods.iter().enumerate() {
        let name = method.as_str();
        if *method == Method::CONNECT || name.bytes().any(|byte| byte.is_ascii_lowercase()) {
            section.refuse(&format!("methods[{index}]"), format!("{name:?}"), expected);
        }
    }
    (!methods.is_empty()).then_some(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_method_but_the_two_that_no_origin_should_see() {
        let any = AllowedMethods::Any;
        for name in ["GET", "POST", "PROPFIND", "OPTIONS"] {
            assert!(any.contain(&name.parse().unwrap()), "{name}");
        }
        assert!(!any.contain(&Method::TRACE) && !any.contain(&Method::CONNECT));
    }

    #[test]
    fn named_methods_are_all_there_is_and_stand_in_allow() {
        let only = AllowedMethods::Only(vec![Method::GET, Method::HEAD]);
        assert!(only.contain(&Method::HEAD) && !only.contain(&Method::POST));
        assert!(!only.contain(&"get".parse().unwrap()), "methods have case");
        assert_eq!(only.to_string(), "GET, HEAD");
    }
}
