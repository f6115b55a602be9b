//! Answers from an entry: whole, in part, or with a 304 (RFC 9110, sections 13 and 14).

use std::{ops::Range, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{AGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};
use pingora::{Result, http::ResponseHeader, protocols::http::conditional_filter::to_304};

use super::Entry;
use crate::origin::{
    conditional::{Precondition, Validators},
    range::{self, Requested},
};

const CONDITIONS: [HeaderName; 4] = [
    http::header::IF_MATCH,
    http::header::IF_UNMODIFIED_SINCE,
    http::header::IF_NONE_MATCH,
    http::header::IF_MODIFIED_SINCE,
];

/// Which bytes of a body are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All.
    Whole,
    /// These.
    Bytes(Range<usize>),
    /// None: the part is not there.
    Unsatisfiable,
}

/// The response to a request that an entry answers. The body is empty where there is none to send.
pub(crate) fn hit(
    entry: &Entry,
    method: &Method,
    request: &HeaderMap,
    now: SystemTime,
) -> Result<(ResponseHeader, Bytes)> {
    let mut header = entry.head.header.clone();
    header.insert_header(AGE, entry.age(now))?;
    match evaluate(request, &header) {
        Precondition::Proceed => {}
        Precondition::NotModified => {
            to_304(&mut header);
            return Ok((header, Bytes::new()));
        }
        Precondition::Failed => {
            header.set_status(StatusCode::PRECONDITION_FAILED)?;
            header.remove_header(&CONTENT_TYPE);
            header.insert_header(CONTENT_LENGTH, 0)?;
            return Ok((header, Bytes::new()));
        }
    }
    if *method == Method::HEAD {
        return Ok((header, Bytes::new()));
    }
    let body = match apply_range(request, &mut header, entry.body.len())? {
        Part::Whole => entry.body.clone(),
        Part::Bytes(range) => entry.body.slice(range),
        Part::Unsatisfiable => Bytes::new(),
    };
    Ok((header, body))
}

/// Whether what a viewer has is current.
pub(crate) fn is_not_modified(request: &HeaderMap, response: &ResponseHeader) -> bool {
    evaluate(request, response) == Precondition::NotModified
}

fn evaluate(request: &HeaderMap, response: &ResponseHeader) -> Precondition {
    let is_conditional = CONDITIONS.iter().any(|name| request.contains_key(name));
    if !is_conditional || response.status != StatusCode::OK {
        return Precondition::Proceed;
    }
    validators(&response.headers).evaluate(request)
}

/// Turns the header of a whole response into that of the part that is asked for.
pub(crate) fn apply_range(request: &HeaderMap, header: &mut ResponseHeader, length: usize) -> Result<Part> {
    let asks = request.contains_key(http::header::RANGE);
    if !asks || header.status != StatusCode::OK || !validators(&header.headers).range_applies(request) {
        return Ok(Part::Whole);
    }
    match range::requested(request, length as u64) {
        Requested::Whole => Ok(Part::Whole),
        Requested::Part { first, last } => {
            header.set_status(StatusCode::PARTIAL_CONTENT)?;
            header.insert_header(CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))?;
            header.insert_header(CONTENT_LENGTH, last - first + 1)?;
            let position = |at: u64| usize::try_from(at).unwrap_or(length);
            Ok(Part::Bytes(position(first)..position(last + 1)))
        }
        Requested::Unsatisfiable => {
            header.set_status(StatusCode::RANGE_NOT_SATISFIABLE)?;
            header.insert_header(CONTENT_RANGE, format!("bytes */{length}"))?;
            header.insert_header(CONTENT_LENGTH, 0)?;
            header.remove_header(&CONTENT_TYPE);
            Ok(Part::Unsatisfiable)
        }
    }
}

fn validators(response: &HeaderMap) -> Validators {
    let text = |name| response.get(name).and_then(|value| value.to_str().ok());
    Validators {
        etag: text(ETAG).map(ToOwned::to_owned),
        modified: text(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok()),
    }
}
