//! Configuration and published versions of the edge functions.
//!
//! CloudFront runs published versions, and an edge function has no environment variables. So the
//! configuration is written into each function's package, the package uploaded, and a version published.
//! The configuration is checked as a whole first, with the types that the functions read it with.

mod configuration;
mod federation;
mod function_arn;
mod publish;

use futures_util::future::try_join_all;
use tracing::warn;

use self::{
    configuration::Configuration,
    federation::is_federated,
    function_arn::FunctionArn,
    publish::{Target, publish},
};
use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    properties::Properties,
    services::Services,
};

/// CloudFront's copies of a function outlive the distribution by hours, and so long Lambda refuses to
/// delete it, with the first of these; the second is a deployment still going on.
const NOT_YET: [&str; 2] = ["InvalidParameterValueException", "ResourceConflictException"];
const GONE: [&str; 1] = ["ResourceNotFoundException"];

#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Publish {
        physical_id: String,
        targets: Vec<Target>,
        configuration: Configuration,
    },
    Delete {
        physical_id: String,
        functions: Vec<FunctionArn>,
    },
}

fn plan(event: &Event) -> Result<Plan, Problem> {
    let properties = &event.properties;
    let physical_id = event.keep_or(true, || format!("{}/versions", event.logical_id));
    if event.request == RequestType::Delete {
        let functions = properties.list("DeleteFunctions")?;
        let functions = functions.iter().map(|arn| FunctionArn::parse("DeleteFunctions", arn));
        return Ok(Plan::Delete {
            physical_id,
            functions: functions.collect::<Result<_, _>>()?,
        });
    }
    Ok(Plan::Publish {
        physical_id,
        targets: targets(properties)?,
        configuration: Configuration::of(properties)?,
    })
}

/// Either Functions, by the names that `Fn::GetAtt` will know, or, as people wire the reference's
/// resource, one LambdaFunction.
fn targets(properties: &Properties) -> Result<Vec<Target>, Problem> {
    let Some(functions) = properties.object("Functions")? else {
        let function = FunctionArn::parse("LambdaFunction", properties.text("LambdaFunction")?)?;
        return Ok(vec![Target {
            name: None,
            package: function.clone(),
            function,
        }]);
    };
    let packages = properties.object("Packages")?.unwrap_or_default();
    functions
        .texts()
        .map(|(name, arn)| {
            let function = FunctionArn::parse("Functions", arn)?;
            let package = match packages.optional_text(name) {
                Some(arn) => FunctionArn::parse("Packages", arn)?,
                None => function.clone(),
            };
            Ok(Target {
                name: Some(name.to_owned()),
                function,
                package,
            })
        })
        .collect()
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    match plan(event)? {
        Plan::Publish {
            physical_id,
            targets,
            configuration,
        } => {
            let configuration = match configuration.asks_about() {
                Some(client) if is_federated(services, client).await => configuration.federated(),
                _ => configuration,
            };
            let warnings = configuration.warnings();
            for warning in warnings.iter().flatten() {
                warn!(warning, "accepted, but probably not meant");
            }
            let published = targets.iter().map(|target| publish(services, target, &configuration));
            let published = try_join_all(published).await?;
            let mut done = Done::new(physical_id);
            if let Some(warnings) = warnings {
                done = done.with("Warnings", or_none(warnings.join("\n")));
            }
            for version in published {
                done = match version.name {
                    Some(name) => done.with(name, version.arn),
                    None => done
                        .with("FunctionArn", version.arn)
                        .with("Version", version.number)
                        .with("CodeSha256", version.code_sha256),
                };
            }
            Ok(done)
        }
        Plan::Delete { physical_id, functions } => {
            for function in &functions {
                delete(services, function).await?;
            }
            Ok(Done::new(physical_id))
        }
    }
}

/// An attribute always has a value.
fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

async fn delete(services: &Services, function: &FunctionArn) -> Result<(), Problem> {
    let lambda = services.lambda(&function.region);
    let deleted = lambda.delete_function().function_name(&function.arn).send().await;
    match deleted.map_err(|error| Problem::sdk("DeleteFunction", error)) {
        Err(problem) if problem.is_refusal(&NOT_YET) => {
            warn!(function = function.arn, %problem, "left behind until CloudFront has dropped its copies");
            Ok(())
        }
        Err(problem) if !problem.is_refusal(&GONE) => Err(problem),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
