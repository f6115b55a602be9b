//! Host names as patterns, and which of them a request's host belongs to (RFC 9110, section 7.2).

use std::{fmt, str::FromStr};

use thiserror::Error;

/// `app.example.com`, `*.example.com` or either with a port. In lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    wildcard: bool,
    /// For a wildcard: with the leading dot.
    name: String,
    port: Option<u16>,
}

/// Why a text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("neither a host name nor `*.` and a domain with a dot in it")]
pub struct HostPatternError;

impl HostPattern {
    /// Whether a host name (lower case, without port) and a port belong here.
    #[must_use]
    pub fn matches(&self, name: &str, port: Option<u16>) -> bool {
        let same_name = if self.wildcard {
            name.len() > self.name.len() && name.ends_with(&self.name)
        } else {
            name == self.name
        };
        same_name && (self.port.is_none() || self.port == port)
    }

    /// Whether a certificate for this pattern is good for a name: a wildcard stands for one label
    /// (RFC 9525, section 6.3).
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let labels = |name: &str| name.split('.').count();
        self.matches(name, None) && (!self.wildcard || labels(name) == labels(&self.name))
    }

    /// How exact the most exact of these patterns is that a host belongs to; `None`: it belongs to none.
    #[must_use]
    pub fn best(patterns: &[Self], name: &str, port: Option<u16>) -> Option<(bool, bool, usize)> {
        let fitting = patterns.iter().filter(|pattern| pattern.matches(name, port));
        fitting.map(Self::weight).max()
    }

    /// How exact the pattern is; of several that match the most exact one counts.
    #[must_use]
    pub fn weight(&self) -> (bool, bool, usize) {
        (!self.wildcard, self.port.is_some(), self.name.len())
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let lower = text.to_ascii_lowercase();
        let (name, port) = split_port(&lower).ok_or(HostPatternError)?;
        let (wildcard, name) = match name.strip_prefix('*') {
            Some(domain) if domain.starts_with('.') && domain.get(1..).is_some_and(|rest| rest.contains('.')) => {
                (true, domain)
            }
            Some(_) => return Err(HostPatternError),
            None => (false, name),
        };
        let labels = name.strip_prefix('.').unwrap_or(name);
        if !is_host_name(labels) {
            return Err(HostPatternError);
        }
        Ok(Self {
            wildcard,
            name: name.to_owned(),
            port,
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.wildcard { "*" } else { "" };
        write!(f, "{star}{}", self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Name and port of a Host header. `None`: malformed.
#[must_use]
pub fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    let after_name = match host.find(']') {
        Some(end) if host.starts_with('[') => end + 1,
        Some(_) => return None,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, rest) = host.split_at_checked(after_name)?;
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((name, None)),
        None => None,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((name, Some(digits.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// Whether a name (without port) is a DNS name or an address, no empty labels, no trailing dot.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether browsers take the name for the machine they run on, and therefore plain http for secure.
#[must_use]
pub fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str) -> bool {
        let (name, port) = split_port(host).unwrap();
        pattern.parse::<HostPattern>().unwrap().matches(name, port)
    }

    #[test]
    fn an_exact_pattern_matches_its_name_on_any_port() {
        assert!(matches("App.example.com", "app.example.com"));
        assert!(matches("app.example.com", "app.example.com:8443"));
        assert!(matches("[::1]", "[::1]:80"));
        for other in [
            "example.com",
            "app.example.com.",
            "xapp.example.com",
            "app.example.com.evil",
        ] {
            assert!(!matches("app.example.com", other), "{other}");
        }
    }

    #[test]
    fn a_pattern_with_a_port_matches_only_there() {
        assert!(matches("localhost:8080", "localhost:8080"));
        assert!(!matches("localhost:8080", "localhost"));
        assert!(!matches("localhost:8080", "localhost:80"));
    }

    #[test]
    fn a_wildcard_matches_what_is_below_the_domain_and_nothing_else() {
        assert!(matches("*.example.com", "a.example.com"));
        assert!(matches("*.example.com", "a.b.example.com:1"));
        for other in ["example.com", ".example.com", "evil-example.com", "a.example.com.evil"] {
            assert!(!matches("*.example.com", other), "{other}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "", "*", "*.com", "a.*.com", "a..b", "a.", "http://a", "a/b", "a:b", "a:", "[::g]", "a b", "a@b",
        ] {
            assert_eq!(wrong.parse::<HostPattern>(), Err(HostPatternError), "{wrong}");
        }
    }

    #[test]
    fn loopback_names_are_the_ones_browsers_know() {
        for name in ["localhost", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["localhost.example.com", "10.0.0.1", "example.com"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
