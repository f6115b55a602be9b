//! Generated responses in the form that CloudFront takes.

use auth_core::{ConfiguredHeaders, Response};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    event::EventError,
    forbidden::{Place, is_forbidden},
    raw_object::RawObject,
};

/// The most CloudFront takes from a viewer-triggered function, headers and body together. Measured on
/// the JSON text, which is never shorter than what it stands for.
pub const MAX_GENERATED_BYTES: usize = 40 * 1024;

/// Header fields by their lower-case name, in the order in which the names first occur.
struct HeaderMap<'a>(Vec<(String, Vec<Field<'a>>)>);

#[derive(Serialize)]
struct Field<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> HeaderMap<'a> {
    fn new(headers: impl Iterator<Item = (&'a str, &'a str)>, place: Place) -> Self {
        let mut map: Vec<(String, Vec<Field<'a>>)> = Vec::new();
        for (key, value) in headers {
            let name = key.to_ascii_lowercase();
            if is_forbidden(&name, place) {
                continue;
            }
            let field = Field { key, value };
            match map.iter_mut().find(|(known, _)| *known == name) {
                Some((_, fields)) => fields.push(field),
                None => map.push((name, vec![field])),
            }
        }
        Self(map)
    }
}

impl Serialize for HeaderMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, fields)| (name, fields)))
    }
}

/// A response that the function gives in the origin's place.
struct Generated<'a> {
    status: u16,
    headers: HeaderMap<'a>,
    body: &'a str,
}

impl Serialize for Generated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", &self.status.to_string())?;
        if let Some(description) = status_description(self.status) {
            map.serialize_entry("statusDescription", description)?;
        }
        map.serialize_entry("headers", &self.headers)?;
        if !self.body.is_empty() {
            map.serialize_entry("body", self.body)?;
        }
        map.end()
    }
}

/// The reason phrase (RFC 9110, section 15). Pages with status 200 carry none.
const fn status_description(status: u16) -> Option<&'static str> {
    Some(match status {
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    })
}

/// What the page becomes when it is too long to be shown: this, with the same status and headers.
const SHORT_PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in issue</title>\
    <p>Something went wrong, and the explanation is too long to be shown. <a href=\"/\">Try again</a></p></html>";

/// The JSON of a generated response.
pub(crate) fn generated(response: &Response) -> Result<Box<RawValue>, EventError> {
    let whole = to_json(response, &response.body)?;
    if whole.get().len() <= MAX_GENERATED_BYTES || response.body.is_empty() {
        return within_limit(whole);
    }
    within_limit(to_json(response, SHORT_PAGE)?)
}

fn to_json(response: &Response, body: &str) -> Result<Box<RawValue>, EventError> {
    Ok(to_raw_value(&Generated {
        status: response.status,
        headers: HeaderMap::new(response.headers.iter(), Place::Generated),
        body,
    })?)
}

fn within_limit(json: Box<RawValue>) -> Result<Box<RawValue>, EventError> {
    match json.get().len() {
        bytes if bytes > MAX_GENERATED_BYTES => Err(EventError::TooLarge { bytes }),
        _ => Ok(json),
    }
}

/// The answer to a Host that no configured site has (RFC 9110, section 15.5.20).
pub(crate) fn misdirected() -> Result<Box<RawValue>, EventError> {
    let headers = [
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("Cache-Control", "no-store"),
    ];
    Ok(to_raw_value(&Generated {
        status: 421,
        headers: HeaderMap::new(headers.into_iter(), Place::Generated),
        body: "This address is not served here.\n",
    })?)
}

/// Puts each configured header in place of whatever the origin's response had under its name.
pub(crate) fn merge_headers(
    mut response: RawObject<'_>,
    configured: &ConfiguredHeaders,
) -> Result<Box<RawValue>, EventError> {
    let json = {
        let mut headers = match response.get("headers") {
            Some(raw) if raw.get() != "null" => serde_json::from_str(raw.get())?,
            Some(_) | None => RawObject::empty(),
        };
        for (name, fields) in HeaderMap::new(configured.iter(), Place::OriginResponse).0 {
            headers.set(&name, to_raw_value(&fields)?);
        }
        to_raw_value(&headers)?
    };
    response.set("headers", json);
    Ok(to_raw_value(&response)?)
}

