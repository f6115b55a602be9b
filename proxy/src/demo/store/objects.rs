//! The operations of the store: those of s3s-fs that a website and its upload need, with preconditions.
//!
//! Everything else (listing, access lists, versions) answers 501.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use http::{Extensions, HeaderMap, HeaderValue, header};
use s3s::{
    S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput,
        GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput,
        PutObjectOutput, Timestamp,
    },
};
use s3s_fs::FileSystem;

use super::listener::Conditions;
use crate::origin::conditional::{Precondition, Validators};

/// The objects of a folder.
#[derive(Debug)]
pub(super) struct Objects {
    files: FileSystem,
    root: PathBuf,
}

impl Objects {
    pub(super) fn new(files: FileSystem, root: &Path) -> Self {
        Self {
            files,
            root: root.to_owned(),
        }
    }

    /// s3s-fs takes a folder for an object and then fails to read it. Keys with empty segments, which a file
    /// system cannot tell from those without, do not exist here.
    fn expect_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        let ordinary = key.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        if ordinary && self.root.join(bucket).join(key).is_file() {
            return Ok(());
        }
        let bucket_exists = self.root.join(bucket).is_dir();
        Err(S3Error::new(if bucket_exists {
            S3ErrorCode::NoSuchKey
        } else {
            S3ErrorCode::NoSuchBucket
        }))
    }

    /// The object's header, unless the request's preconditions make an end of it.
    async fn head(&self, bucket: &str, key: &str, conditions: &HeaderMap) -> S3Result<HeadObjectOutput> {
        self.expect_object(bucket, key)?;
        let input = HeadObjectInput {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            ..HeadObjectInput::default()
        };
        let head = self.files.head_object(within(input)).await?.output;
        match validators(&head).evaluate(conditions) {
            Precondition::Proceed => Ok(head),
            Precondition::NotModified => Err(not_modified(&head)),
            Precondition::Failed => Err(S3Error::new(S3ErrorCode::PreconditionFailed)),
        }
    }
}

#[async_trait]
impl S3 for Objects {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        self.files.create_bucket(request).await
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.files.put_object(request).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let conditions = conditions(&request.extensions);
        let mut head = self
            .head(&request.input.bucket, &request.input.key, &conditions)
            .await?;
        head.accept_ranges = Some("bytes".to_owned());
        Ok(S3Response::new(head))
    }

    async fn get_object(&self, mut request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let conditions = conditions(&request.extensions);
        let head = self
            .head(&request.input.bucket, &request.input.key, &conditions)
            .await?;
        if !validators(&head).range_applies(&conditions) {
            request.input.range = None;
        }
        let mut response = self.files.get_object(request).await?;
        response.output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }
}

fn within<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::HEAD,
        uri: http::Uri::default(),
        headers: HeaderMap::new(),
        extensions: Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

fn conditions(extensions: &Extensions) -> HeaderMap {
    extensions.get::<Conditions>().cloned().unwrap_or_default().0
}

fn validators(head: &HeadObjectOutput) -> Validators {
    Validators {
        etag: head.e_tag.as_ref().map(|etag| match etag {
            ETag::Strong(tag) => format!("\"{tag}\""),
            ETag::Weak(tag) => format!("W/\"{tag}\""),
        }),
        modified: head
            .last_modified
            .clone()
            .map(|modified| time::OffsetDateTime::from(modified).into()),
    }
}

fn not_modified(head: &HeadObjectOutput) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Some(etag) = head.e_tag.as_ref().and_then(|etag| etag.to_http_header().ok()) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(modified) = head.last_modified.as_ref().and_then(http_date) {
        headers.insert(header::LAST_MODIFIED, modified);
    }
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(headers);
    error
}

fn http_date(moment: &Timestamp) -> Option<HeaderValue> {
    let moment = time::OffsetDateTime::from(moment.clone());
    HeaderValue::try_from(httpdate::fmt_http_date(moment.into())).ok()
}
