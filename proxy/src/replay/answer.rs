//! An answer as both sides can be compared by it.

use serde_json::{Value, json};

use crate::{header_value, mask};

/// What a viewer would get, and what the origin and the provider were asked on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case, sorted by name; values of one name in their order.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// The target that the origin was asked for.
    pub(super) origin: Option<String>,
    /// The form bodies of token requests.
    pub(super) calls: Vec<String>,
}

/// Headers about the transport, and CloudFront's own.
const TRANSPORT: [&str; 6] = [
    "content-length",
    "connection",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
];

impl Answer {
    pub(super) fn new(status: u16, headers: impl Iterator<Item = (String, String)>, body: String) -> Self {
        let mut headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .filter(|(name, _)| !TRANSPORT.contains(&name.as_str()))
            .collect();
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        Self {
            status,
            headers,
            body,
            origin: None,
            calls: Vec::new(),
        }
    }

    /// A function's result, as HTTP shows it.
    pub(super) fn of_result(result: &Value, body: String) -> Self {
        let mut headers = Vec::new();
        for (name, fields) in result["headers"].as_object().into_iter().flatten() {
            for field in fields.as_array().into_iter().flatten() {
                let value = field["value"].as_str().unwrap_or_default();
                let encoded = if name == "set-cookie" {
                    header_value::encode_cookie(value)
                } else {
                    header_value::encode(value)
                };
                let value = String::from_utf8_lossy(encoded.as_bytes()).trim().to_owned();
                headers.push((name.clone(), value));
            }
        }
        let status = match &result["status"] {
            Value::String(status) => status.parse().unwrap_or(0),
            status => status
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .unwrap_or(0),
        };
        Self::new(status, headers.into_iter(), body)
    }

    /// With every text changed.
    pub(super) fn map(mut self, change: impl Fn(&str) -> String) -> Self {
        for (_, value) in &mut self.headers {
            *value = change(value);
        }
        self.body = change(&self.body);
        self
    }

    /// Random parts replaced by what they are; all else as it is.
    pub(super) fn normal(&self) -> Self {
        let mut normal = self.clone();
        let is_start = self
            .headers
            .iter()
            .any(|(name, value)| name == "location" && is_start(value));
        for (name, value) in normal.headers.iter_mut().filter(|_| is_start) {
            match name.as_str() {
                "location" => *value = placeholders(value),
                "set-cookie" => *value = without_random(value),
                _ => {}
            }
        }
        normal
    }

    /// For people and programs, without secrets.
    pub(super) fn shown(&self) -> Value {
        let headers: Vec<Value> = self
            .headers
            .iter()
            .map(|(name, value)| json!([name, show(name, value)]))
            .collect();
        let calls: Vec<String> = self.calls.iter().map(|call| mask::parameters(call)).collect();
        json!({
            "status": self.status,
            "headers": headers,
            "body": page(&self.body),
            "origin_asked_for": self.origin.as_deref().map(mask::url),
            "token_requests": calls,
        })
    }
}

/// A header's value without secrets.
pub(super) fn show(name: &str, value: &str) -> String {
    match name {
        "location" => mask::url(value),
        "set-cookie" => mask::set_cookie(value),
        _ => value.to_owned(),
    }
}

/// What a page is, instead of all its text.
pub(super) fn page(body: &str) -> String {
    let attribute = |name: &str| {
        let rest = body.split_once(&format!("{name}=\""))?.1;
        rest.split('"').next().map(ToOwned::to_owned)
    };
    match (body, attribute("data-page")) {
        ("", _) => String::new(),
        (_, Some(kind)) => format!("page {kind} {}", attribute("data-reason").unwrap_or_default()),
        (text, None) => format!("{} bytes", text.len()),
    }
}

/// Whether a redirect begins a sign-in or a refresh, which is where random parts are.
fn is_start(location: &str) -> bool {
    location.contains("/oauth2/authorize?") || location.contains("?requestedUri=")
}

fn placeholders(location: &str) -> String {
    let Some((start, query)) = location.split_once('?') else {
        return location.to_owned();
    };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name @ ("nonce" | "code_challenge"), value)) => format!("{name}={}", mask::secret(value)),
        // The nonce in it is random, the requested address is not, and both have their length.
        Some(("state", value)) => format!("state={}", mask::secret(value)),
        _ => part.to_owned(),
    });
    format!("{start}?{}", parts.collect::<Vec<_>>().join("&"))
}

fn without_random(cookie: &str) -> String {
    const RANDOM: [&str; 3] = [
        "spa-auth-edge-nonce=",
        "spa-auth-edge-nonce-hmac=",
        "spa-auth-edge-pkce=",
    ];
    let Some(name) = RANDOM.iter().find(|name| cookie.starts_with(**name)) else {
        return cookie.to_owned();
    };
    let attributes = cookie.find(';').and_then(|at| cookie.get(at..)).unwrap_or_default();
    format!("{name}(random){attributes}")
}
