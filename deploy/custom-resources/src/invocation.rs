//! One event, one answer: whatever happens, CloudFormation is told in time, and told once.
//!
//! Without an answer a stack hangs for an hour. So a bad event, a panic and a time-out become failures,
//! and the answer is sent while the function still has time to send it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use crate::{
    Resource, Services,
    event::{Address, Event, RequestType},
    outcome::{self, Done},
    problem::Problem,
};

/// What is kept back of a function's time to send the answer.
const RESERVE: Duration = Duration::from_secs(10);
/// Pauses before further attempts to send it.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// The answer could not be delivered. Lambda invokes again, and every resource can be settled twice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the answer could not be delivered: {0}")]
pub struct Undelivered(String);

/// Settles an event within `remaining` and tells CloudFormation the outcome.
///
/// # Errors
/// When CloudFormation could not be reached.
pub async fn answer(
    resource: Resource,
    services: Arc<Services>,
    payload: Value,
    remaining: Duration,
) -> Result<(), Undelivered> {
    let Some(address) = Address::of(&payload) else {
        error!("an event without a response url, a stack and a request: there is nobody to answer");
        return Ok(());
    };
    let budget = remaining.saturating_sub(RESERVE.min(remaining / 4));
    let outcome = settle(resource, services.clone(), payload, budget, &address).await;
    match &outcome {
        Ok(_) => info!(resource = resource.as_str(), logical_id = address.logical_id, "settled"),
        Err(problem) => {
            error!(resource = resource.as_str(), logical_id = address.logical_id, %problem, "failed");
        }
    }
    let body = outcome::response(&address, outcome);
    deliver(&services, &address.response_url, &body).await
}

async fn settle(
    resource: Resource,
    services: Arc<Services>,
    payload: Value,
    budget: Duration,
    address: &Address,
) -> Result<Done, Problem> {
    let event = Event::parse(payload)?;
    let request = event.request;
    // A task of its own, so that a panic ends there.
    let task = tokio::spawn(async move { resource.apply(&event, &services).await });
    let stop = task.abort_handle();
    let outcome = match timeout(budget, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::State("the program failed; its log says where".to_owned())),
        Err(_) => {
            stop.abort();
            Err(Problem::State(format!("not done after {} s", budget.as_secs())))
        }
    };
    match outcome {
        // With such properties nothing was ever made, and a stack must be able to go.
        Err(problem) if request == RequestType::Delete && problem.is_of_the_template() => {
            warn!(%problem, "nothing to delete");
            Ok(Done::new(address.fallback_id.clone()))
        }
        outcome => outcome,
    }
}

async fn deliver(services: &Services, url: &str, body: &str) -> Result<(), Undelivered> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let Err(problem) = services.http.put(url, body).await else {
            return Ok(());
        };
        let Some(pause) = pauses.next() else {
            return Err(Undelivered(problem.to_string()));
        };
        warn!(%problem, "trying again to answer");
        sleep(pause).await;
    }
}
