//! Which URL a client may send the browser to (RFC 6749, 3.1.2.3: compared as strings).

use std::convert::Infallible;
use std::str::FromStr;

/// A registered callback or sign-out URL.
///
/// Written as a string: `*` allows any URL, `http://localhost:*/path` any port, everything else only itself.
/// The first two exist because a development server's port is often not known beforehand; Cognito has neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedUrl {
    /// Any URL at all: an open redirector, for development only.
    Any,
    /// `{before}:{digits}{after}`.
    AnyPort {
        /// Scheme and host.
        before: String,
        /// Path and query, perhaps empty.
        after: String,
    },
    /// This URL, character for character.
    Exact(String),
}

impl AllowedUrl {
    pub(crate) fn matches(&self, url: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(allowed) => allowed == url,
            Self::AnyPort { before, after } => url
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_prefix(':'))
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|port| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit())),
        }
    }

    /// The CSP source that covers every URL it allows.
    pub(crate) fn csp_source(&self) -> String {
        match self {
            Self::Any => "http: https:".to_owned(),
            Self::AnyPort { before, .. } => format!("{before}:*"),
            Self::Exact(allowed) => csp_source_of(allowed),
        }
    }
}

/// The origin, or only the scheme where a CSP cannot name the origin (custom schemes, IPv6 literals).
fn csp_source_of(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else {
        return "'none'".to_owned();
    };
    match url.host() {
        Some(url::Host::Ipv6(_)) | None => format!("{}:", url.scheme()),
        Some(_) => url.origin().ascii_serialization(),
    }
}

impl FromStr for AllowedUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl From<&str> for AllowedUrl {
    fn from(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        match text.split_once(":*") {
            Some((before, after)) if after.is_empty() || after.starts_with('/') => Self::AnyPort {
                before: before.to_owned(),
                after: after.to_owned(),
            },
            _ => Self::Exact(text.to_owned()),
        }
    }
}

impl From<String> for AllowedUrl {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_url_allows_only_itself() {
        let allowed = AllowedUrl::from("https://app.example/parseauth");
        assert!(allowed.matches("https://app.example/parseauth"));
        for other in [
            "https://app.example/parseauth/",
            "https://app.example/parseauth?x",
            "HTTPS://app.example/parseauth",
            "",
        ] {
            assert!(!allowed.matches(other), "{other}");
        }
    }

    #[test]
    fn a_port_wildcard_stands_for_digits_alone() {
        let allowed = AllowedUrl::from("http://localhost:*/parseauth");
        assert!(allowed.matches("http://localhost:8080/parseauth"));
        for other in [
            "http://localhost/parseauth",
            "http://localhost:/parseauth",
            "http://localhost:+80/parseauth",
            "http://localhost:80@evil.example/parseauth",
            "http://localhost:80/evil/parseauth",
            "http://localhost.evil:80/parseauth",
            "http://localhost:80/other",
        ] {
            assert!(!allowed.matches(other), "{other}");
        }
    }

    #[test]
    fn the_csp_source_lets_the_redirect_after_sign_in_through() {
        assert_eq!(
            AllowedUrl::from("http://app.localhost:8080/parseauth").csp_source(),
            "http://app.localhost:8080"
        );
        assert_eq!(
            AllowedUrl::from("http://app.localhost:*/parseauth").csp_source(),
            "http://app.localhost:*"
        );
        assert_eq!(AllowedUrl::from("http://[::1]:8080/parseauth").csp_source(), "http:");
        assert_eq!(AllowedUrl::from("myapp:/done").csp_source(), "myapp:");
        assert_eq!(AllowedUrl::from("*").csp_source(), "http: https:");
        assert_eq!(AllowedUrl::from("not a url; script-src *").csp_source(), "'none'");
    }
}
