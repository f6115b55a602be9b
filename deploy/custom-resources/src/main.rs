//! The program under every custom resource's function: answers events until Lambda ends it.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use custom_resources::{Resource, Services, invocation};
use edge_adapter::{JsonLines, init};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use tracing::{error, level_filters::LevelFilter};

fn main() -> ExitCode {
    // Fails only when there is a subscriber already, and there is none.
    let _ = tracing::subscriber::set_global_default(JsonLines::new(LevelFilter::INFO));
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = %error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    init::check_environment()?;
    let resource: Resource = std::env::var("_HANDLER").unwrap_or_default().parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let services = Arc::new(Services::load().await?);
        Runtime::new(service_fn(|event: LambdaEvent<Value>| {
            let services = services.clone();
            async move { handle(resource, services, event).await }
        }))
        .run()
        .await
    })
}

/// An error makes Lambda invoke again with the same event, which is what helps an answer that could not
/// be delivered.
async fn handle(resource: Resource, services: Arc<Services>, event: LambdaEvent<Value>) -> Result<(), Diagnostic> {
    let remaining = remaining(event.context.deadline);
    invocation::answer(resource, services, event.payload, remaining)
        .await
        .map_err(|error| Diagnostic {
            error_type: "AnswerError".to_owned(),
            error_message: error.to_string(),
        })
}

/// The time until Lambda's deadline, given in milliseconds of Unix time.
fn remaining(deadline: u64) -> Duration {
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}
