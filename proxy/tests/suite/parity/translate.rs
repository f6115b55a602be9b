//! Between CloudFront's events and HTTP messages.

use serde_json::{Map, Value, json};

use super::{
    super::support::http::{Request, Response},
    CONTROL_TARGET, CONTROL_VALUE, FRAGMENT, NO_SLASH, UNICODE_QUERY,
    vector::Vector,
};

/// Why the vector's event cannot come as an HTTP/1.1 request; `None`: it can.
pub(super) fn inexpressible(vector: &Vector) -> Option<&'static str> {
    let request = &vector.cf()["request"];
    let has_control = |text: &str| text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
    let uri = request["uri"].as_str().unwrap_or_default();
    let query = request["querystring"].as_str().unwrap_or_default();
    if is_bound_to_uri(vector) && !uri.starts_with('/') {
        return Some(NO_SLASH);
    }
    if is_bound_to_uri(vector) && (has_control(uri) || uri.contains(' ')) || has_control(query) || query.contains(' ') {
        return Some(CONTROL_TARGET);
    }
    if query.contains('#') {
        return Some(FRAGMENT);
    }
    if !query.is_ascii() {
        return Some(UNICODE_QUERY);
    }
    let fields = |name: &str| request["headers"][name].as_array().cloned().unwrap_or_default();
    let values = ["host", "cookie"].map(fields).concat();
    if values
        .iter()
        .any(|field| has_control(field["value"].as_str().unwrap_or_default()))
    {
        return Some(CONTROL_VALUE);
    }
    None
}

/// Whether the answer depends on the path; the other functions have one path alone.
fn is_bound_to_uri(vector: &Vector) -> bool {
    matches!(vector.handler.as_str(), "check-auth" | "rewrite-trailing-slash")
}

/// The request of an event. `paths`: the configured paths of the endpoints.
pub(super) fn request(vector: &Vector, config: &Value) -> Request {
    let event = &vector.cf()["request"];
    let own_path = match vector.handler.as_str() {
        "parse-auth" => Some("redirectPathSignIn"),
        "refresh-auth" => Some("redirectPathAuthRefresh"),
        "sign-out" => Some("signOutUrl"),
        _ => None,
    };
    let path = match own_path {
        // A configured path may carry a query; what stands before it is the path.
        Some(key) => config[key]
            .as_str()
            .unwrap_or("/")
            .split('?')
            .next()
            .unwrap_or_default(),
        None => event["uri"].as_str().unwrap(),
    };
    let query = event["querystring"].as_str().unwrap_or_default();
    let target = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let mut request = Request::new(event["method"].as_str().unwrap_or("GET"), &target);
    for (name, fields) in event["headers"].as_object().into_iter().flatten() {
        for field in fields.as_array().into_iter().flatten().filter(|_| name != "host") {
            let key = field["key"].as_str().unwrap_or(name);
            request = request.header(key, field["value"].as_str().unwrap_or_default());
        }
    }
    match event["body"]["data"].as_str() {
        Some(data) => request.body(data),
        None => request,
    }
}

/// The Host header of an event.
pub(super) fn host(vector: &Vector) -> Option<String> {
    let host = vector.cf()["request"]["headers"]["host"][0]["value"].as_str();
    host.map(ToOwned::to_owned)
}

/// A response in the form of a function's result, without what HTTP needs for itself.
pub(super) fn result(response: &Response, expected: &Value) -> Value {
    let mut headers = Map::new();
    for (name, value) in &response.headers {
        let lower = name.to_lowercase();
        let is_framing = matches!(lower.as_str(), "content-length" | "connection" | "transfer-encoding");
        // The date is that of the proxy's answer.
        if lower == "date" || is_framing && expected["headers"].get(&lower).is_none() {
            continue;
        }
        let list = headers.entry(lower).or_insert_with(|| json!([]));
        list.as_array_mut()
            .unwrap()
            .push(json!({ "key": name, "value": value }));
    }
    let mut result = json!({ "status": response.status.to_string(), "headers": headers });
    if response.status == 307 {
        result["statusDescription"] = json!("Temporary Redirect");
        assert!(response.body.is_empty());
    } else {
        result["body"] = json!(response.text());
    }
    result
}

/// An expected result as HTTP shows it: what cannot stand in a header is percent-encoded, except for cookies, which
/// keep their Unicode; white space around a value is not part of it; header names that are none are not sent.
pub(super) fn as_http(expected: &mut Value) {
    let Some(headers) = expected["headers"].as_object_mut() else {
        return;
    };
    headers.retain(|name, _| {
        name != "date"
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    });
    for (name, fields) in headers {
        for field in fields.as_array_mut().into_iter().flatten() {
            let Some(value) = field["value"].as_str() else { continue };
            let encoded = encode(value, name == "set-cookie");
            field["value"] = Value::from(encoded.trim());
        }
    }
}

fn encode(text: &str, keep_unicode: bool) -> String {
    let mut encoded = String::new();
    for letter in text.chars() {
        if matches!(letter, ' '..='~') || keep_unicode && !letter.is_ascii() {
            encoded.push(letter);
            continue;
        }
        for byte in letter.to_string().bytes() {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
