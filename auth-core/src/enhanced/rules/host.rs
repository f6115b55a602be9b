//! Hosts of rules: a name, or `*.` and a domain for every name below it. Ports do not count.

/// A host name in lower case; for a wildcard, what names must end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostPattern {
    Name(Box<str>),
    /// With its leading dot.
    Below(Box<str>),
}

impl HostPattern {
    /// `None`: neither a name nor a wildcard with a domain of two labels or more.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, is_wildcard) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text.as_str(), false),
        };
        let is_label = |label: &str| {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !label.is_empty() && label.len() <= 63 && label.bytes().all(is_known)
        };
        let is_address = name.starts_with('[') && name.ends_with(']') && !is_wildcard;
        if name.len() > 253 || !is_address && !name.split('.').all(is_label) || is_wildcard && !name.contains('.') {
            return None;
        }
        Some(if is_wildcard {
            Self::Below(format!(".{name}").into())
        } else {
            Self::Name(name.into())
        })
    }

    /// Whether a host without its port belongs here, in any case.
    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Name(name) => host.eq_ignore_ascii_case(name),
            Self::Below(domain) => {
                let at = host.len().checked_sub(domain.len()).filter(|&at| at > 0);
                at.and_then(|at| host.get(at..))
                    .is_some_and(|end| end.eq_ignore_ascii_case(domain))
            }
        }
    }
}

/// A Host header without its port, and without the dot that names of the DNS may end with.
pub(super) fn name_of(host: &str) -> &str {
    let name = match host.rfind(']') {
        Some(end) => host.get(..=end).unwrap_or(host),
        None => host.split(':').next().unwrap_or(host),
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str) -> bool {
        HostPattern::parse(pattern).unwrap().matches(name_of(host))
    }

    #[test]
    fn a_name_is_that_host_on_any_port_and_in_any_case() {
        for host in ["app.example.com", "APP.example.com:8443", "app.example.com."] {
            assert!(matches("App.Example.com", host), "{host}");
        }
        assert!(matches("[::1]", "[::1]:80"));
        for other in [
            "x.app.example.com",
            "app.example.com.evil",
            "xapp.example.com",
            "example.com",
            "",
        ] {
            assert!(!matches("app.example.com", other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_is_every_name_below_the_domain_but_not_the_domain() {
        for host in ["a.example.com", "a.b.EXAMPLE.com:1"] {
            assert!(matches("*.example.com", host), "{host}");
        }
        for other in ["example.com", ".example.com", "aexample.com", "a.example.com.evil"] {
            assert!(!matches("*.example.com", other), "{other}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for wrong in [
            "",
            "*",
            "*.com",
            "a*.example.com",
            "https://a",
            "a.com:80",
            "a..b",
            "a.*.com",
            "a b",
            "é.com",
        ] {
            assert_eq!(HostPattern::parse(wrong), None, "{wrong}");
        }
    }
}
