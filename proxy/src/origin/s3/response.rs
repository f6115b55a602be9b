//! What a viewer may see of a store's response.

use http::{HeaderName, StatusCode, header};
use pingora::http::ResponseHeader;

use crate::{config::MissingStatus, origin::Admitted};

/// Headers that describe the object or frame the message. All others (`x-amz-*`, `x-amz-meta-*`, Server and
/// what other stores add) stay inside.
const SHOWN: [HeaderName; 16] = [
    header::ACCEPT_RANGES,
    header::AGE,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::TRANSFER_ENCODING,
    header::VARY,
];

/// The objects themselves and what preconditions come to are passed on; whatever else the store says is our
/// business: a missing key has one status whether the store calls it 403 or 404, the rest is a bad gateway.
pub(crate) fn admit(status: StatusCode, missing: MissingStatus) -> Admitted {
    match status {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => Admitted::AsIs,
        StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => Admitted::Replace(status),
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Admitted::Replace(match missing {
            MissingStatus::NotFound => StatusCode::NOT_FOUND,
            MissingStatus::Forbidden => StatusCode::FORBIDDEN,
        }),
        _ => Admitted::Replace(StatusCode::BAD_GATEWAY),
    }
}

/// Removes every header that is not [shown](SHOWN).
pub(crate) fn scrub(response: &mut ResponseHeader) {
    let hidden: Vec<HeaderName> = response
        .headers
        .keys()
        .filter(|name| !SHOWN.contains(name))
        .cloned()
        .collect();
    for name in hidden {
        response.remove_header(&name);
    }
}

/// Tells the operator what a replaced response probably means.
pub(crate) fn explain(bucket: &str, response: &ResponseHeader) {
    let status = response.status.as_u16();
    let header = |name: &str| {
        response
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    match status {
        304 | 403 | 404 | 412 | 416 => {}
        301 | 302 | 307 | 308 => tracing::error!(
            bucket,
            status,
            bucket_region = header("x-amz-bucket-region"),
            "store redirects: wrong region or endpoint"
        ),
        400 => tracing::error!(
            bucket,
            status,
            bucket_region = header("x-amz-bucket-region"),
            "store refuses the request: wrong region, or expired credentials"
        ),
        _ => tracing::error!(bucket, status, request_id = header("x-amz-request-id"), "store fails"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(status: u16) -> Admitted {
        admit(StatusCode::from_u16(status).unwrap(), MissingStatus::NotFound)
    }

    #[test]
    fn objects_parts_and_unchanged_objects_pass() {
        for status in [200, 206, 304] {
            assert_eq!(admitted(status), Admitted::AsIs, "{status}");
        }
    }

    #[test]
    fn preconditions_and_ranges_keep_their_status_without_the_xml() {
        assert_eq!(admitted(412), Admitted::Replace(StatusCode::PRECONDITION_FAILED));
        assert_eq!(admitted(416), Admitted::Replace(StatusCode::RANGE_NOT_SATISFIABLE));
    }

    #[test]
    fn forbidden_and_missing_keys_look_alike() {
        assert_eq!(admitted(403), Admitted::Replace(StatusCode::NOT_FOUND));
        assert_eq!(admitted(404), Admitted::Replace(StatusCode::NOT_FOUND));
        let forbidden = |status| admit(status, MissingStatus::Forbidden);
        assert_eq!(
            forbidden(StatusCode::FORBIDDEN),
            Admitted::Replace(StatusCode::FORBIDDEN)
        );
        assert_eq!(
            forbidden(StatusCode::NOT_FOUND),
            Admitted::Replace(StatusCode::FORBIDDEN)
        );
    }

    #[test]
    fn redirects_and_failures_of_the_store_are_a_bad_gateway() {
        for status in [
            201, 204, 301, 302, 307, 308, 400, 401, 405, 409, 429, 500, 501, 503, 599,
        ] {
            assert_eq!(admitted(status), Admitted::Replace(StatusCode::BAD_GATEWAY), "{status}");
        }
    }

    #[test]
    fn nothing_of_the_store_shows_in_the_headers() {
        let mut response = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("ETag", "\"a\""),
            ("Content-Type", "text/html"),
            ("Cache-Control", "max-age=60"),
            ("Content-Range", "bytes 0-1/2"),
            ("Server", "AmazonS3"),
            ("X-Amz-Request-Id", "R"),
            ("x-amz-id-2", "I"),
            ("x-amz-meta-owner", "someone"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "arn:…"),
            ("x-minio-deployment-id", "d"),
            ("Set-Cookie", "a=b"),
            ("Location", "https://elsewhere.example"),
        ] {
            response.append_header(name, value).unwrap();
        }
        response.append_header("x-amz-meta-owner", "another").unwrap();
        scrub(&mut response);
        let mut left: Vec<&str> = response.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cache-control", "content-range", "content-type", "etag"]);
    }
}
