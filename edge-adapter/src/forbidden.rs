//! Headers a function at the edge may not set: CloudFront answers 502 to every viewer when it does.

/// Whose response a header would be set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A response that a viewer-request function generates.
    Generated,
    /// The origin's response, on its way through an origin-response function.
    OriginResponse,
}

/// Refused everywhere.
const NAMES: [&str; 8] = [
    "connection",
    "expect",
    "keep-alive",
    "trailer",
    "upgrade",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];
const PREFIXES: [&str; 4] = ["proxy-", "x-accel-", "x-amz-cf-", "x-edge-"];

/// Read-only in addition.
const READ_ONLY_GENERATED: [&str; 4] = ["content-length", "host", "transfer-encoding", "via"];
const READ_ONLY_ORIGIN_RESPONSE: [&str; 2] = ["transfer-encoding", "via"];

/// Whether CloudFront refuses a function that sets this header. `name` is in lower case.
pub(crate) fn is_forbidden(name: &str, place: Place) -> bool {
    let read_only: &[&str] = match place {
        Place::Generated => &READ_ONLY_GENERATED,
        Place::OriginResponse => &READ_ONLY_ORIGIN_RESPONSE,
    };
    NAMES.contains(&name) || read_only.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cloudfront_keeps_to_itself_are_forbidden_everywhere() {
        for name in [
            "connection",
            "expect",
            "keep-alive",
            "proxy-authenticate",
            "proxy-connection",
            "trailer",
            "upgrade",
            "x-accel-redirect",
            "x-amz-cf-id",
            "x-cache",
            "x-edge-location",
            "x-forwarded-proto",
            "x-real-ip",
            "transfer-encoding",
            "via",
        ] {
            assert!(is_forbidden(name, Place::Generated), "{name}");
            assert!(is_forbidden(name, Place::OriginResponse), "{name}");
        }
    }

    #[test]
    fn length_and_host_are_read_only_in_generated_responses_alone() {
        for name in ["content-length", "host"] {
            assert!(is_forbidden(name, Place::Generated));
            assert!(!is_forbidden(name, Place::OriginResponse));
        }
    }

    #[test]
    fn similar_names_are_free() {
        for name in [
            "x-cache-control",
            "x-amz-meta-a",
            "upgrade-insecure-requests",
            "set-cookie",
            "proxy",
        ] {
            assert!(!is_forbidden(name, Place::Generated), "{name}");
        }
    }
}
