//! Methods of rules. What opens a path is taken literally, what guards one is not: `post` and methods that nobody
//! knows are never public, and a rule about POST holds for `post` too (T-PATH-4).

/// The methods that a rule fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Methods {
    /// All there are.
    All,
    /// These, in any case.
    Guarded(Vec<Box<str>>),
    /// These, exactly.
    Opened(Vec<Box<str>>),
}

/// RFC 9110, section 9.3, and RFC 5789. CONNECT and TRACE are nothing for content.
const USUAL: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

impl Methods {
    /// A rule's methods; none are all of them, or all usual ones if the rule opens. GET stands for HEAD too, which
    /// asks for the same content.
    pub(super) fn new(listed: Vec<String>, opens: bool) -> Self {
        let mut methods: Vec<Box<str>> = listed.into_iter().map(Into::into).collect();
        if methods.iter().any(|method| **method == *"GET") {
            methods.push("HEAD".into());
        }
        match (opens, methods.is_empty()) {
            (true, true) => Self::Opened(USUAL.map(Into::into).into()),
            (true, false) => Self::Opened(methods),
            (false, true) => Self::All,
            (false, false) => Self::Guarded(methods),
        }
    }

    /// Whether a text is a method as it is usually written.
    pub(super) fn is_method(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    }

    pub(super) fn fit(&self, method: &str) -> bool {
        match self {
            Self::All => true,
            Self::Guarded(methods) => methods.iter().any(|known| known.eq_ignore_ascii_case(method)),
            Self::Opened(methods) => methods.iter().any(|known| **known == *method),
        }
    }

    pub(super) fn are_all(&self) -> bool {
        *self == Self::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(listed: &[&str], opens: bool) -> Methods {
        Methods::new(listed.iter().map(|&method| method.to_owned()).collect(), opens)
    }

    #[test]
    fn t_path_4_what_opens_is_literal_and_what_guards_is_not() {
        let opened = of(&["POST"], true);
        assert!(opened.fit("POST"));
        for method in ["post", "Post", "POSTX", "", "GET"] {
            assert!(!opened.fit(method), "{method}");
        }
        let guarded = of(&["POST"], false);
        assert!(guarded.fit("POST") && guarded.fit("post") && !guarded.fit("GET"));
    }

    #[test]
    fn t_path_4_methods_that_nobody_knows_are_never_public() {
        let opened = of(&[], true);
        assert!(USUAL.iter().all(|method| opened.fit(method)));
        for method in ["FOO", "get", "TRACE", "CONNECT", "PROPFIND", "GET "] {
            assert!(!opened.fit(method), "{method}");
        }
        assert!(of(&[], false).fit("FOO"));
    }

    #[test]
    fn a_rule_for_get_holds_for_head() {
        for opens in [true, false] {
            assert!(of(&["GET"], opens).fit("HEAD"));
            assert!(!of(&["HEAD"], opens).fit("GET"));
        }
    }
}
