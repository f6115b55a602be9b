//! The viewer's Cookie header fields: joined for the core, our own taken out for custom origins.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header::COOKIE};
use pingora::http::RequestHeader;
use smallvec::{SmallVec, smallvec};

/// The values of Cookie header fields, of which a browser sends one.
pub(crate) type Fields<'h> = SmallVec<[Cow<'h, str>; 1]>;

/// The cookies as the core wants them: HTTP/2 crumbs joined (RFC 9113, section 8.2.3), the fields of
/// HTTP/1.1 each by itself. Bytes that are not UTF-8 are replaced, so such a cookie matches nothing.
pub(crate) fn fields(headers: &HeaderMap, version: http::Version) -> Fields<'_> {
    let fields = headers.get_all(COOKIE).iter().map(|value| text(value.as_bytes()));
    if version < http::Version::HTTP_2 {
        return fields.collect();
    }
    let mut fields = fields;
    match (fields.next(), fields.next()) {
        (Some(first), Some(second)) => {
            let mut joined = first.into_owned();
            for crumb in std::iter::once(second).chain(fields) {
                joined.push_str("; ");
                joined.push_str(&crumb);
            }
            smallvec![Cow::Owned(joined)]
        }
        (first, _) => first.into_iter().collect(),
    }
}

/// The check that takes many bytes at once first: a session is thousands of them.
fn text(field: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(field) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(field),
    }
}

/// Takes the cookies of the sign-in out of a request, leaving the application's own.
pub(crate) fn strip_own(request: &mut RequestHeader) {
    let mut kept = Vec::new();
    let mut has_own = false;
    let fields = request.headers.get_all(COOKIE).iter();
    for pair in fields.flat_map(|field| pairs(field.as_bytes())) {
        if is_own(pair) {
            has_own = true;
            continue;
        }
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(pair);
    }
    if !has_own {
        return;
    }
    request.remove_header(&COOKIE);
    if !kept.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(&kept)
    {
        // The name is a constant, the value is made of values.
        let _ = request.insert_header("Cookie", value);
    }
}

/// What stands between the semicolons of a field.
fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b';', field).chain(std::iter::once(field.len()));
    let mut start = 0;
    let pairs = ends.map(move |end| {
        let pair = field.get(start..end).unwrap_or_default();
        start = end + 1;
        pair.trim_ascii()
    });
    pairs.filter(|pair| !pair.is_empty())
}

fn is_own(pair: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 2] = [b"CognitoIdentityServiceProvider.", b"spa-auth-edge-"];
    const NAMES: [&[u8]; 5] = [
        b"amplify-signin-with-hostedUI",
        b"ID-TOKEN",
        b"ACCESS-TOKEN",
        b"REFRESH-TOKEN",
        b"COGNITO-ENABLED",
    ];
    // Most of a session: its name need not be found first.
    if PREFIXES.iter().any(|prefix| pair.starts_with(prefix)) {
        return true;
    }
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    let name = pair.get(..end).unwrap_or_default().trim_ascii();
    NAMES.contains(&whole(name)) || is_ours_alone(name)
}

/// The name of a token's first cookie, for any part of a token that takes several: `ID-TOKEN` of `ID-TOKEN.1`.
fn whole(name: &[u8]) -> &[u8] {
    match name {
        [whole @ .., b'.', b'1'..=b'9'] if whole.ends_with(b"-TOKEN") => whole,
        _ => name,
    }
}

/// Sealed sessions and their parts, sign-ins under way, markers: `portcullis` and whatever follows it after a mark.
fn is_ours_alone(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"__Host-").unwrap_or(name);
    let rest = name.strip_prefix(b"portcullis");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'-' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &[&str]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for field in fields {
            request.append_header("Cookie", *field).unwrap();
        }
        request
    }

    #[test]
    fn crumbs_of_http_2_are_joined_and_fields_of_http_1_are_not() {
        let request = request(&["a=1", "b=2", "c=3"]);
        assert_eq!(fields(&request.headers, http::Version::HTTP_2)[..], ["a=1; b=2; c=3"]);
        assert_eq!(
            fields(&request.headers, http::Version::HTTP_11)[..],
            ["a=1", "b=2", "c=3"]
        );
        assert!(fields(&HeaderMap::new(), http::Version::HTTP_2).is_empty());
    }

    #[test]
    fn own_cookies_are_taken_out_and_others_stay_as_they_are() {
        let mut request = request(&[
            "theme=dark; CognitoIdentityServiceProvider.abc.LastAuthUser=u;x= 1 ",
            "spa-auth-edge-nonce=n; __Host-portcullis-attempt-0=a; portcullis-hops=h; __Host-portcullis=s; portcullis.1=s; ID-TOKEN=t; REFRESH-TOKEN.1=t; ID-TOKEN.x=kept; TOKEN.1=kept; amplify-signin-with-hostedUI=true; ID-TOKEN-2=kept; portcullised=kept",
        ]);
        strip_own(&mut request);
        let left: Vec<&HeaderValue> = request.headers.get_all(COOKIE).iter().collect();
        assert_eq!(
            left,
            ["theme=dark; x= 1; ID-TOKEN.x=kept; TOKEN.1=kept; ID-TOKEN-2=kept; portcullised=kept"]
        );
    }

    #[test]
    fn a_request_with_own_cookies_alone_has_none_left() {
        let mut request = request(&["spa-auth-edge-pkce=p"]);
        strip_own(&mut request);
        assert!(request.headers.get(COOKIE).is_none());
    }

    #[test]
    fn a_request_without_own_cookies_is_not_touched() {
        let mut request = request(&["a=1;b=2", "c=3"]);
        strip_own(&mut request);
        assert_eq!(request.headers.get_all(COOKIE).iter().count(), 2);
    }
}
