//! How large the parts of a request's header may be (T-DOS-1).

use http::header::{CONTENT_LENGTH, COOKIE};
use pingora::http::RequestHeader;

use super::{Refusal, headers};
use crate::config::Limits;

/// Refuses what is too large before anything is made of it.
pub(super) fn check(request: &RequestHeader, limits: &Limits) -> Result<(), Refusal> {
    if headers::size(request) > limits.header_bytes {
        return Err(Refusal::HeaderTooLarge);
    }
    if request.raw_path().len() > limits.url_bytes {
        return Err(Refusal::UrlTooLong);
    }
    let (mut bytes, mut cookies) = (0, 0);
    for field in request.headers.get_all(COOKIE) {
        bytes += field.len();
        cookies += 1 + memchr::memchr_iter(b';', field.as_bytes()).count();
    }
    if bytes > limits.cookie_bytes || limits.cookies.is_some_and(|most| cookies > most) {
        return Err(Refusal::CookiesTooLarge);
    }
    let length = request
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok()).unwrap_or_default();
    if limits.body_bytes.is_some_and(|limit| length > limit) {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &'static str, value: &str, limits: Limits) -> Result<(), Refusal> {
        let mut request = RequestHeader::build("POST", b"/path?query", None).unwrap();
        request.append_header(name, value).unwrap();
        check(&request, &limits)
    }

    #[test]
    fn each_part_has_its_limit() {
        let limits = Limits {
            url_bytes: 11,
            cookie_bytes: 11,
            cookies: Some(3),
            body_bytes: Some(100),
            ..Limits::default()
        };
        assert_eq!(check_one("Cookie", "a=1; b=2; c", limits), Ok(()));
        assert_eq!(
            check_one("Cookie", "a=1; b=2; c=", limits),
            Err(Refusal::CookiesTooLarge)
        );
        assert_eq!(check_one("Cookie", ";;;", limits), Err(Refusal::CookiesTooLarge));
        assert_eq!(check_one("Content-Length", "100", limits), Ok(()));
        assert_eq!(check_one("Content-Length", "101", limits), Err(Refusal::BodyTooLarge));
        let shorter = Limits {
            url_bytes: 10,
            ..limits
        };
        assert_eq!(check_one("Accept", "*/*", shorter), Err(Refusal::UrlTooLong));
    }
}
