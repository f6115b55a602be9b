//! The sample content of a new bucket, and the emptying of the bucket before CloudFormation deletes it.
//!
//! A bucket that holds somebody's own content is left alone by every creation and update; it is emptied
//! only when the whole stack goes, because a bucket with content cannot be deleted.

mod bucket;
mod files;

use self::{
    bucket::{Bucket, Contents},
    files::File,
};
use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
};

/// The stack's statuses in which its bucket is about to go.
const GOING: [&str; 2] = ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Upload,
    LeaveAlone,
    Empty,
}

/// What is to be done with the bucket.
fn plan(request: RequestType, contents: Contents, stack_status: &str) -> Plan {
    match (request, contents) {
        (_, Contents::NoBucket) => Plan::LeaveAlone,
        (RequestType::Delete, _) if GOING.contains(&stack_status) => Plan::Empty,
        // Another sample site, or none, from now on: what it needs is there already.
        (RequestType::Delete, _) => Plan::LeaveAlone,
        (RequestType::Create | RequestType::Update, Contents::Empty | Contents::SampleSite) => Plan::Upload,
        (RequestType::Create | RequestType::Update, Contents::OfOthers) => Plan::LeaveAlone,
    }
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let name = event.properties.text("BucketName")?;
    let same = event.old_properties.optional_text("BucketName") == Some(name);
    let done = Done::new(event.keep_or(same, || format!("{name}/sample-site")));
    let bucket = Bucket::new(services.s3(), name);
    let status = match event.request {
        RequestType::Delete => stack_status(services, &event.stack_id).await?,
        RequestType::Create | RequestType::Update => String::new(),
    };
    match plan(event.request, bucket.contents().await?, &status) {
        Plan::Upload => {
            let settings = event.properties.object("Settings")?.unwrap_or_default();
            for file in files::all(&settings.to_json())? {
                bucket.put(&file).await?;
            }
        }
        Plan::Empty => bucket.empty().await?,
        Plan::LeaveAlone => {}
    }
    Ok(done)
}

async fn stack_status(services: &Services, stack_id: &str) -> Result<String, Problem> {
    let cloudformation = services.cloudformation(None);
    let found = cloudformation.describe_stacks().stack_name(stack_id).send().await;
    let found = found.map_err(|error| Problem::sdk("DescribeStacks", error))?;
    let status = found.stacks().first().and_then(|stack| stack.stack_status());
    Ok(status.map(|status| status.as_str().to_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gets_the_sample_site_unless_it_has_content_of_its_own() {
        for request in [RequestType::Create, RequestType::Update] {
            assert_eq!(plan(request, Contents::Empty, ""), Plan::Upload);
            assert_eq!(plan(request, Contents::SampleSite, ""), Plan::Upload);
            assert_eq!(plan(request, Contents::OfOthers, ""), Plan::LeaveAlone);
        }
    }

    #[test]
    fn the_bucket_is_emptied_only_when_the_stack_goes() {
        for status in ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"] {
            assert_eq!(plan(RequestType::Delete, Contents::OfOthers, status), Plan::Empty);
            assert_eq!(plan(RequestType::Delete, Contents::NoBucket, status), Plan::LeaveAlone);
        }
        for status in ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", ""] {
            assert_eq!(
                plan(RequestType::Delete, Contents::SampleSite, status),
                Plan::LeaveAlone,
                "{status}"
            );
        }
    }
}
