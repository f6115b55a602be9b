//! What makes two requests the same one for the cache (T-CACHE-1).
//!
//! Scheme, host, site, origin, path and query, each with its length before it, so that no two of them can be
//! cut differently; and of the viewer's headers those that Vary names, in the form in which the origin got
//! them. What is in no key is not sent to the origin either: see [`SENT_ON`].

use http::{
    HeaderMap, HeaderName,
    header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, ORIGIN, USER_AGENT},
};
use pingora::cache::{
    CacheKey, VarianceBuilder,
    key::{HashBinary, hash_key},
};

use super::freshness::vary_names;
use crate::compression::{Accepted, Coding, Offer};

/// All that an origin learns of a viewer's headers when the answer may be kept. A cookie, an identity or some
/// header that only the application knows could make an answer that is for one viewer alone, and the next one
/// would get it (T-CACHE-2). Authorization goes along because an answer to it is kept only with leave.
pub(crate) const SENT_ON: [HeaderName; 5] = [ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, ORIGIN, USER_AGENT];

/// The parts of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    /// `http` or `https`, as the viewer spoke.
    pub(crate) scheme: &'a str,
    /// The host the viewer asked for, with its port.
    pub(crate) host: &'a str,
    /// The site's name.
    pub(crate) site: &'a str,
    /// Which origin it is: another one after a reload has other entries.
    pub(crate) origin: &'a str,
    /// The path that the origin is asked for.
    pub(crate) path: &'a str,
    /// The query, where it counts.
    pub(crate) query: &'a str,
}

impl Parts<'_> {
    /// A number for these parts alone: 128 bits of BLAKE2b.
    pub(crate) fn hash(&self) -> HashBinary {
        let host = self.host.to_ascii_lowercase();
        let parts = [self.scheme, &host, self.site, self.origin, self.path, self.query];
        let mut framed = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            framed.extend((part.len() as u64).to_be_bytes());
            framed.extend(part.as_bytes());
        }
        hash_key(framed)
    }
}

/// Where an entry is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub(super) primary: HashBinary,
    /// For another variant than the first that was stored.
    pub(super) variance: Option<HashBinary>,
}

impl Slot {
    pub(super) fn of(key: &CacheKey) -> Self {
        use pingora::cache::key::CacheHashKey as _;
        Self {
            primary: key.primary_bin(),
            variance: key.get_variance_key().copied(),
        }
    }
}

/// Which content coding a viewer gets, and the origin is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codings {
    /// Compressed here: this one coding, or none.
    Chosen(Option<Coding>),
    /// Compressed by the origin, if at all: any of what the viewer accepts.
    Acceptable(Accepted),
}

impl Codings {
    /// The Accept-Encoding that the origin gets: few values instead of each browser's own.
    pub(crate) fn header(self) -> String {
        let listed = Offer::All.codings().iter().copied().filter(|coding| match self {
            Self::Chosen(chosen) => chosen == Some(*coding),
            Self::Acceptable(accepted) => accepted.accepts(*coding),
        });
        let names: Vec<&str> = listed.map(Coding::as_str).collect();
        if names.is_empty() {
            "identity".to_owned()
        } else {
            names.join(", ")
        }
    }
}

/// The variant of a response that fits a request; `None`: there is but one.
pub(crate) fn variance(response: &HeaderMap, request: &HeaderMap, codings: Codings) -> Option<HashBinary> {
    let mut names: Vec<HeaderName> = vary_names(response)
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        // Others never reach the origin.
        .filter(|name| SENT_ON.contains(name) || *name == ACCEPT_ENCODING)
        .collect();
    if names.is_empty() {
        return None;
    }
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    let mut builder = VarianceBuilder::new();
    for name in &names {
        let value = if *name == ACCEPT_ENCODING {
            codings.header().into_bytes()
        } else {
            framed(request, name)
        };
        builder.add_owned_value(name.as_str(), value);
    }
    builder.finalize()
}