#[cfg(test)]
mod tests {
    use auth_core::{Reason, ResponseHeaders, SecurityPolicy};
    use serde_json::{Value, json};

    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: String) -> Response {
        let mut list = ResponseHeaders::default();
        for (name, value) in headers {
            list.append(*name, *value);
        }
        Response {
            status,
            headers: list,
            body,
            security_policy: SecurityPolicy::Configured,
            reason: Reason::SignedIn,
        }
    }

    fn value(raw: &RawValue) -> Value {
        serde_json::from_str(raw.get()).unwrap()
    }

    #[test]
    fn a_redirect_has_a_description_and_no_body() {
        let json = generated(&response(
            307,
            &[("location", "https://a/\u{e9}?\"\r\n")],
            String::new(),
        ))
        .unwrap();
        assert_eq!(
            value(&json),
            json!({"status": "307", "statusDescription": "Temporary Redirect",
                "headers": {"location": [{"key": "location", "value": "https://a/é?\"\r\n"}]}})
        );
    }

    #[test]
    fn a_page_has_a_body_and_no_description() {
        let json = generated(&response(200, &[], "<html>".to_owned())).unwrap();
        assert_eq!(value(&json), json!({"status": "200", "headers": {}, "body": "<html>"}));
    }

    #[test]
    fn fields_of_one_name_are_listed_in_order_under_its_lower_case_form() {
        let headers = [("Set-Cookie", "a=1"), ("X-A", "1"), ("set-cookie", "b=2")];
        let json = generated(&response(307, &headers, String::new())).unwrap();
        assert_eq!(
            value(&json)["headers"],
            json!({"set-cookie": [{"key": "Set-Cookie", "value": "a=1"}, {"key": "set-cookie", "value": "b=2"}],
                "x-a": [{"key": "X-A", "value": "1"}]})
        );
    }

    #[test]
    fn headers_that_cloudfront_refuses_are_left_out() {
        let headers = [("Content-Length", "3"), ("Via", "x"), ("X-Edge-A", "x"), ("X-Ok", "1")];
        let json = generated(&response(200, &headers, "abc".to_owned())).unwrap();
        assert_eq!(
            value(&json)["headers"],
            json!({"x-ok": [{"key": "X-Ok", "value": "1"}]})
        );
    }

    #[test]
    fn a_page_that_is_too_long_is_replaced_by_a_short_one() {
        let json = generated(&response(400, &[("X-A", "1")], "x".repeat(MAX_GENERATED_BYTES))).unwrap();
        assert!(json.get().len() < 1000);
        assert_eq!(value(&json)["status"], "400");
        assert_eq!(value(&json)["headers"], json!({"x-a": [{"key": "X-A", "value": "1"}]}));
    }

    #[test]
    fn headers_that_are_too_long_fail_the_invocation() {
        let long = "x".repeat(MAX_GENERATED_BYTES);
        let error = generated(&response(307, &[("set-cookie", &long)], String::new())).unwrap_err();
        assert!(matches!(error, EventError::TooLarge { bytes } if bytes > MAX_GENERATED_BYTES));
    }

    #[test]
    fn the_largest_response_that_fits_is_given_whole() {
        let empty = generated(&response(200, &[], "x".to_owned())).unwrap().get().len() - 1;
        let body = "x".repeat(MAX_GENERATED_BYTES - empty);
        let json = generated(&response(200, &[], body.clone())).unwrap();
        assert_eq!(json.get().len(), MAX_GENERATED_BYTES);
        assert_eq!(value(&json)["body"], body);
    }

    fn configured(pairs: &[(&str, &str)]) -> ConfiguredHeaders {
        pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn configured_headers_replace_those_of_the_origin_and_all_else_stays() {
        let text = r#"{"status":"200","headers":{"x-a":[{"key":"x-a","value":"o"},{"key":"x-a","value":"p"}],
            "via":[{"key":"Via","value":"1.1 z","extra":1.50}]},"statusDescription":"OK","n":1.0e2}"#;
        let merged = merge_headers(
            serde_json::from_str(text).unwrap(),
            &configured(&[("X-A", "1"), ("Via", "x"), ("X-B", "2")]),
        )
        .unwrap();
        assert_eq!(
            merged.get(),
            r#"{"status":"200","headers":{"x-a":[{"key":"X-A","value":"1"}],"via":[{"key":"Via","value":"1.1 z","extra":1.50}],"x-b":[{"key":"X-B","value":"2"}]},"statusDescription":"OK","n":1.0e2}"#
        );
    }

    #[test]
    fn a_response_without_headers_gets_them() {
        for text in ["{}", r#"{"headers":null}"#] {
            let merged = merge_headers(serde_json::from_str(text).unwrap(), &configured(&[("X-A", "1")])).unwrap();
            assert_eq!(merged.get(), r#"{"headers":{"x-a":[{"key":"X-A","value":"1"}]}}"#);
        }
    }
}
