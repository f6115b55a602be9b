//! The edge functions of a stack that lives in another region: CloudFront takes functions from us-east-1
//! alone, so a second stack of the same name is kept there.
//!
//! Its functions begin with a placeholder; the code update gives them their packages. They are retained
//! when the stack goes: what CloudFront still has copies of cannot be deleted, and the code update
//! deletes the others.

mod stack;
mod template;

use serde_json::Value;
use tracing::warn;

use self::stack::{Existing, Stacks};
use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
};

const REGION: &str = "us-east-1";

#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Create(Value),
    Update(Value),
    /// The creation failed before: nothing but a deletion helps.
    Replace(Value),
    /// It is as it should be.
    Keep,
    Delete,
}

fn plan(event: &Event, existing: Option<&Existing>) -> Result<Plan, Problem> {
    let ours = existing.is_none_or(|stack| stack.belongs_to(&event.stack_id));
    if event.request == RequestType::Delete {
        let there = existing.is_some() && ours;
        return Ok(if there { Plan::Delete } else { Plan::Keep });
    }
    let template = template::template(&event.properties)?;
    let Some(existing) = existing else {
        return Ok(Plan::Create(template));
    };
    if !ours {
        let name = event.stack_name()?;
        return Err(Problem::State(format!(
            "there is another stack named {name} in {REGION}, where this one keeps its edge functions: \
             give this stack another name"
        )));
    }
    Ok(if existing.is_broken() {
        Plan::Replace(template)
    } else if existing.template == template {
        Plan::Keep
    } else {
        Plan::Update(template)
    })
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let stacks = Stacks::new(
        services.cloudformation(Some(REGION)),
        event.stack_name()?,
        &event.stack_id,
    );
    let existing = stacks.find().await?;
    match plan(event, existing.as_ref())? {
        Plan::Create(template) => stacks.create(&template).await?,
        Plan::Update(template) => stacks.update(&template).await?,
        Plan::Replace(template) => {
            stacks.delete().await?;
            stacks.create(&template).await?;
        }
        Plan::Delete => {
            // What is left of it is of no use, and must not keep the main stack.
            if let Err(problem) = stacks.delete().await {
                warn!(%problem, "the stack in {REGION} is left behind");
            }
        }
        Plan::Keep => {}
    }
    let mut done = Done::new(event.stack_name()?);
    if event.request != RequestType::Delete {
        let outputs = stacks.find().await?.map(|stack| stack.outputs).unwrap_or_default();
        for (name, value) in outputs {
            done = done.with(name, value);
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests;
