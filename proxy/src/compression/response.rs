//! What compression does to a response's header.

use http::{HeaderName, HeaderValue, Method, header};
use pingora::{Result, http::ResponseHeader};

use super::{Coding, eligible};

/// True of the uncompressed bytes only.
const OF_THE_PLAIN_BODY: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::ACCEPT_RANGES,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Turns the header of a response that may be compressed into that of a compressed one, if the viewer wants
/// it so. In any case it then says that Accept-Encoding mattered. Gives the length of the plain body, where
/// the body has to be compressed.
pub(crate) fn transform(response: &mut ResponseHeader, coding: Option<Coding>) -> Result<Option<u64>> {
    let Some(length) = eligible::length(response.status, &response.headers) else {
        return Ok(None);
    };
    vary_on_accept_encoding(response)?;
    let Some(coding) = coding else {
        return Ok(None);
    };
    for name in OF_THE_PLAIN_BODY {
        response.remove_header(&name);
    }
    response.insert_header(header::CONTENT_ENCODING, coding.as_str())?;
    weaken(response)?;
    Ok(Some(length))
}

/// Makes the tag of a 304 the one that the 200 had: weak, where `known` (what the viewer or the cache holds)
/// lists it as weak.
pub(crate) fn restore_weak_tag(response: &mut ResponseHeader, known: &HeaderValue) -> Result<()> {
    let Some(tag) = strong_tag(response) else {
        return Ok(());
    };
    let weak = [b"W/", tag.as_bytes()].concat();
    let is_listed = known.as_bytes().windows(weak.len()).any(|window| window == weak);
    if is_listed {
        weaken(response)?;
        vary_on_accept_encoding(response)?;
    }
    Ok(())
}

/// Compressed anew the bytes may differ, so the tag no longer promises them (RFC 9110, section 8.8.1).
fn weaken(response: &mut ResponseHeader) -> Result<()> {
    let Some(tag) = strong_tag(response) else {
        return Ok(());
    };
    let weak = [b"W/", tag.as_bytes()].concat();
    match HeaderValue::from_bytes(&weak) {
        Ok(weak) => response.insert_header(header::ETAG, weak),
        Err(_) => {
            response.remove_header(&header::ETAG);
            Ok(())
        }
    }
}

fn strong_tag(response: &ResponseHeader) -> Option<&HeaderValue> {
    let tag = response.headers.get(header::ETAG)?;
    (!tag.as_bytes().starts_with(b"W/")).then_some(tag)
}

fn vary_on_accept_encoding(response: &mut ResponseHeader) -> Result<()> {
    let says_so = response
        .headers
        .get_all(header::VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("accept-encoding"));
    if says_so {
        return Ok(());
    }
    response.append_header(header::VARY, "Accept-Encoding")?;
    Ok(())
}

/// Whether a request's response may be compressed: bytes of a range are those of the plain body, and HTTP/1.0
/// has no way to send a body of unknown length on a connection that is kept.
pub(crate) fn may_be_asked_for(request: &pingora::http::RequestHeader) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
        && request.version != http::Version::HTTP_10
        && !request.headers.contains_key(header::RANGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(fields: &[(&'static str, &str)]) -> ResponseHeader {
        let mut response = ResponseHeader::build(200, None).unwrap();
        response.insert_header("Content-Type", "text/html").unwrap();
        response.insert_header("Content-Length", "5000").unwrap();
        for (name, value) in fields {
            response.append_header(*name, *value).unwrap();
        }
        response
    }

    fn all(response: &ResponseHeader, name: &str) -> Vec<String> {
        let values = response.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_compressed_response_says_so_and_nothing_that_no_longer_holds() {
        let mut response = response(&[
            ("etag", "\"a\""),
            ("accept-ranges", "bytes"),
            ("content-md5", "x"),
            ("repr-digest", "x"),
        ]);
        assert_eq!(transform(&mut response, Some(Coding::Brotli)).unwrap(), Some(5000));
        assert_eq!(all(&response, "content-encoding"), ["br"]);
        assert_eq!(all(&response, "etag"), ["W/\"a\""]);
        assert_eq!(all(&response, "vary"), ["Accept-Encoding"]);
        for name in ["content-length", "accept-ranges", "content-md5", "repr-digest"] {
            assert!(all(&response, name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_plain_response_that_could_have_been_compressed_varies_too() {
        let mut response = response(&[("etag", "\"a\"")]);
        assert_eq!(transform(&mut response, None).unwrap(), None);
        assert_eq!(all(&response, "vary"), ["Accept-Encoding"]);
        assert_eq!(all(&response, "etag"), ["\"a\""]);
        assert_eq!(all(&response, "content-length"), ["5000"]);
    }

    #[test]
    fn a_response_that_is_never_compressed_stays_as_it_is() {
        let mut response = response(&[("content-encoding", "gzip")]);
        assert_eq!(transform(&mut response, Some(Coding::Brotli)).unwrap(), None);
        assert!(all(&response, "vary").is_empty());
    }

    #[test]
    fn vary_is_added_to_and_not_repeated() {
        for (given, expected) in [
            ("Origin", vec!["Origin", "Accept-Encoding"]),
            ("accept-encoding, Origin", vec!["accept-encoding, Origin"]),
            ("*", vec!["*"]),
        ] {
            let mut response = response(&[("vary", given)]);
            transform(&mut response, Some(Coding::Gzip)).unwrap();
            assert_eq!(all(&response, "vary"), expected);
        }
    }

    #[test]
    fn a_weak_tag_stays_and_a_missing_one_is_not_made_up() {
        let mut weak = response(&[("etag", "W/\"a\"")]);
        transform(&mut weak, Some(Coding::Gzip)).unwrap();
        assert_eq!(all(&weak, "etag"), ["W/\"a\""]);
        let mut none = response(&[]);
        transform(&mut none, Some(Coding::Gzip)).unwrap();
        assert!(all(&none, "etag").is_empty());
    }

    #[test]
    fn a_304_has_the_tag_that_the_viewer_knows() {
        for (known, expected) in [
            ("W/\"a\"", "W/\"a\""),
            ("\"x\", W/\"a\"", "W/\"a\""),
            ("\"a\"", "\"a\""),
            ("W/\"ab\"", "\"a\""),
        ] {
            let mut response = response(&[("etag", "\"a\"")]);
            restore_weak_tag(&mut response, &HeaderValue::from_str(known).unwrap()).unwrap();
            assert_eq!(all(&response, "etag"), [expected], "{known}");
        }
    }
}
