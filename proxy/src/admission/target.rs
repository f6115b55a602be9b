//! Host and target of a request (RFC 9112, section 3.2; RFC 9113, section 8.3.1).

use http::header;
use pingora::http::RequestHeader;

use super::Refusal;
use crate::config::{is_host_name, split_port};

/// Path and query of a request target, as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) path: &'a [u8],
    pub(super) query: &'a str,
}

/// The one host that a request is for.
pub(crate) fn host(request: &RequestHeader) -> Result<&str, Refusal> {
    let mut fields = request.headers.get_all(header::HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(value), None) => Some(std::str::from_utf8(value.as_bytes()).map_err(|_| Refusal::HostMalformed)?),
        (None, _) => None,
        (Some(_), Some(_)) => return Err(Refusal::Host),
    };
    // HTTP/2 and HTTP/3 name the host in `:authority`.
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    match (authority, field) {
        (Some(authority), Some(field)) if !authority.eq_ignore_ascii_case(field) => Err(Refusal::Host),
        (Some(host), _) | (None, Some(host)) if !host.is_empty() => Ok(host),
        _ => Err(Refusal::Host),
    }
}

/// Name in lower case, and port.
pub(super) fn split_host(host: &str) -> Result<(String, Option<u16>), Refusal> {
    let (name, port) = split_port(host).ok_or(Refusal::HostMalformed)?;
    let name = name.to_ascii_lowercase();
    if is_host_name(&name) {
        Ok((name, port))
    } else {
        Err(Refusal::HostMalformed)
    }
}

/// Path and query, from a target in origin form or in absolute form for the same host.
pub(super) fn origin_form<'a>(request: &'a RequestHeader, host: &str) -> Result<Target<'a>, Refusal> {
    let raw = request.raw_path();
    if raw.first() == Some(&b'/') {
        return split_query(raw);
    }
    let rest = strip_scheme(raw).ok_or(Refusal::Target)?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if !authority.eq_ignore_ascii_case(host.as_bytes()) {
        return Err(Refusal::Host);
    }
    let target = split_query(target)?;
    Ok(Target {
        path: if target.path.is_empty() { b"/" } else { target.path },
        ..target
    })
}

fn strip_scheme(raw: &[u8]) -> Option<&[u8]> {
    [b"http://".as_slice(), b"https://"].into_iter().find_map(|scheme| {
        let (start, rest) = raw.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

fn split_query(raw: &[u8]) -> Result<Target<'_>, Refusal> {
    let mut parts = raw.splitn(2, |&byte| byte == b'?');
    let path = parts.next().unwrap_or_default();
    let query = parts.next().unwrap_or_default();
    if !query.iter().all(|byte| matches!(byte, b'!'..=b'~')) {
        return Err(Refusal::Target);
    }
    let query = std::str::from_utf8(query).map_err(|_| Refusal::Target)?;
    Ok(Target { path, query })
}

/// Whether a path can at least be shown to somebody: absolute, UTF-8, no control characters as they are.
pub(super) fn is_text(path: &[u8]) -> bool {
    path.first() == Some(&b'/') && !path.iter().any(u8::is_ascii_control) && std::str::from_utf8(path).is_ok()
}

/// The query of a request that has been admitted; empty when there is none.
pub(crate) fn query(request: &RequestHeader) -> &str {
    split_query(request.raw_path()).map_or("", |target| target.query)
}

/// The path of a request that has been admitted, as the viewer sent it.
pub(crate) fn raw_path(request: &RequestHeader) -> &str {
    let target = raw_target(request);
    match target.find('?').map_or(target, |end| &target[..end]) {
        "" => "/",
        path => path,
    }
}

/// Path and query of a request that has been admitted, as the viewer sent them.
pub(crate) fn raw_target(request: &RequestHeader) -> &str {
    let raw = request.raw_path();
    let target = match strip_scheme(raw) {
        Some(rest) => {
            let start = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
            start.and_then(|start| rest.get(start..)).unwrap_or_default()
        }
        None => raw,
    };
    // Admission refuses targets that are not UTF-8.
    match std::str::from_utf8(target) {
        Ok(target) if !target.is_empty() => target,
        _ => "/",
    }
}
