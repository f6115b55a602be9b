//! Headers that a function at the edge may not set. The edge adapter leaves them out of its answers,
//! since CloudFront would show an error instead; so they are left out here.

/// Whose response a header would be set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A response that a viewer-request function generates.
    Generated,
    /// The origin's response, on its way through an origin-response function.
    OriginResponse,
}

const NAMES: [&str; 10] = [
    "connection",
    "expect",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];
const PREFIXES: [&str; 4] = ["proxy-", "x-accel-", "x-amz-cf-", "x-edge-"];
/// Ours to say in a generated response, the origin's in its own.
const GENERATED_ONLY: [&str; 2] = ["content-length", "host"];

/// Whether CloudFront refuses a function that sets this header, in any case.
pub(crate) fn is_forbidden(name: &str, place: Place) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || place == Place::Generated && GENERATED_ONLY.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cloudfront_keeps_to_itself_are_forbidden() {
        for name in [
            "Connection",
            "proxy-authenticate",
            "X-Accel-Redirect",
            "X-Amz-Cf-Id",
            "X-Cache",
            "x-edge-location",
            "Via",
            "Transfer-Encoding",
        ] {
            assert!(is_forbidden(name, Place::Generated), "{name}");
            assert!(is_forbidden(name, Place::OriginResponse), "{name}");
        }
        assert!(is_forbidden("Content-Length", Place::Generated));
        assert!(!is_forbidden("Content-Length", Place::OriginResponse));
    }

    #[test]
    fn similar_names_are_free() {
        for name in ["x-cache-control", "upgrade-insecure-requests", "set-cookie", "proxy"] {
            assert!(!is_forbidden(name, Place::Generated), "{name}");
        }
    }
}
