//! Our own answers where neither the core nor the origin has one: short pages without internals.

use bytes::Bytes;
use http::StatusCode;
use pingora::http::ResponseHeader;

/// A self-contained page. It says what the viewer can do, and nothing about what is behind the proxy.
#[must_use]
pub(crate) fn body(status: StatusCode) -> Bytes {
    let title = status.canonical_reason().unwrap_or("Error");
    let advice = advice(status);
    let code = status.as_u16();
    Bytes::from(format!(
        "<!DOCTYPE html>\n<html lang=\"en\" data-page=\"proxy\" data-status=\"{code}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <main><h1>{title}</h1><p>{advice}</p><p><small>{code}</small></p></main>\n</html>\n"
    ))
}

const STYLE: &str = ":root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;\
                     font:1rem/1.5 system-ui,sans-serif}main{max-width:32rem;padding:2rem}h1{font-size:1.5rem}";

const fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request is malformed.",
        StatusCode::FORBIDDEN => "This is not available to you.",
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This cannot be done here.",
        StatusCode::MISDIRECTED_REQUEST => "This host is not served here.",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "The request carries too much in its headers. Deleting this site's cookies may help."
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
            "The content cannot be fetched at the moment. Please try again."
        }
        StatusCode::GATEWAY_TIMEOUT => "The content took too long to arrive. Please try again.",
        _ => "The request could not be answered.",
    }
}

/// What our pages may do: nothing but look as they do. They link, load nothing, and are in nobody's frame.
pub(crate) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The header that goes with [`body`]: never stored, never sniffed, no scripts.
///
/// # Errors
/// Never in practice: all names and values are constants.
pub(crate) fn header(status: StatusCode, length: usize) -> pingora::Result<ResponseHeader> {
    let mut header = ResponseHeader::build(status, Some(8))?;
    header.insert_header("Content-Type", "text/html; charset=utf-8")?;
    header.insert_header("Content-Length", length)?;
    header.insert_header("Cache-Control", "no-store")?;
    header.insert_header("X-Content-Type-Options", "nosniff")?;
    header.insert_header("Content-Security-Policy", POLICY)?;
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_status_and_no_script() {
        let page = body(StatusCode::BAD_GATEWAY);
        let text = std::str::from_utf8(&page).unwrap();
        assert!(text.contains("data-status=\"502\"") && text.contains("Bad Gateway"));
        assert!(!text.contains("<script"));
    }
}
