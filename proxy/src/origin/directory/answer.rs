//! The response for a file: status, header, and the part of the file that goes with it (RFC 9110, sections 13 and 14).

use std::{fs::File, io, path::Path, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};

use super::FileBody;
use crate::origin::{
    OriginError,
    conditional::{Precondition, Validators},
    media_type,
    range::{self, Requested},
};

/// A complete answer, its body still on disk.
#[derive(Debug)]
pub struct FileAnswer {
    /// 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// Content-Type, Content-Length, validators, Content-Range.
    pub headers: HeaderMap,
    body: Option<FileBody>,
}

impl FileAnswer {
    pub(crate) fn new(file: File, path: &Path, method: &Method, viewer: &HeaderMap) -> Result<Self, OriginError> {
        let unreadable = |error: io::Error| OriginError::Unreadable(error.kind());
        let metadata = file.metadata().map_err(unreadable)?;
        let length = metadata.len();
        let validators = validators(length, metadata.modified().ok());
        let mut answer = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: None,
        };
        answer.describe(&validators)?;
        match validators.evaluate(viewer) {
            Precondition::Proceed => {}
            Precondition::NotModified => return Ok(answer.with_status(StatusCode::NOT_MODIFIED)),
            Precondition::Failed => return answer.with_status(StatusCode::PRECONDITION_FAILED).empty(),
        }
        let requested = if *method == Method::GET && validators.range_applies(viewer) {
            range::requested(viewer, length)
        } else {
            Requested::Whole
        };
        let (first, part) = match requested {
            Requested::Whole => (0, length),
            Requested::Part { first, last } => {
                answer.status = StatusCode::PARTIAL_CONTENT;
                answer.insert(CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))?;
                (first, last - first + 1)
            }
            Requested::Unsatisfiable => {
                answer.insert(CONTENT_RANGE, format!("bytes */{length}"))?;
                return answer.with_status(StatusCode::RANGE_NOT_SATISFIABLE).empty();
            }
        };
        answer.insert(CONTENT_TYPE, media_type::of(path))?;
        answer.insert(CONTENT_LENGTH, part.to_string())?;
        if *method == Method::GET {
            answer.body = Some(FileBody::new(file, first, part).map_err(unreadable)?);
        }
        Ok(answer)
    }

    /// The next bytes of the body, at most 64 KiB; `None` after the last, and at once where there is no body.
    ///
    /// # Errors
    /// When the file cannot be read on: the connection then has to be cut.
    pub async fn next_chunk(&mut self) -> io::Result<Option<Bytes>> {
        match &mut self.body {
            Some(body) => body.next_chunk().await,
            None => Ok(None),
        }
    }

    fn describe(&mut self, validators: &Validators) -> Result<(), OriginError> {
        self.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(etag) = &validators.etag {
            self.insert(ETAG, etag.clone())?;
        }
        if let Some(modified) = validators.modified {
            self.insert(LAST_MODIFIED, httpdate::fmt_http_date(modified))?;
        }
        Ok(())
    }

    fn insert(&mut self, name: HeaderName, value: String) -> Result<(), OriginError> {
        self.headers
            .insert(name, HeaderValue::try_from(value).map_err(|_| OriginError::Malformed)?);
        Ok(())
    }

    fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn empty(mut self) -> Result<Self, OriginError> {
        self.insert(CONTENT_LENGTH, "0".to_owned())?;
        Ok(self)
    }
}

/// Length and time of change to the nanosecond: equal tags mean equal bytes, unless a file is rewritten in
/// place at the same length with its time set back.
fn validators(length: u64, modified: Option<SystemTime>) -> Validators {
    // A time before the epoch, or beyond what HTTP can write, is left out.
    let since_epoch = modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
    let since_epoch = since_epoch.filter(|since| since.as_secs() < 253_402_300_800);
    Validators {
        etag: since_epoch.map(|since| format!("\"{:x}-{length:x}\"", since.as_nanos())),
        modified: since_epoch.map(|since| SystemTime::UNIX_EPOCH + since),
    }
}
