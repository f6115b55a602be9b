//! Where a message ends must be beyond doubt (RFC 9112, section 6; T-SMUG-1 to 3).

use http::{HeaderMap, Version, header};
use pingora::http::RequestHeader;

use super::Refusal;

/// Refuses what some parser on the way could cut elsewhere.
pub(super) fn check(request: &RequestHeader) -> Result<(), Refusal> {
    let headers = &request.headers;
    let lengths = count(headers, header::CONTENT_LENGTH);
    if lengths > 1 || lengths == 1 && !is_number(headers) {
        return Err(Refusal::Framing);
    }
    match count(headers, header::TRANSFER_ENCODING) {
        0 => Ok(()),
        1 if lengths == 0 && request.version == Version::HTTP_11 && is_chunked(headers) => Ok(()),
        _ => Err(Refusal::Framing),
    }
}

fn count(headers: &HeaderMap, name: header::HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

fn is_number(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_LENGTH).is_some_and(|value| {
        let digits = value.as_bytes();
        (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    })
}

/// The only transfer coding that is understood here, and that only by itself.
fn is_chunked(headers: &HeaderMap) -> bool {
    headers
        .get(header::TRANSFER_ENCODING)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"))
}
