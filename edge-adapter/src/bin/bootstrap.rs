//! The program in every edge package: reads its role and configuration, then answers events until Lambda
//! ends it.
//!
//! It takes the place of the managed runtime's process (see `shims/`), so it talks to the Runtime API
//! itself. Built with `panic = "abort"`: nothing here may panic, or the sandbox dies.

use std::{process::ExitCode, sync::Arc, time::Duration};

use auth_driver::{HyperClient, now};
use edge_adapter::{
    Function, JsonLines,
    init::{self, InitError},
    level_of,
};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tracing::error;

fn main() -> ExitCode {
    let started = init::check_environment().and_then(|()| start());
    let (function, runtime) = match started {
        Ok(started) => started,
        Err(error) => {
            init::report(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(function)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = %error, "the runtime api failed");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(Arc<Function<HyperClient>>, tokio::runtime::Runtime), InitError> {
    let role = init::role()?;
    let configuration = init::configuration()?;
    // Fails only when there is a subscriber already, and there is none.
    let _ = tracing::subscriber::set_global_default(JsonLines::new(level_of(&configuration)));
    let function = Function::new(role, &configuration, HyperClient::new()).map_err(InitError::Settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InitError::Runtime)?;
    Ok((Arc::new(function), runtime))
}

async fn run(function: Arc<Function<HyperClient>>) -> Result<(), lambda_runtime::Error> {
    Runtime::new(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let function = function.clone();
        async move { answer(&function, &event).await }
    }))
    .run()
    .await
}

async fn answer(
    function: &Function<HyperClient>,
    event: &LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, Diagnostic> {
    let answer = function.answer(event.payload.get(), remaining(event.context.deadline));
    answer.await.map_err(|error| {
        error!(error = %error, request_id = event.context.request_id, "invocation failed");
        Diagnostic {
            error_type: "EventError".to_owned(),
            error_message: error.to_string(),
        }
    })
}

/// The time until Lambda's deadline, given in milliseconds of Unix time. One that has passed already is
/// no deadline: then the clocks disagree.
fn remaining(deadline: u64) -> Duration {
    let now = u64::try_from(now().as_millis()).unwrap_or_default();
    match deadline.checked_sub(now) {
        Some(millis) if millis > 0 => Duration::from_millis(millis),
        _ => Duration::MAX,
    }
}
