//! A private S3 bucket, or one of an S3-compatible store.
//!
//! From the AWS SDK come credentials, region and endpoint; the bytes go through Pingora's own upstream
//! connections, signed here. Measured for a small object, in microseconds of processor time a request: streamed
//! by the SDK's GetObject 146, through a URL that the SDK presigned 108, signed by the SDK's signer 78, signed
//! here with the day's key 73. So no part of the SDK stands on a request's path.
//!
//! A viewer's request becomes a new one: method, key, Range and preconditions, nothing else. Its query is
//! dropped, so that no viewer can list a bucket or read an access list with our signature, and so are its
//! cookies and credentials. Of the answer a viewer sees what describes the object; the store's own words
//! (XML, request ids, its name) stay inside.

mod bucket;
mod credentials;
mod response;
mod sdk;
pub(crate) mod sigv4;

use std::time::SystemTime;

use http::{
    HeaderName, HeaderValue, Method, Version,
    header::{AUTHORIZATION, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE},
};
use pingora::http::{RequestHeader, ResponseHeader};
use tokio::runtime::Handle;

use self::{bucket::Bucket, credentials::Credentials, sigv4::Target};
use super::{Admitted, Dispatch, OriginError, OriginRequest, OriginSetupError, peer::Upstream};
use crate::config::{MissingStatus, S3Settings};

/// All that an upstream request takes over from a viewer's headers.
const PASSED_ON: [HeaderName; 6] = [
    RANGE,
    IF_RANGE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A bucket, with credentials kept fresh.
#[derive(Debug)]
pub struct S3Origin {
    bucket: Bucket,
    host: HeaderValue,
    upstream: Upstream,
    credentials: Credentials,
    missing: MissingStatus,
}

impl S3Origin {
    /// Finds endpoint and credentials, and asks the bucket once whether region and credentials are right.
    ///
    /// # Errors
    /// No credentials, no region or the wrong one. A store that does not answer is only logged: it may come up later.
    pub async fn connect(settings: &S3Settings, runtime: &Handle) -> Result<Self, OriginSetupError> {
        let sdk::Found { bucket, credentials } = sdk::find(settings, runtime).await?;
        let host =
            HeaderValue::try_from(bucket.authority()).map_err(|_| bucket.unusable("host is not a header value"))?;
        let upstream = Upstream::connect(
            (bucket.host(), bucket.port()),
            bucket.encryption(),
            settings.timeouts,
            runtime,
        )
        .await?;
        Ok(Self {
            bucket,
            host,
            upstream,
            credentials,
            missing: settings.missing_status,
        })
    }

    pub(crate) fn dispatch(&self, request: &OriginRequest<'_>, now: SystemTime) -> Result<Dispatch, OriginError> {
        if !matches!(*request.method, Method::GET | Method::HEAD) {
            return Err(OriginError::MethodNotAllowed);
        }
        let path = self.bucket.object_path(request.path).ok_or(OriginError::NotFound)?;
        Ok(Dispatch::Upstream {
            header: Box::new(self.signed_header(request, &path, now)?),
            peer: self.upstream.peer()?,
        })
    }

    fn signed_header(
        &self,
        request: &OriginRequest<'_>,
        path: &str,
        now: SystemTime,
    ) -> Result<RequestHeader, OriginError> {
        let target = Target {
            method: request.method,
            host: self.bucket.authority(),
            path,
        };
        let signature = self.credentials.sign(self.bucket.region(), target, now)?;
        let mut header = RequestHeader::build_no_case(request.method.clone(), path.as_bytes(), Some(12))
            .map_err(|_| OriginError::Malformed)?;
        header.set_version(Version::HTTP_11);
        let mut insert = |name, value| header.insert_header(name, value).map_err(|_| OriginError::Malformed);
        insert(HOST, self.host.clone())?;
        insert(
            X_AMZ_CONTENT_SHA256,
            HeaderValue::from_static(sigv4::EMPTY_PAYLOAD_SHA256),
        )?;
        insert(X_AMZ_DATE, signature.date)?;
        insert(AUTHORIZATION, signature.authorization)?;
        if let Some(token) = signature.security_token {
            insert(X_AMZ_SECURITY_TOKEN, token)?;
        }
        for name in PASSED_ON {
            for value in request.headers.get_all(&name) {
                let value = if name == IF_NONE_MATCH {
                    strong(value)
                } else {
                    value.clone()
                };
                header
                    .append_header(name.clone(), value)
                    .map_err(|_| OriginError::Malformed)?;
            }
        }
        within_limit(header)
    }

    pub(crate) fn admit_response(&self, response: &mut ResponseHeader) -> Admitted {
        let admitted = response::admit(response.status, self.missing);
        if admitted == Admitted::AsIs {
            response::scrub(response);
        } else {
            response::explain(self.bucket.name(), response);
        }
        admitted
    }
}

/// S3 takes 8 KB of header fields and answers more with a 400 that says nothing to a viewer. Only the viewer's
/// preconditions can be that long.
fn within_limit(header: RequestHeader) -> Result<RequestHeader, OriginError> {
    const LIMIT: usize = 8 * 1024;
    let fields = header.headers.iter();
    // Each with ": " and its line break.
    let size: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > LIMIT {
        return Err(OriginError::HeaderTooLarge);
    }
    Ok(header)
}

/// Tags as the store gave them: it knows no weak ones, which come of compression on the way to the viewer.
fn strong(tags: &HeaderValue) -> HeaderValue {
    let Ok(text) = tags.to_str() else {
        return tags.clone();
    };
    // Within a tag of a store there is neither a quote nor a slash before one.
    HeaderValue::try_from(text.replace("W/\"", "\"")).unwrap_or_else(|_| tags.clone())
}

#[cfg(test)]
mod tests;
