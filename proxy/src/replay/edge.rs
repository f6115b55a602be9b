//! Asks an emitted edge package: its program is started as Lambda starts it and given its events by a Runtime
//! API on loopback, one after the other as CloudFront would.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, SystemTime},
};

use auth_core::Endpoint;
use serde_json::{Value, json};

use super::{
    LIMIT, ReplayError,
    answer::Answer,
    loopback::{self, Asked, Reply},
    recorded::Recorded,
    stage::{CONTENT, Stage},
};
use crate::config::{SiteSettings, TrailingSlash};

/// The answer of the functions behind CloudFront.
///
/// # Errors
/// When the package's program cannot be started or does not answer.
pub(super) fn ask(package: &Path, stage: &Stage, recorded: &Recorded) -> Result<Answer, ReplayError> {
    let functions = Functions::new(package, &stage.configuration)?;
    let role = match stage.config.endpoint_of(&recorded.path) {
        Endpoint::SignIn => "parse-auth",
        Endpoint::Refresh => "refresh-auth",
        Endpoint::SignOut => "sign-out",
        // One function stands before the content and all that has no path in the reference.
        Endpoint::Protected
        | Endpoint::StartSignIn
        | Endpoint::Session
        | Endpoint::Renewal
        | Endpoint::InUse
        | Endpoint::SignedOut => "check-auth",
    };
    let event = |kind: &str, cf: Value| {
        let mut cf = cf;
        cf["config"] = json!({ "distributionDomainName": recorded.host, "distributionId": "REPLAY",
            "eventType": kind, "requestId": "replay" });
        json!({ "Records": [{ "cf": cf }] })
    };
    let request = recorded.to_event();
    let result = functions.invoke(role, &event("viewer-request", json!({ "request": request })))?;
    if result.get("status").is_some() {
        let body = result["body"].as_str().unwrap_or_default().to_owned();
        let body = if recorded.method == "HEAD" { String::new() } else { body };
        return Ok(Answer::of_result(&result, body));
    }
    let Some(site) = stage.settings.sites.first() else {
        return Ok(Answer::of_result(&result, String::new()));
    };
    let request = to_origin(&functions, site, result, &event)?;
    let response = json!({ "status": "200", "statusDescription": "OK",
        "headers": { "content-type": [{ "key": "Content-Type", "value": "text/plain" }] } });
    let cf = json!({ "request": request, "response": response });
    let result = functions.invoke("http-headers", &event("origin-response", cf))?;
    let body = if recorded.method == "HEAD" { "" } else { CONTENT };
    let mut answer = Answer::of_result(&result, body.to_owned());
    let (path, query) = (
        request["uri"].as_str().unwrap_or_default(),
        request["querystring"].as_str(),
    );
    answer.origin = Some(match query {
        Some(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    });
    Ok(answer)
}

/// The request as the origin gets it: default root object, then the origin-request function.
fn to_origin(
    functions: &Functions,
    site: &SiteSettings,
    mut request: Value,
    event: &dyn Fn(&str, Value) -> Value,
) -> Result<Value, ReplayError> {
    if let Some(root) = &site.default.default_root_object
        && request["uri"] == "/"
    {
        request["uri"] = json!(format!("/{root}"));
    }
    match site.default.trailing_slash {
        TrailingSlash::Kept => Ok(request),
        TrailingSlash::ToIndex => functions.invoke(
            "rewrite-trailing-slash",
            &event("origin-request", json!({ "request": request })),
        ),
    }
}

/// A package, unpacked beside its configuration.
struct Functions {
    program: PathBuf,
    /// Removed in the end, the secrets in it too.
    folder: tempfile::TempDir,
}

/// Ended however the invocation ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already if these fail.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Functions {
    fn new(package: &Path, configuration: &str) -> io::Result<Self> {
        let program = if package.is_dir() {
            package.join("bootstrap")
        } else {
            package.to_owned()
        };
        let program = fs::canonicalize(&program)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        // Only its owner can look into it.
        let folder = tempfile::Builder::new().prefix("portcullis-replay").tempdir()?;
        fs::write(folder.path().join("configuration.json"), configuration)?;
        Ok(Self { program, folder })
    }

    /// One event for one function. A failed invocation is what CloudFront makes of it: a 502.
    fn invoke(&self, role: &'static str, event: &Value) -> Result<Value, ReplayError> {
        let failed = |problem: String| ReplayError::Edge { role, problem };
        let (sender, results) = mpsc::channel();
        let api = runtime_api(event.to_string(), sender)?;
        let mut child = Command::new(&self.program);
        child
            .env_clear()
            .current_dir(self.folder.path())
            .env("_HANDLER", format!("{role}.handler"))
            .env("LAMBDA_TASK_ROOT", self.folder.path())
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "replay")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for name in ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(value) = std::env::var_os(name) {
                child.env(name, value);
            }
        }
        let child = child
            .spawn()
            .map_err(|error| failed(format!("start its program: {error}")))?;
        let _running = Running(child);
        let (target, body) = results
            .recv_timeout(LIMIT)
            .map_err(|_| failed("no answer in time".to_owned()))?;
        if target.ends_with("/init/error") {
            let said: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            return Err(failed(
                said["errorMessage"].as_str().unwrap_or("it does not start").to_owned(),
            ));
        }
        if target.ends_with("/error") {
            return Ok(json!({ "status": "502", "headers": {} }));
        }
        serde_json::from_slice(&body).map_err(|_| failed("its answer is not JSON".to_owned()))
    }
}

/// Hands out the event once, and gives on what is posted.
fn runtime_api(event: String, sender: mpsc::Sender<(String, Vec<u8>)>) -> io::Result<std::net::SocketAddr> {
    let event = Arc::new(Mutex::new(Some(event)));
    let sender = Mutex::new(sender);
    loopback::serve(move |asked: &Asked| -> Reply {
        if asked.method == "GET" {
            // The next one never comes: the program is ended before.
            let event = event.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            return Some((200, invocation(), event.into_bytes()));
        }
        let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for a second answer.
        let _ = sender.send((asked.target.clone(), asked.body.clone()));
        Some((202, Vec::new(), b"{}".to_vec()))
    })
}

fn invocation() -> Vec<(&'static str, String)> {
    let deadline = SystemTime::now() + Duration::from_secs(5);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    vec![
        ("Content-Type", "application/json".to_owned()),
        ("Lambda-Runtime-Aws-Request-Id", "replay".to_owned()),
        ("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:0:function:replay".to_owned(),
        ),
        ("Lambda-Runtime-Trace-Id", "Root=1-0-0".to_owned()),
    ]
}
