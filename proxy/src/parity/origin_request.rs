//! The viewer's headers as CloudFront passes them on where a behaviour forwards no cookies and no
//! particular headers, as the template's do.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, EXPECT, MAX_FORWARDS, REFERER, TE,
        TRAILER, USER_AGENT,
    },
};

/// What CloudFront says in the viewer's place.
const AGENT: HeaderValue = HeaderValue::from_static("Amazon CloudFront");

const REMOVED: [HeaderName; 9] = [
    ACCEPT_CHARSET,
    ACCEPT_LANGUAGE,
    AUTHORIZATION,
    COOKIE,
    EXPECT,
    MAX_FORWARDS,
    REFERER,
    TE,
    TRAILER,
];
const REMOVED_PREFIXES: [&str; 4] = ["cloudfront-", "proxy-", "x-amz-cf-", "x-edge-"];

/// The headers to ask the origin with. Those about the connection are the origin's part.
pub(crate) fn viewer_headers(viewer: &HeaderMap) -> HeaderMap {
    let is_kept = |name: &HeaderName| {
        !REMOVED.contains(name) && !REMOVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
    };
    let kept = viewer.iter().filter(|(name, _)| is_kept(name));
    let mut headers: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    headers.insert(USER_AGENT, AGENT);
    headers.remove(ACCEPT_ENCODING);
    if let Some(encodings) = encodings(viewer) {
        headers.insert(ACCEPT_ENCODING, encodings);
    }
    headers
}

/// Brotli and gzip alone, in CloudFront's order.
fn encodings(viewer: &HeaderMap) -> Option<HeaderValue> {
    let named = |coding: &str| {
        let fields = viewer.get_all(ACCEPT_ENCODING).iter();
        let mut items = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|f| f.split(','));
        items.any(|item| {
            let name = item.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case(coding)
        })
    };
    match (named("br"), named("gzip")) {
        (true, true) => Some(HeaderValue::from_static("br,gzip")),
        (true, false) => Some(HeaderValue::from_static("br")),
        (false, true) => Some(HeaderValue::from_static("gzip")),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut viewer = HeaderMap::new();
        for (name, value) in headers {
            viewer.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let headers = viewer_headers(&viewer);
        let pairs = headers.iter().filter(|(name, _)| **name != USER_AGENT);
        pairs
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn what_tells_of_the_viewer_stays_behind() {
        for name in [
            "Cookie",
            "Authorization",
            "Referer",
            "Accept-Language",
            "Proxy-Authorization",
            "CloudFront-Viewer-Country",
            "X-Edge-Location",
            "Expect",
        ] {
            assert_eq!(passed(&[(name, "x"), (name, "y")]), [], "{name}");
        }
        let mut viewer = HeaderMap::new();
        viewer.insert(USER_AGENT, HeaderValue::from_static("curl"));
        assert_eq!(viewer_headers(&viewer)[USER_AGENT], "Amazon CloudFront");
    }

    #[test]
    fn ranges_conditions_and_headers_of_the_applications_own_are_passed_on() {
        for name in ["range", "if-none-match", "accept", "origin", "x-custom"] {
            assert_eq!(passed(&[(name, "v")]), [(name.to_owned(), "v".to_owned())]);
        }
    }

    #[test]
    fn encodings_are_reduced_to_those_that_cloudfront_knows() {
        for (given, left) in [
            ("gzip, deflate, br, zstd", Some("br,gzip")),
            ("gzip;q=1.0", Some("gzip")),
            ("BR", Some("br")),
            ("zstd, identity", None),
            ("", None),
        ] {
            let found = passed(&[("accept-encoding", given)]);
            assert_eq!(found.first().map(|(_, value)| value.as_str()), left, "{given}");
        }
    }
}
