//! Headers that concern one connection only (RFC 9110, section 7.6.1).

use http::{
    HeaderMap, HeaderName,
    header::{
        CONNECTION, CONTENT_LENGTH, HeaderName as Name, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};

use crate::request_id;

const ALWAYS: [Name; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// In a response: what says how long the connection to us is kept. The others frame the message or upgrade the
/// connection, and are read by Pingora, which writes its own.
pub(crate) const OF_THE_ANSWER: [Name; 2] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether a header ends here: by its nature, or because the viewer's Connection header says so. The length
/// of the body is not for Connection to take away: it frames the message; nor is what we say ourselves (T-HDR-4).
pub(crate) fn is_listed(name: &HeaderName, headers: &HeaderMap) -> bool {
    ALWAYS.contains(name)
        || *name != CONTENT_LENGTH
            && *name != request_id::HEADER
            && options(headers).any(|option| option.eq_ignore_ascii_case(name.as_str()))
}

/// The options of the Connection header.
pub(crate) fn options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|option| !option.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(connection: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static(connection))])
    }

    #[test]
    fn headers_of_the_connection_end_here() {
        for name in [
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "proxy-authorization",
        ] {
            assert!(is_listed(&HeaderName::from_static(name), &HeaderMap::new()), "{name}");
        }
        assert!(!is_listed(&HeaderName::from_static("accept"), &HeaderMap::new()));
    }

    #[test]
    fn the_viewer_may_name_more() {
        let headers = headers("close, X-Hop ,");
        assert!(is_listed(&HeaderName::from_static("x-hop"), &headers));
        assert!(!is_listed(&HeaderName::from_static("x-hop-2"), &headers));
    }

    #[test]
    fn the_viewer_cannot_take_away_what_we_say() {
        let id = HeaderName::from_static(request_id::HEADER);
        assert!(!is_listed(&id, &headers("X-Request-Id")));
    }

    #[test]
    fn the_viewer_cannot_unframe_a_body() {
        assert!(!is_listed(&CONTENT_LENGTH, &headers("content-length")));
    }
}
