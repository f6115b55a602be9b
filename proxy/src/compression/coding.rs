//! The content codings that are offered, and which one wins where a viewer likes several alike.

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878), with a window of at most 8 MB (RFC 9659).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
}

/// Which codings a behaviour offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// What CloudFront has: Brotli, then gzip.
    CloudFront,
    /// Brotli, then Zstandard, then gzip.
    All,
}

impl Coding {
    /// Its name in Accept-Encoding and Content-Encoding.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The coding of that name; `x-gzip` is gzip (RFC 9110, section 8.4.1.3).
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Brotli, Self::Zstd, Self::Gzip]
            .into_iter()
            .find(|coding| name.eq_ignore_ascii_case(coding.as_str()))
            .or_else(|| name.eq_ignore_ascii_case("x-gzip").then_some(Self::Gzip))
    }
}

impl Offer {
    /// The codings, the preferred one first.
    pub(crate) const fn codings(self) -> &'static [Coding] {
        match self {
            Self::CloudFront => &[Coding::Brotli, Coding::Gzip],
            Self::All => &[Coding::Brotli, Coding::Zstd, Coding::Gzip],
        }
    }
}
