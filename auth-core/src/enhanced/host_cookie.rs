//! The cookies that are ours alone: host-only, for every path, out of reach of scripts.
//!
//! Over https their names carry `__Host-` (RFC 6265bis, section 4.1.3.2), so that no sister domain can plant one.
//! Over plain http, which is for this machine only, neither the prefix nor Secure would come back from every browser.

use std::time::Duration;

use crate::{Request, Scheme};

/// The host a cookie is for, as the viewer reached it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    scheme: Scheme,
    /// In lower case.
    name: String,
}

impl Host {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        Self {
            scheme: request.scheme,
            name: request.host.to_ascii_lowercase(),
        }
    }

    /// How the viewer reached it.
    pub(crate) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its name in lower case, with the port if one was said.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name under which the cookie travels.
    pub(crate) fn cookie_name(&self, name: &str) -> String {
        match self.scheme {
            Scheme::Https => format!("__Host-{name}"),
            Scheme::Http => name.to_owned(),
        }
    }

    /// What a sealed value is bound to: the cookie's name and the host.
    pub(crate) fn bound_to(&self, cookie_name: &str) -> String {
        format!("{cookie_name}\0{}", self.name)
    }

    /// A Set-Cookie value.
    pub(crate) fn set(&self, cookie_name: &str, value: &str, age: Duration) -> String {
        let secure = match self.scheme {
            Scheme::Https => "Secure; ",
            Scheme::Http => "",
        };
        let age = age.as_secs();
        format!("{cookie_name}={value}; Max-Age={age}; Path=/; {secure}HttpOnly; SameSite=Lax")
    }

    /// The Set-Cookie value that takes the cookie away.
    pub(crate) fn expire(&self, cookie_name: &str) -> String {
        self.set(cookie_name, "", Duration::ZERO)
    }
}
