//! CloudFront's events: the parts a decision depends on, everything else kept as text.
//!
//! The shapes are those of "Lambda@Edge event structure" in CloudFront's developer guide.

use std::{borrow::Cow, cell::OnceCell, collections::HashMap, fmt};

use auth_core::{Request, RequestHeaders, Scheme};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::raw_object::RawObject;

/// Why an event cannot be answered. The invocation fails; CloudFront shows its own error page.
#[derive(Debug)]
pub enum EventError {
    /// It is not JSON, or not a CloudFront event.
    Malformed(serde_json::Error),
    /// It has no record.
    NoRecord,
    /// It lacks what this function works on: `request` or `response`.
    Lacks(&'static str),
    /// The request has no Host header; without it no address of ours can be named.
    NoHost,
    /// The generated response would be longer than CloudFront takes.
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The position alone: serde_json may quote what it found, and that may be a cookie.
            Self::Malformed(error) => write!(
                f,
                "event is not a CloudFront event of the expected kind (line {}, column {})",
                error.line(),
                error.column()
            ),
            Self::NoRecord => f.write_str("event has no record"),
            Self::Lacks(part) => write!(f, "event has no {part}"),
            Self::NoHost => f.write_str("request has no host header"),
            Self::TooLarge { bytes } => write!(
                f,
                "generated response of {bytes} bytes is longer than CloudFront takes; shorten cookies or headers"
            ),
        }
    }
}

impl std::error::Error for EventError {}

impl From<serde_json::Error> for EventError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    cf: Event<'a>,
}

/// An event of any type.
#[derive(Deserialize)]
pub(crate) struct Event<'a> {
    #[serde(borrow)]
    config: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

/// The part of `config` that matters here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Distribution<'a> {
    #[serde(borrow)]
    pub(crate) distribution_domain_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) request_id: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// The event's first record; CloudFront never sends another.
    pub(crate) fn parse(text: &'a str) -> Result<Self, EventError> {
        let envelope: Envelope<'a> = serde_json::from_str(text)?;
        let record = envelope.records.into_iter().next().ok_or(EventError::NoRecord)?;
        Ok(record.cf)
    }

    /// Where the event comes from; empty where it does not say so, because no answer depends on it alone.
    pub(crate) fn distribution(&self) -> Distribution<'a> {
        self.config
            .and_then(|config| serde_json::from_str(config.get()).ok())
            .unwrap_or_default()
    }

    /// The request, as it came.
    pub(crate) fn request(&self) -> Result<&'a RawValue, EventError> {
        self.request.ok_or(EventError::Lacks("request"))
    }

    /// The response of an origin-response event.
    pub(crate) fn response(&self) -> Result<RawObject<'a>, EventError> {
        let response = self.response.ok_or(EventError::Lacks("response"))?;
        Ok(serde_json::from_str(response.get())?)
    }
}

/// The parts of a request that a decision depends on.
#[derive(Deserialize)]
pub(crate) struct ViewerRequest<'a> {
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) uri: Cow<'a, str>,
    #[serde(borrow, default)]
    querystring: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Headers<'a>,
    /// The text that all of this was read from.
    #[serde(skip)]
    raw: Option<&'a RawValue>,
    #[serde(skip)]
    all_headers: OnceCell<AllHeaders<'a>>,
}

/// Every header, by its name in lower case, as CloudFront spells them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AllHeaders<'a> {
    #[serde(borrow)]
    headers: HashMap<Cow<'a, str>, Vec<Field<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Headers<'a> {
    #[serde(borrow)]
    host: Vec<Field<'a>>,
    #[serde(borrow)]
    cookie: Vec<Field<'a>>,
}

#[derive(Deserialize)]
struct Field<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
}

impl<'a> ViewerRequest<'a> {
    pub(crate) fn parse(raw: &'a RawValue) -> Result<Self, EventError> {
        let request: Self = serde_json::from_str(raw.get())?;
        Ok(Self {
            raw: Some(raw),
            ..request
        })
    }

    /// The Host header, unchanged.
    pub(crate) fn host(&self) -> Result<&str, EventError> {
        self.headers
            .host
            .first()
            .map(|field| &*field.value)
            .filter(|host| !host.is_empty())
            .ok_or(EventError::NoHost)
    }

