//! Calls about one stack.

use aws_sdk_cloudformation::{
    Client,
    types::{OnFailure, Stack, StackStatus, Tag},
};
use serde_json::Value;

use crate::{problem::Problem, wait::pause};

/// Marks a stack of ours with the one that it belongs to.
const TAG: &str = "portcullis:main-stack";
/// The reference's stacks are not marked, but they alone have this output.
const OUTPUT_OF_THE_REFERENCE: &str = "DeploymentBucket";
/// What CloudFormation answers to a name that no stack has.
const UNKNOWN: [&str; 1] = ["ValidationError"];
/// At five seconds, about fourteen minutes; the function's own time ends first.
const ATTEMPTS: u32 = 170;

/// A stack that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Existing {
    pub(super) status: String,
    pub(super) template: Value,
    pub(super) outputs: Vec<(String, String)>,
    /// The value of our tag.
    pub(super) main_stack: Option<String>,
}

impl Existing {
    pub(super) fn belongs_to(&self, main_stack: &str) -> bool {
        match &self.main_stack {
            Some(known) => known == main_stack,
            None => self.outputs.iter().any(|(name, _)| name == OUTPUT_OF_THE_REFERENCE),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"].contains(&self.status.as_str())
    }
}

pub(super) struct Stacks<'s> {
    cloudformation: Client,
    name: &'s str,
    main_stack: &'s str,
}

impl<'s> Stacks<'s> {
    pub(super) const fn new(cloudformation: Client, name: &'s str, main_stack: &'s str) -> Self {
        Self {
            cloudformation,
            name,
            main_stack,
        }
    }

    /// The stack, when nothing is under way with it.
    pub(super) async fn find(&self) -> Result<Option<Existing>, Problem> {
        let Some(stack) = self.settled(self.name).await? else {
            return Ok(None);
        };
        let found = self.cloudformation.get_template().stack_name(self.name).send().await;
        let found = found.map_err(|error| Problem::sdk("GetTemplate", error))?;
        Ok(Some(existing(&stack, found.template_body().unwrap_or_default())))
    }

    pub(super) async fn create(&self, template: &Value) -> Result<(), Problem> {
        let call = self
            .cloudformation
            .create_stack()
            .stack_name(self.name)
            .template_body(template.to_string())
            .on_failure(OnFailure::Delete)
            .tags(Tag::builder().key(TAG).value(self.main_stack).build());
        let created = call.send().await.map_err(|error| Problem::sdk("CreateStack", error))?;
        self.completed(created.stack_id().unwrap_or(self.name), &StackStatus::CreateComplete)
            .await
    }

    pub(super) async fn update(&self, template: &Value) -> Result<(), Problem> {
        let call = self
            .cloudformation
            .update_stack()
            .stack_name(self.name)
            .template_body(template.to_string())
            .tags(Tag::builder().key(TAG).value(self.main_stack).build());
        call.send().await.map_err(|error| Problem::sdk("UpdateStack", error))?;
        self.completed(self.name, &StackStatus::UpdateComplete).await
    }

    pub(super) async fn delete(&self) -> Result<(), Problem> {
        let Some(stack) = self.settled(self.name).await? else {
            return Ok(());
        };
        // By its identifier: a deleted stack has no name any more.
        let id = stack.stack_id().unwrap_or(self.name).to_owned();
        let call = self.cloudformation.delete_stack().stack_name(&id);
        call.send().await.map_err(|error| Problem::sdk("DeleteStack", error))?;
        self.completed(&id, &StackStatus::DeleteComplete).await
    }

    async fn completed(&self, id: &str, wanted: &StackStatus) -> Result<(), Problem> {
        let Some(stack) = self.settled(id).await? else {
            let gone = *wanted == StackStatus::DeleteComplete;
            return if gone {
                Ok(())
            } else {
                Err(self.failed(id, "gone", None).await)
            };
        };
        match stack.stack_status() {
            Some(status) if status == wanted => Ok(()),
            status => {
                let status = status.map_or("unknown", StackStatus::as_str);
                Err(self.failed(id, status, stack.stack_status_reason()).await)
            }
        }
    }

    /// Waits until nothing is under way. Cleaning up after an update does not count: the stack can be used.
    async fn settled(&self, id: &str) -> Result<Option<Stack>, Problem> {
        for attempt in 0..ATTEMPTS {
            let found = self.cloudformation.describe_stacks().stack_name(id).send().await;
            let found = match found.map_err(|error| Problem::sdk("DescribeStacks", error)) {
                Err(problem) if problem.is_refusal(&UNKNOWN) => return Ok(None),
                found => found?,
            };
            let Some(mut stack) = found.stacks.unwrap_or_default().pop() else {
                return Ok(None);
            };
            match stack.stack_status() {
                Some(StackStatus::UpdateCompleteCleanupInProgress) => {
                    stack.stack_status = Some(StackStatus::UpdateComplete);
                    return Ok(Some(stack));
                }
                Some(status) if status.as_str().ends_with("_IN_PROGRESS") => pause(attempt).await,
                _ => return Ok(Some(stack)),
            }
        }
        Err(Problem::State(format!("stack {id} does not settle")))
    }

    /// With the first failure that the stack's events tell of.
    async fn failed(&self, id: &str, status: &str, reason: Option<&str>) -> Problem {
        let events = self.cloudformation.describe_stack_events().stack_name(id).send().await;
        let events = events.ok().and_then(|events| events.stack_events).unwrap_or_default();
        let failed = events.iter().rev().find_map(|event| {
            let failed = event.resource_status()?.as_str().ends_with("_FAILED");
            failed.then(|| event.resource_status_reason()).flatten()
        });
        let reason = failed.or(reason).unwrap_or("no reason given");
        Problem::State(format!("stack {id} in us-east-1 is {status}: {reason}"))
    }
}

fn existing(stack: &Stack, template: &str) -> Existing {
    let outputs = stack.outputs().iter();
    let outputs =
        outputs.filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
    let tag = stack.tags().iter().find(|tag| tag.key() == Some(TAG));
    Existing {
        status: stack.stack_status().map_or("", StackStatus::as_str).to_owned(),
        template: serde_json::from_str(template).unwrap_or_default(),
        outputs: outputs.collect(),
        main_stack: tag.and_then(|tag| tag.value()).map(str::to_owned),
    }
}
