//! The recorded request, in any of three forms.

use serde_json::{Value, json};

use super::ReplayError;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    /// All but Host.
    pub(super) headers: Vec<(String, String)>,
}

/// Reads a CloudFront event, a HAR file or entry, or an HTTP request.
///
/// # Errors
/// When it is none of them.
pub(super) fn read(bytes: &[u8]) -> Result<Recorded, ReplayError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReplayError::Request("it is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return http(text).ok_or(ReplayError::Request(
            "neither JSON nor an HTTP request with a Host header",
        ));
    }
    let json: Value = serde_json::from_str(text).map_err(|_| ReplayError::Request("it is not JSON"))?;
    if let Some(request) = json.pointer("/Records/0/cf/request") {
        return event(request).ok_or(ReplayError::Request("the event's request lacks uri or host"));
    }
    let request = json.pointer("/log/entries/0/request").or_else(|| json.get("request"));
    let known = "JSON, but neither a CloudFront event with a request nor a HAR entry with an https URL";
    request.and_then(har).ok_or(ReplayError::Request(known))
}

fn event(request: &Value) -> Option<Recorded> {
    let mut headers = Vec::new();
    for (name, fields) in request["headers"].as_object()? {
        for field in fields.as_array()?.iter().filter(|_| name != "host") {
            headers.push((
                field["key"].as_str().unwrap_or(name).to_owned(),
                field["value"].as_str()?.to_owned(),
            ));
        }
    }
    Some(Recorded {
        method: request["method"].as_str().unwrap_or("GET").to_owned(),
        host: request.pointer("/headers/host/0/value")?.as_str()?.to_owned(),
        path: request["uri"].as_str()?.to_owned(),
        query: request["querystring"].as_str().unwrap_or_default().to_owned(),
        headers,
    })
}

fn har(request: &Value) -> Option<Recorded> {
    let (_, rest) = request["url"].as_str()?.split_once("://")?;
    let rest = rest.split('#').next()?;
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let fields = request["headers"].as_array()?.iter();
    let headers =
        fields.filter_map(|field| Some((field["name"].as_str()?.to_owned(), field["value"].as_str()?.to_owned())));
    let is_own = |name: &str| !name.starts_with(':') && !name.eq_ignore_ascii_case("host");
    Some(recorded(
        request["method"].as_str()?,
        host,
        target,
        headers.filter(|(name, _)| is_own(name)).collect(),
    ))
}

fn http(text: &str) -> Option<Recorded> {
    let mut lines = text.lines();
    let mut line = lines.next()?.split_whitespace();
    let (method, target) = (line.next()?, line.next()?);
    let fields = lines.take_while(|line| !line.trim().is_empty());
    let mut headers: Vec<(String, String)> = Vec::new();
    for field in fields {
        let (name, value) = field.split_once(':')?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let at = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("host"))?;
    let (_, host) = headers.remove(at);
    target
        .starts_with('/')
        .then(|| recorded(method, &host, target, headers))
}

fn recorded(method: &str, host: &str, target: &str, headers: Vec<(String, String)>) -> Recorded {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Recorded {
        method: method.to_owned(),
        host: host.to_owned(),
        path: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
        query: query.to_owned(),
        headers,
    }
}

impl Recorded {
    /// Path and query.
    pub(super) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The request of a CloudFront event.
    pub(super) fn to_event(&self) -> Value {
        let mut headers = json!({ "host": [{ "key": "Host", "value": self.host }] });
        for (name, value) in &self.headers {
            let fields = &mut headers[name.to_ascii_lowercase()];
            if fields.is_null() {
                *fields = json!([]);
            }
            if let Some(fields) = fields.as_array_mut() {
                fields.push(json!({ "key": name, "value": value }));
            }
        }
        json!({
            "clientIp": "127.0.0.1",
            "method": self.method,
            "uri": self.path,
            "querystring": self.query,
            "headers": headers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Recorded {
        recorded(
            "GET",
            "a.example",
            "/x?y=z",
            vec![("Cookie".to_owned(), "a=b".to_owned())],
        )
    }

    #[test]
    fn the_three_forms_say_the_same() {
        let http = "GET /x?y=z HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n\r\nbody";
        let har = r#"{"log":{"entries":[{"request":{"method":"GET","url":"https://a.example/x?y=z#f",
            "headers":[{"name":":method","value":"GET"},{"name":"Host","value":"h"},{"name":"Cookie","value":"a=b"}]}}]}}"#;
        let event = r#"{"Records":[{"cf":{"request":{"method":"GET","uri":"/x","querystring":"y=z","headers":{
            "host":[{"key":"Host","value":"a.example"}],"cookie":[{"key":"Cookie","value":"a=b"}]}}}}]}"#;
        for text in [http, har, event] {
            assert_eq!(read(text.as_bytes()).unwrap(), expected(), "{text}");
        }
        let again = json!({ "Records": [{ "cf": { "request": expected().to_event() } }] });
        assert_eq!(read(again.to_string().as_bytes()).unwrap(), expected());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "GET /",
            "GET / HTTP/1.1\r\n\r\n",
            "{",
            "{}",
            r#"{"Records":[]}"#,
            r#"{"request":{"url":"/x"}}"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