    /// The values of the Cookie header.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.cookie.iter().map(|field| &*field.value).collect()
    }

    /// The request as the core takes it. CloudFront's viewers are always sent to https.
    pub(crate) fn to_core<'r>(&'r self, cookies: &'r [&'r str]) -> Result<Request<'r>, EventError> {
        Ok(Request {
            method: &self.method,
            scheme: Scheme::Https,
            host: self.host()?,
            path: &self.uri,
            query: &self.querystring,
            cookies,
            headers: self,
        })
    }
}

impl RequestHeaders for ViewerRequest<'_> {
    fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str> {
        // Few requests are asked for these, so they are read when the first one is.
        let all = self.all_headers.get_or_init(|| {
            let raw = self.raw.map_or("{}", RawValue::get);
            serde_json::from_str(raw).unwrap_or_default()
        });
        let fields = all.headers.get(name).map(Vec::as_slice).unwrap_or_default();
        fields.iter().map(|field| &*field.value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_of(request: &str) -> String {
        format!(r#"{{"Records":[{{"cf":{{"config":{{"requestId":"r"}},"request":{request}}}}}]}}"#)
    }

    fn error_of(text: &str) -> EventError {
        let parsed = Event::parse(text).and_then(|event| {
            let request = ViewerRequest::parse(event.request()?)?;
            request.to_core(&[]).map(drop)
        });
        parsed.unwrap_err()
    }

    #[test]
    fn a_request_is_read_with_its_escapes_resolved() {
        let text = event_of(
            r#"{"method":"GET","uri":"/\u00e9","querystring":"a=b","headers":{
                "host":[{"key":"Host","value":"D.example"}],
                "cookie":[{"key":"Cookie","value":"a=\"1\""},{"value":"b=2"}],"other":[{"key":"X"}]}}"#,
        );
        let event = Event::parse(&text).unwrap();
        let request = ViewerRequest::parse(event.request().unwrap()).unwrap();
        let cookies = request.cookies();
        let core = request.to_core(&cookies).unwrap();
        assert_eq!((core.method, core.path, core.query), ("GET", "/é", "a=b"));
        assert_eq!((core.host, core.scheme), ("D.example", Scheme::Https));
        assert_eq!(core.cookies, ["a=\"1\"", "b=2"]);
        assert_eq!(event.distribution().request_id, "r");
    }

    #[test]
    fn the_raw_request_is_the_very_text_of_the_event() {
        let request = r#"{ "uri" : "/", "headers":{}, "n":1.0e0, "new":[ 1 , 2 ] }"#;
        let text = event_of(request);
        assert_eq!(Event::parse(&text).unwrap().request().unwrap().get(), request);
    }

    #[test]
    fn a_request_without_a_host_is_refused() {
        for headers in [r"{}", r#"{"host":[]}"#, r#"{"host":[{"value":""}]}"#] {
            let text = event_of(&format!(r#"{{"uri":"/","headers":{headers}}}"#));
            assert!(matches!(error_of(&text), EventError::NoHost), "{headers}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"Records":{}}"#,
            r#"{"Records":[{}]}"#,
            r#"{"Records":[{"cf":{"request":[]}}]}"#,
            r#"{"Records":[{"cf":{"request":{"uri":1}}}]}"#,
            r#"{"Records":[{"cf":{"request":{"uri":"/","headers":{"cookie":[{"key":"Cookie"}]}}}}]}"#,
            r#"{"Records":[{"cf":{"request":{"uri":"/","uri":"/x","headers":{}}}}]}"#,
            r#"{"Records":[{"cf":{"request":{"uri":"/\ud800","headers":{}}}}]}"#,
        ] {
            assert!(matches!(error_of(text), EventError::Malformed(_)), "{text}");
        }
        assert!(matches!(error_of(r#"{"Records":[]}"#), EventError::NoRecord));
        assert!(matches!(
            error_of(r#"{"Records":[{"cf":{}}]}"#),
            EventError::Lacks("request")
        ));
    }

    #[test]
    fn an_error_quotes_nothing_of_the_event() {
        let text = event_of(r#"{"uri":"/","headers":{"cookie":"hunter2"}}"#);
        assert!(!error_of(&text).to_string().contains("hunter2"));
    }

    #[test]
    fn an_unreadable_config_does_not_matter() {
        let text = r#"{"Records":[{"cf":{"config":[],"request":{}}}]}"#;
        assert_eq!(Event::parse(text).unwrap().distribution().request_id, "");
    }
}
