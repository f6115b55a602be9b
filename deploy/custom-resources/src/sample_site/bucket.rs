//! Calls about the bucket.

use aws_sdk_s3::{
    Client,
    types::{Delete, ObjectIdentifier},
};

use super::File;
use crate::problem::Problem;

/// Marks an object of the sample site.
const MARK: (&str, &str) = ("portcullis", "sample-site");
/// The page that every site has.
const INDEX: &str = "index.html";
const NO_BUCKET: [&str; 1] = ["NoSuchBucket"];
const NO_OBJECT: [&str; 2] = ["NotFound", "NoSuchKey"];

/// What a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    NoBucket,
    Empty,
    /// An index page of ours.
    SampleSite,
    /// Anything else.
    OfOthers,
}

pub(super) struct Bucket<'b> {
    s3: Client,
    name: &'b str,
}

impl<'b> Bucket<'b> {
    pub(super) const fn new(s3: Client, name: &'b str) -> Self {
        Self { s3, name }
    }

    pub(super) async fn contents(&self) -> Result<Contents, Problem> {
        let found = self.s3.list_objects_v2().bucket(self.name).max_keys(1).send().await;
        let found = match found.map_err(|error| Problem::sdk("ListObjectsV2", error)) {
            Err(problem) if problem.is_refusal(&NO_BUCKET) => return Ok(Contents::NoBucket),
            found => found?,
        };
        if found.contents().is_empty() {
            return Ok(Contents::Empty);
        }
        let index = self.s3.head_object().bucket(self.name).key(INDEX).send().await;
        let marked = match index.map_err(|error| Problem::sdk("HeadObject", error)) {
            Ok(index) => index
                .metadata()
                .and_then(|all| all.get(MARK.0))
                .is_some_and(|mark| mark == MARK.1),
            Err(problem) if problem.is_refusal(&NO_OBJECT) => false,
            Err(problem) => return Err(problem),
        };
        Ok(if marked {
            Contents::SampleSite
        } else {
            Contents::OfOthers
        })
    }

    pub(super) async fn put(&self, file: &File) -> Result<(), Problem> {
        let call = self
            .s3
            .put_object()
            .bucket(self.name)
            .key(&file.key)
            .content_type(file.content_type())
            // Whoever replaces the sample sees the new site at once.
            .cache_control("no-cache")
            .metadata(MARK.0, MARK.1)
            .body(file.bytes.clone().into());
        let put = call.send().await;
        put.map(drop).map_err(|error| Problem::sdk("PutObject", error))
    }

    /// Deletes every version of every object.
    pub(super) async fn empty(&self) -> Result<(), Problem> {
        loop {
            // From the start each time: what was listed before is gone.
            let found = self.s3.list_object_versions().bucket(self.name).send().await;
            let found = found.map_err(|error| Problem::sdk("ListObjectVersions", error))?;
            let versions = found
                .versions()
                .iter()
                .map(|version| (version.key(), version.version_id()));
            let markers = found
                .delete_markers()
                .iter()
                .map(|marker| (marker.key(), marker.version_id()));
            let objects: Vec<_> = versions.chain(markers).filter_map(identifier).collect();
            if objects.is_empty() {
                return Ok(());
            }
            self.delete(objects).await?;
        }
    }

    async fn delete(&self, objects: Vec<ObjectIdentifier>) -> Result<(), Problem> {
        const CALL: &str = "DeleteObjects";
        let list = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let list = list.map_err(|error| Problem::State(error.to_string()))?;
        let deleted = self.s3.delete_objects().bucket(self.name).delete(list).send().await;
        let deleted = deleted.map_err(|error| Problem::sdk(CALL, error))?;
        match deleted.errors().first() {
            None => Ok(()),
            Some(error) => Err(Problem::Refused {
                call: CALL,
                code: error.code().unwrap_or_default().to_owned(),
                message: error.message().unwrap_or_default().to_owned(),
            }),
        }
    }
}

fn identifier((key, version): (Option<&str>, Option<&str>)) -> Option<ObjectIdentifier> {
    let version = version.map(str::to_owned);
    ObjectIdentifier::builder()
        .key(key?)
        .set_version_id(version)
        .build()
        .ok()
}
