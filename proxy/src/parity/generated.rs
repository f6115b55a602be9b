//! Generated responses in the measure that CloudFront gives them.

use auth_core::{Response, ResponseHeaders};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Place, is_forbidden};

/// The most CloudFront takes from a viewer-request function: header and body, as the JSON text that the
/// edge adapter hands over.
const MAX_BYTES: usize = 40 * 1024;

/// What a page becomes when it is too long to be shown.
const SHORT_PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in issue</title>\
    <p>Something went wrong, and the explanation is too long to be shown. <a href=\"/\">Try again</a></p></html>";

/// The header alone is more than CloudFront takes: there the invocation fails, and the viewer sees a 502.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("generated response too large")]
pub(crate) struct TooLarge;

/// The response as it comes out of CloudFront: without the headers that it refuses, and shortened or
/// refused where it is too long.
pub(crate) fn fit(mut response: Response) -> Result<Response, TooLarge> {
    if response
        .headers
        .iter()
        .any(|(name, _)| is_forbidden(name, Place::Generated))
    {
        response.headers = allowed(&response.headers);
    }
    if is_surely_short(&response) || json_length(&response) <= MAX_BYTES {
        return Ok(response);
    }
    if !response.body.is_empty() {
        SHORT_PAGE.clone_into(&mut response.body);
    }
    if json_length(&response) <= MAX_BYTES {
        Ok(response)
    } else {
        Err(TooLarge)
    }
}

fn allowed(headers: &ResponseHeaders) -> ResponseHeaders {
    let mut kept = ResponseHeaders::default();
    for (name, value) in headers.iter() {
        if !is_forbidden(name, Place::Generated) {
            kept.append(name, value);
        }
    }
    kept
}

/// Even if every byte had to be escaped (`\u0000`) and each header stood in a list of its own.
fn is_surely_short(response: &Response) -> bool {
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| 2 * name.len() + 6 * value.len() + 64);
    headers.sum::<usize>() + 6 * response.body.len() + 128 <= MAX_BYTES
}

fn json_length(response: &Response) -> usize {
    let mut headers = Map::new();
    for (name, value) in response.headers.iter() {
        let fields = headers.entry(name.to_ascii_lowercase()).or_insert_with(|| json!([]));
        if let Some(fields) = fields.as_array_mut() {
            fields.push(json!({ "key": name, "value": value }));
        }
    }
    let mut generated = json!({ "status": response.status.to_string(), "headers": headers });
    if response.status == 307 {
        generated["statusDescription"] = Value::from("Temporary Redirect");
    }
    if !response.body.is_empty() {
        generated["body"] = Value::from(response.body.as_str());
    }
    generated.to_string().len()
}

#[cfg(test)]
mod tests {
    use auth_core::{Reason, SecurityPolicy};

    use super::*;

    fn response(headers: &[(&str, &str)], body: String) -> Response {
        let mut list = ResponseHeaders::default();
        for (name, value) in headers {
            list.append(*name, *value);
        }
        Response {
            status: if body.is_empty() { 307 } else { 200 },
            headers: list,
            body,
            security_policy: SecurityPolicy::Configured,
            reason: Reason::SignedIn,
        }
    }

    #[test]
    fn headers_that_cloudfront_refuses_are_left_out_and_others_keep_their_order() {
        let headers = [
            ("location", "/"),
            ("Via", "x"),
            ("set-cookie", "a"),
            ("set-cookie", "b"),
            ("X-Cache", "y"),
        ];
        let fitted = fit(response(&headers, String::new())).unwrap();
        let left: Vec<_> = fitted.headers.iter().collect();
        assert_eq!(left, [("location", "/"), ("set-cookie", "a"), ("set-cookie", "b")]);
    }

    #[test]
    fn the_longest_page_that_fits_is_kept_and_a_longer_one_shortened() {
        let empty = json_length(&response(&[], "x".into())) - 1;
        let longest = "x".repeat(MAX_BYTES - empty);
        assert_eq!(fit(response(&[], longest.clone())).unwrap().body, longest);
        assert_eq!(fit(response(&[], longest + "x")).unwrap().body, SHORT_PAGE);
    }

    #[test]
    fn a_header_that_is_too_long_is_an_error() {
        let long = "x".repeat(MAX_BYTES);
        assert_eq!(
            fit(response(&[("set-cookie", &long)], String::new())).unwrap_err(),
            TooLarge
        );
    }
}
