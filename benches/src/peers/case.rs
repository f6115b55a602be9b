//! What is measured: the kind of work, the protocol and the size of the body.

use clap::ValueEnum;
use serde::Serialize;

use crate::origin;

/// One kind of work that all peers which can do it are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// 1 KB over HTTP/1.1, fetched from the origin each time
    #[value(name = "h1-1k")]
    #[serde(rename = "h1-1k")]
    Http1Small,
    /// 100 KB over HTTP/1.1
    #[value(name = "h1-100k")]
    #[serde(rename = "h1-100k")]
    Http1Large,
    /// 1 KB over HTTP/1.1 with TLS
    #[value(name = "tls-1k")]
    #[serde(rename = "tls-1k")]
    TlsSmall,
    /// 100 KB over HTTP/1.1 with TLS
    #[value(name = "tls-100k")]
    #[serde(rename = "tls-100k")]
    TlsLarge,
    /// 1 KB over HTTP/2 with TLS
    #[value(name = "h2-1k")]
    #[serde(rename = "h2-1k")]
    Http2Small,
    /// 100 KB over HTTP/2 with TLS
    #[value(name = "h2-100k")]
    #[serde(rename = "h2-100k")]
    Http2Large,
    /// 1 KB from the peer's own cache, HTTP/1.1
    #[value(name = "cache-1k")]
    #[serde(rename = "cache-1k")]
    CacheSmall,
    /// 100 KB from the peer's own cache, HTTP/1.1
    #[value(name = "cache-100k")]
    #[serde(rename = "cache-100k")]
    CacheLarge,
    /// sessions that the proxy sees for the first time, 1 KB over HTTP/1.1
    #[value(name = "first-seen")]
    #[serde(rename = "first-seen")]
    FirstSeen,
    /// how long requests take at 70 % of what the peer can do, 1 KB over HTTP/1.1
    #[value(name = "latency")]
    #[serde(rename = "latency")]
    Latency,
}

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// HTTP/1.1, kept alive.
    Http1,
    /// HTTP/1.1 within TLS, kept alive.
    TlsHttp1,
    /// HTTP/2 within TLS.
    TlsHttp2,
}

/// Who answers: the origin each time, or what the peer has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The origin.
    Origin,
    /// The peer's cache.
    Cache,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// 1 KB.
    Small,
    /// 100 KB.
    Large,
}

impl Body {
    /// Where the origin has it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Small => origin::SMALL,
            Self::Large => origin::MEDIUM,
        }
    }

    /// Its size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Small => 1_024,
            Self::Large => 102_400,
        }
    }
}

impl Case {
    /// All cases, in the order of the report.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name on the command line and in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Http1Small => "h1-1k",
            Self::Http1Large => "h1-100k",
            Self::TlsSmall => "tls-1k",
            Self::TlsLarge => "tls-100k",
            Self::Http2Small => "h2-1k",
            Self::Http2Large => "h2-100k",
            Self::CacheSmall => "cache-1k",
            Self::CacheLarge => "cache-100k",
            Self::FirstSeen => "first-seen",
            Self::Latency => "latency",
        }
    }

    /// Its heading in the report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Http1Small => "1 KB, HTTP/1.1",
            Self::Http1Large => "100 KB, HTTP/1.1",
            Self::TlsSmall => "1 KB, TLS, HTTP/1.1",
            Self::TlsLarge => "100 KB, TLS, HTTP/1.1",
            Self::Http2Small => "1 KB, TLS, HTTP/2",
            Self::Http2Large => "100 KB, TLS, HTTP/2",
            Self::CacheSmall => "cache hits of 1 KB, HTTP/1.1",
            Self::CacheLarge => "cache hits of 100 KB, HTTP/1.1",
            Self::FirstSeen => "sessions seen for the first time, 1 KB, HTTP/1.1",
            Self::Latency => "latency at 70 % of saturation, 1 KB, HTTP/1.1",
        }
    }

    /// How its requests travel.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::TlsSmall | Self::TlsLarge => Transport::TlsHttp1,
            Self::Http2Small | Self::Http2Large => Transport::TlsHttp2,
            _ => Transport::Http1,
        }
    }

    /// Who answers them.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::CacheSmall | Self::CacheLarge => Source::Cache,
            _ => Source::Origin,
        }
    }

    /// What they ask for.
    #[must_use]
    pub const fn body(self) -> Body {
        match self {
            Self::Http1Large | Self::TlsLarge | Self::Http2Large | Self::CacheLarge => Body::Large,
            _ => Body::Small,
        }
    }

    /// Whether its figure is the processor time of peers side by side, which is all but two.
    #[must_use]
    pub const fn is_comparison(self) -> bool {
        !matches!(self, Self::FirstSeen | Self::Latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_the_origins_objects() {
        for body in [Body::Small, Body::Large] {
            let object = (body.path().trim_start_matches('/'), body.bytes());
            assert!(origin::OBJECTS.contains(&object), "{object:?}");
        }
    }

    #[test]
    fn every_case_goes_by_its_id_on_the_command_line() {
        for &case in Case::all() {
            assert_eq!(Case::from_str(case.id(), false), Ok(case));
            assert_eq!(serde_json::to_value(case).unwrap(), case.id());
        }
    }

    #[test]
    fn ids_say_what_the_case_is() {
        for &case in Case::all().iter().filter(|case| case.is_comparison()) {
            assert_eq!(
                case.id().ends_with("-100k"),
                case.body() == Body::Large,
                "{}",
                case.id()
            );
            assert_eq!(
                case.id().starts_with("cache-"),
                case.source() == Source::Cache,
                "{}",
                case.id()
            );
        }
    }
}