/// Every field of a header, each with its length before it.
fn framed(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    let mut framed = Vec::new();
    for value in headers.get_all(name) {
        framed.extend((value.len() as u64).to_be_bytes());
        framed.extend(value.as_bytes());
    }
    framed
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::VARY};

    use super::*;

    const PARTS: Parts<'static> = Parts {
        scheme: "https",
        host: "app.example",
        site: "app",
        origin: "s3 bucket",
        path: "/a",
        query: "b=c",
    };

    /// T-CACHE-1
    #[test]
    fn every_part_makes_another_key() {
        let others = [
            Parts {
                scheme: "http",
                ..PARTS
            },
            Parts {
                host: "app.example:81",
                ..PARTS
            },
            Parts { site: "other", ..PARTS },
            Parts {
                origin: "s3 other",
                ..PARTS
            },
            Parts { path: "/A", ..PARTS },
            Parts { query: "", ..PARTS },
            Parts { query: "b=C", ..PARTS },
            // The same bytes, cut elsewhere.
            Parts {
                path: "/ab",
                query: "=c",
                ..PARTS
            },
            Parts {
                host: "app.exampleapp",
                site: "",
                ..PARTS
            },
        ];
        let mut hashes: Vec<HashBinary> = others.iter().map(Parts::hash).collect();
        hashes.push(PARTS.hash());
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn a_hosts_case_makes_no_difference() {
        assert_eq!(
            Parts {
                host: "App.Example",
                ..PARTS
            }
            .hash(),
            PARTS.hash()
        );
    }

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    fn variant(vary: &'static str, request: &[(HeaderName, &'static str)]) -> Option<HashBinary> {
        let request = headers(request);
        let codings = Codings::Acceptable(Accepted::of(&request));
        variance(&headers(&[(VARY, vary)]), &request, codings)
    }

    #[test]
    fn only_named_headers_that_the_origin_gets_make_variants() {
        assert_eq!(variant("", &[(ACCEPT, "text/html")]), None);
        assert_eq!(variant("X-Device, Sec-Fetch-Mode", &[(ACCEPT, "text/html")]), None);
        let german = variant("Accept-Language", &[(ACCEPT_LANGUAGE, "de")]);
        assert!(german.is_some());
        assert_ne!(german, variant("Accept-Language", &[(ACCEPT_LANGUAGE, "en")]));
        assert_ne!(german, variant("Accept-Language", &[]));
        assert_eq!(
            german,
            variant(
                "accept-language, Accept-Language",
                &[(ACCEPT_LANGUAGE, "de"), (ACCEPT, "x")]
            )
        );
    }

    #[test]
    fn the_order_of_names_does_not_matter_and_that_of_fields_does() {
        let request = [(ACCEPT, "a"), (ACCEPT_LANGUAGE, "b")];
        assert_eq!(
            variant("Accept, Accept-Language", &request),
            variant("Accept-Language, Accept", &request)
        );
        assert_ne!(
            variant("Accept", &[(ACCEPT, "a"), (ACCEPT, "b")]),
            variant("Accept", &[(ACCEPT, "b"), (ACCEPT, "a")])
        );
        assert_ne!(
            variant("Accept", &[(ACCEPT, "a"), (ACCEPT, "b")]),
            variant("Accept", &[(ACCEPT, "ab")])
        );
    }

    #[test]
    fn encodings_are_compared_by_what_they_allow() {
        let with = |value| variant("Accept-Encoding", &[(ACCEPT_ENCODING, value)]);
        assert_eq!(with("gzip, deflate, br"), with("br;q=0.9,gzip"));
        assert_ne!(with("gzip"), with("gzip;q=0"));
        assert_eq!(with("gzip;q=0"), with("identity"));
    }

    #[test]
    fn the_origin_is_asked_for_few_encodings() {
        let accepted = Accepted::of(&headers(&[(ACCEPT_ENCODING, "zstd;q=0.1, deflate, gzip, br")]));
        assert_eq!(Codings::Acceptable(accepted).header(), "br, zstd, gzip");
        assert_eq!(Codings::Chosen(Some(Coding::Gzip)).header(), "gzip");
        assert_eq!(Codings::Chosen(None).header(), "identity");
    }
}
