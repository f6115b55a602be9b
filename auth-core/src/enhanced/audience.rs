//! Who is asking: a person whose browser navigates and can follow a redirect to sign in, or a program.
//!
//! Browsers say so in Sec-Fetch-Mode (W3C Fetch Metadata); for those that do not, and for other programs, Accept
//! and X-Requested-With have to tell.

use crate::Request;

/// Who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A navigation: the answer is shown to a person, who can sign in.
    Person,
    /// Anything else: a redirect to a sign-in page would be lost on it.
    Program,
}

impl Audience {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        if is_navigation(request) {
            Self::Person
        } else {
            Self::Program
        }
    }
}

fn is_navigation(request: &Request<'_>) -> bool {
    // A WebSocket's handshake is a GET that nobody sees the answer of.
    if request.header("upgrade").is_some() || is_prefetch(request) {
        return false;
    }
    if let Some(mode) = request.header("sec-fetch-mode") {
        let framed = ["document", "iframe", "frame", "object", "embed"];
        return mode == "navigate"
            && request
                .header("sec-fetch-dest")
                .is_none_or(|dest| framed.contains(&dest));
    }
    if !matches!(request.method, "GET" | "HEAD") || request.header("x-requested-with").is_some() {
        return false;
    }
    let accept = request.headers.get_all("accept");
    accept.is_empty() || accept.iter().any(|value| accepts_pages(value))
}

/// Whether a page is among the types asked for, or anything at all is; JSON by name wins over anything.
fn accepts_pages(accept: &str) -> bool {
    let types = || {
        let types = accept
            .split(',')
            .map(|range| range.split(';').next().unwrap_or_default());
        types.map(str::trim)
    };
    let has = |wanted: &str| types().any(|found| found.eq_ignore_ascii_case(wanted));
    has("text/html") || has("application/xhtml+xml") || has("*/*") && types().count() == 1
}

/// Speculative loads must not begin a sign-in that nobody asked for.
pub(crate) fn is_prefetch(request: &Request<'_>) -> bool {
    let says = |name: &str| {
        let value = request.header(name).unwrap_or_default();
        ["prefetch", "prerender"].iter().any(|word| value.contains(word))
    };
    says("sec-purpose") || says("purpose") || says("x-moz")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestHeaders, Scheme};

    struct Fields(&'static [(&'static str, &'static str)]);

    impl RequestHeaders for Fields {
        fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str> {
            let of_name = self.0.iter().filter(|(known, _)| *known == name);
            of_name.map(|(_, value)| *value).collect()
        }
    }

    fn audience(method: &str, fields: &'static [(&'static str, &'static str)]) -> Audience {
        Audience::of(&Request {
            method,
            scheme: Scheme::Https,
            host: "site.example",
            path: "/",
            query: "",
            cookies: &[],
            headers: &Fields(fields),
        })
    }

    #[test]
    fn a_browser_that_navigates_is_a_person() {
        for fields in [
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")][..],
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            &[("sec-fetch-mode", "navigate")],
            &[(
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            )],
            &[("accept", "*/*")],
            &[],
        ] {
            assert_eq!(audience("GET", fields), Audience::Person, "{fields:?}");
            assert_eq!(audience("HEAD", fields), Audience::Person, "{fields:?}");
        }
        let posted = &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert_eq!(audience("POST", posted), Audience::Person);
    }

    #[test]
    fn what_cannot_follow_a_redirect_to_sign_in_is_a_program() {
        for fields in [
            &[("sec-fetch-mode", "cors"), ("accept", "text/html")][..],
            &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "worker")],
            &[("sec-fetch-mode", "websocket")],
            &[("upgrade", "websocket")],
            &[("accept", "application/json")],
            &[("accept", "application/json, text/plain, */*")],
            &[("accept", "image/avif,image/webp,*/*;q=0.8")],
            &[("x-requested-with", "XMLHttpRequest"), ("accept", "text/html")],
            &[("sec-fetch-mode", "navigate"), ("sec-purpose", "prefetch;prerender")],
            &[("purpose", "prefetch"), ("accept", "text/html")],
        ] {
            assert_eq!(audience("GET", fields), Audience::Program, "{fields:?}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "FOO"] {
            assert_eq!(
                audience(method, &[("accept", "text/html")]),
                Audience::Program,
                "{method}"
            );
        }
    }
}
