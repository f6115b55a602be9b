//! Which responses CloudFront compresses: by status, type, length, and what their header says.

use http::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE},
};

/// In bytes. Below it is not worth it, above it takes too long.
const LENGTHS: std::ops::RangeInclusive<u64> = 1_000..=10_000_000;

/// The media types of CloudFront's documentation ("File types that CloudFront compresses"), sorted.
/// `text/event-stream` is none of them.
const TYPES: [&str; 48] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
];

/// The length of a response that may be compressed; `None` for one that passes as it is.
pub(super) fn length(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    let is_fitting = matches!(status, StatusCode::OK | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && is_listed(headers)
        && !forbids_transformation(headers);
    if !is_fitting {
        return None;
    }
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    LENGTHS.contains(&length).then_some(length)
}

fn is_listed(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let mut lower = [0; 64];
    let Some(lower) = lower.get_mut(..essence.len()) else {
        return false;
    };
    lower.copy_from_slice(essence.as_bytes());
    lower.make_ascii_lowercase();
    TYPES.binary_search_by(|listed| listed.as_bytes().cmp(lower)).is_ok()
}

fn forbids_transformation(headers: &HeaderMap) -> bool {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn length_with(status: StatusCode, changes: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("1000"));
        for (name, value) in changes {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        length(status, &headers)
    }

    #[track_caller]
    fn passes(changes: &[(&'static str, &'static str)]) {
        assert_eq!(length_with(StatusCode::OK, changes), None, "{changes:?}");
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(TYPES.is_sorted());
    }

    #[test]
    fn listed_types_are_compressed_whatever_their_parameters() {
        for value in [
            "text/html",
            "text/html; charset=utf-8",
            "TEXT/HTML;charset=utf-8",
            "application/wasm",
            "image/svg+xml ",
            "vnd.apple.mpegurl",
        ] {
            assert_eq!(
                length_with(StatusCode::OK, &[("content-type", value)]),
                Some(1000),
                "{value}"
            );
        }
    }

    #[test]
    fn other_types_pass() {
        for value in [
            "image/png",
            "text/event-stream",
            "text",
            "text/htm",
            "text/html5",
            "",
            "application/octet-stream",
            "text/html-and-a-name-that-is-longer-than-any-media-type-of-the-list-could-be",
        ] {
            passes(&[("content-type", value)]);
        }
    }

    #[test]
    fn lengths_are_bounded_on_both_sides() {
        for (value, expected) in [
            ("999", None),
            ("1000", Some(1000)),
            ("10000000", Some(10_000_000)),
            ("10000001", None),
            ("many", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(
                length_with(StatusCode::OK, &[("content-length", value)]),
                expected,
                "{value}"
            );
        }
        let mut unknown = HeaderMap::new();
        unknown.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert_eq!(length(StatusCode::OK, &unknown), None);
    }

    #[test]
    fn pages_of_three_statuses_are_compressed() {
        for status in [200, 403, 404] {
            assert!(
                length_with(StatusCode::from_u16(status).unwrap(), &[]).is_some(),
                "{status}"
            );
        }
        for status in [201, 204, 206, 301, 304, 400, 416, 500, 503] {
            assert!(
                length_with(StatusCode::from_u16(status).unwrap(), &[]).is_none(),
                "{status}"
            );
        }
    }

    #[test]
    fn what_is_encoded_partial_or_forbidden_passes() {
        passes(&[("content-encoding", "gzip")]);
        passes(&[("content-encoding", "identity")]);
        passes(&[("content-range", "bytes 0-999/5000")]);
        passes(&[("cache-control", "no-transform")]);
        passes(&[("cache-control", "max-age=1 , No-Transform")]);
    }
}
