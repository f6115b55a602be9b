//! Which pages of other origins may read what we say to programs (Fetch, CORS protocol). Exact origins, listed.
//!
//! Only answers of ours are opened by it, and preflights, which never carry cookies and so never reach an origin
//! that is protected. What an origin says of itself is left to it. Nobody who is not listed is told anything.

use super::answer::Answer;
use crate::{Reason, Request, config::Reader};

/// The listed origins.
#[derive(Clone, Debug)]
pub(crate) struct CorsOrigins(Vec<String>);

/// What a request from another origin's page is allowed; empty for all others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors {
    /// The listed origin that asks.
    origin: Option<String>,
    /// What it asks leave for.
    preflight: Option<Preflight>,
}

/// A question before a request (Fetch, CORS-preflight request).
#[derive(Clone, Debug)]
struct Preflight {
    method: String,
    headers: Option<String>,
}

impl CorsOrigins {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let origins = reader.list("corsOrigins");
        for origin in origins.iter().filter(|origin| !is_origin(origin)) {
            let expected =
                "origins as browsers send them: https://app.example.com, with a port where it is not the usual one";
            reader.problem("corsOrigins", format!("{origin:?}"), expected);
        }
        Self(origins)
    }

    pub(crate) fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == origin)
    }

    /// What this request is allowed.
    pub(crate) fn of(&self, request: &Request<'_>) -> Cors {
        if self.0.is_empty() {
            return Cors::default();
        }
        let Some(origin) = request.header("origin").filter(|origin| self.contains(origin)) else {
            return Cors::default();
        };
        let asked = || {
            let method = request.header("access-control-request-method")?;
            let headers = request.header("access-control-request-headers");
            Some(Preflight {
                method: Some(method).filter(|method| is_list_of_tokens(method))?.to_owned(),
                headers: headers.filter(|names| is_list_of_tokens(names)).map(str::to_owned),
            })
        };
        Cors {
            origin: Some(origin.to_owned()),
            preflight: Some(request.method)
                .filter(|&method| method == "OPTIONS")
                .and_then(|_| asked()),
        }
    }
}

impl Cors {
    /// The answer, which the asking page may read if it is of a listed origin.
    pub(crate) fn allow(&self, answer: Answer) -> Answer {
        match &self.origin {
            None => answer,
            Some(origin) => answer
                .with("Access-Control-Allow-Origin", origin)
                .with("Access-Control-Allow-Credentials", "true")
                .with("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
                .with("Vary", "Origin"),
        }
    }

    /// The leave that was asked for; `None`: this is no preflight of a listed origin.
    pub(crate) fn preflight(&self) -> Option<Answer> {
        let asked = self.preflight.as_ref()?;
        let answer = Answer::new(204, Reason::Preflight)
            .with("Access-Control-Allow-Origin", self.origin.as_deref()?)
            .with("Access-Control-Allow-Credentials", "true")
            .with("Access-Control-Allow-Methods", &asked.method)
            .with("Access-Control-Max-Age", "600")
            .with(
                "Vary",
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            );
        Some(match &asked.headers {
            Some(headers) => answer.with("Access-Control-Allow-Headers", headers),
            None => answer,
        })
    }
}

/// Scheme, host and port, as a browser writes them (RFC 6454, section 6.1): nothing else, in lower case.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte);
        !host.is_empty() && host.bytes().all(allowed) && !host.ends_with([':', '.'])
    })
}

/// Names as they stand in these fields: tokens (RFC 9110, section 5.6.2) with commas between them.
fn is_list_of_tokens(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(&byte);
    !text.is_empty() && text.len() <= 1024 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_can_be_listed() {
        for good in ["https://a.example", "http://localhost:3000", "https://[::1]:8443"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "https://*",
            "https://a.example/",
            "https://A.example",
            "a.example",
            "https://a.example:",
            "https://u@a.example",
            "https://",
            "ftp://a.example",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
