//! The viewer's request, read from what one kind of server says of it and from nothing else.

use http::{HeaderMap, HeaderName, Method, header::HOST};
use pingora::http::RequestHeader;

use super::Fronting;
use crate::admission;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const X_ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const X_ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");

/// What describes the request, and is not part of it.
const DESCRIBING: [HeaderName; 7] = [
    HOST,
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    X_ORIGINAL_METHOD,
    X_ORIGINAL_URL,
];

/// The parts that make the request another one.
struct Parts<'a> {
    method: Method,
    scheme: &'static str,
    host: &'a str,
    target: Vec<u8>,
}

/// The viewer's request. `rest` is what follows the server's name in the path. `None`: not described.
pub(super) fn read(server: Fronting, request: &RequestHeader, rest: &[u8]) -> Option<RequestHeader> {
    let headers = &request.headers;
    let parts = match server {
        Fronting::Nginx => of_nginx(headers),
        Fronting::Traefik | Fronting::Caddy => of_traefik(headers),
        Fronting::Envoy => of_envoy(request, rest),
    }?;
    parts.into_request(request)
}

fn of_nginx(headers: &HeaderMap) -> Option<Parts<'_>> {
    let url = one(headers, &X_ORIGINAL_URL)?;
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    Some(Parts {
        method: method(headers, &X_ORIGINAL_METHOD)?,
        scheme: self::scheme(scheme)?,
        host,
        target: rooted(target.as_bytes()),
    })
}

fn of_traefik(headers: &HeaderMap) -> Option<Parts<'_>> {
    let target = one(headers, &X_FORWARDED_URI)?;
    Some(Parts {
        method: method(headers, &X_FORWARDED_METHOD)?,
        scheme: scheme(one(headers, &X_FORWARDED_PROTO)?)?,
        host: one(headers, &X_FORWARDED_HOST)?,
        target: target.starts_with('/').then(|| target.as_bytes().to_vec())?,
    })
}

fn of_envoy<'a>(request: &'a RequestHeader, rest: &[u8]) -> Option<Parts<'a>> {
    Some(Parts {
        method: request.method.clone(),
        scheme: scheme(one(&request.headers, &X_FORWARDED_PROTO)?)?,
        host: admission::host(request).ok()?,
        target: rooted(rest),
    })
}

/// The value of a header that stands there once: of two, one may be the viewer's.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut fields = headers.get_all(name).iter();
    let (value, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    value.to_str().ok().filter(|value| !value.is_empty())
}

fn method(headers: &HeaderMap, name: &HeaderName) -> Option<Method> {
    Method::from_bytes(one(headers, name)?.as_bytes()).ok()
}

/// Traefik says `ws` and `wss` of WebSockets.
fn scheme(text: &str) -> Option<&'static str> {
    let is = |scheme: &str| text.eq_ignore_ascii_case(scheme);
    if is("https") || is("wss") {
        Some("https")
    } else if is("http") || is("ws") {
        Some("http")
    } else {
        None
    }
}

/// What follows an authority, as a request target in origin form.
fn rooted(target: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if target.first() == Some(&b'/') { b"" } else { b"/" };
    [slash, target].concat()
}

impl Parts<'_> {
    /// The viewer's request: these parts, and all headers that describe nothing.
    fn into_request(self, asking: &RequestHeader) -> Option<RequestHeader> {
        let size = asking.headers.len() + 3;
        let mut request = RequestHeader::build_no_case(self.method, &self.target, Some(size)).ok()?;
        // A fragment would be dropped silently, and the server asks about a target that has one (T-PATH-2).
        if request.raw_path() != self.target {
            return None;
        }
        request.set_version(asking.version);
        for (name, value) in &asking.headers {
            if !DESCRIBING.contains(name) {
                request.append_header(name.clone(), value.clone()).ok()?;
            }
        }
        request.insert_header(HOST, self.host).ok()?;
        // Said by the trusted server, in the words that admission believes of one.
        request.insert_header(X_FORWARDED_HOST, self.host).ok()?;
        request.insert_header(X_FORWARDED_PROTO, self.scheme).ok()?;
        Some(request)
    }
}
