//! What CloudFormation is told.

use serde_json::{Map, Value, json};

use crate::{event::Address, problem::Problem};

/// CloudFormation takes no longer response object.
const MAX_BYTES: usize = 4096;
/// Room for the rest of the response object.
const MAX_REASON_CHARS: usize = 1500;

/// A resource as it is now.
#[derive(Clone, PartialEq)]
pub(crate) struct Done {
    pub(crate) physical_id: String,
    data: Map<String, Value>,
    no_echo: bool,
}

impl Done {
    pub(crate) fn new(physical_id: impl Into<String>) -> Self {
        Self {
            physical_id: physical_id.into(),
            data: Map::new(),
            no_echo: false,
        }
    }

    /// Adds a value for `Fn::GetAtt`.
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.insert(name.into(), Value::String(value.into()));
        self
    }

    /// Adds a value that CloudFormation is to mask wherever it shows it.
    pub(crate) fn with_secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.no_echo = true;
        self.with(name, value)
    }
}

/// The response object for an outcome.
pub(crate) fn response(address: &Address, outcome: Result<Done, Problem>) -> String {
    let body = match outcome {
        Ok(done) => success(address, done),
        Err(problem) => failure(address, &problem),
    };
    body.to_string()
}

fn success(address: &Address, done: Done) -> Value {
    let mut body = envelope(address, "SUCCESS", &done.physical_id);
    body["NoEcho"] = json!(done.no_echo);
    body["Data"] = Value::Object(done.data);
    let bytes = body.to_string().len();
    if bytes <= MAX_BYTES {
        return body;
    }
    let problem = Problem::State(format!(
        "the result has {bytes} bytes, and CloudFormation takes {MAX_BYTES} at most"
    ));
    failure(address, &problem)
}

fn failure(address: &Address, problem: &Problem) -> Value {
    let mut body = envelope(address, "FAILED", &address.fallback_id);
    let reason: String = problem.to_string().chars().take(MAX_REASON_CHARS).collect();
    body["Reason"] = json!(reason);
    while body.to_string().len() > MAX_BYTES {
        let shorter: String = {
            let reason = body["Reason"].as_str().unwrap_or_default();
            reason.chars().take(reason.chars().count() / 2).collect()
        };
        if shorter.is_empty() {
            break;
        }
        body["Reason"] = json!(shorter);
    }
    body
}

fn envelope(address: &Address, status: &str, physical_id: &str) -> Value {
    json!({
        "Status": status,
        "PhysicalResourceId": physical_id,
        "StackId": address.stack_id,
        "RequestId": address.request_id,
        "LogicalResourceId": address.logical_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address {
            response_url: "https://example.com/".to_owned(),
            stack_id: "stack".to_owned(),
            request_id: "request".to_owned(),
            logical_id: "Thing".to_owned(),
            fallback_id: "before".to_owned(),
        }
    }

    fn answered(outcome: Result<Done, Problem>) -> Value {
        let text = response(&address(), outcome);
        assert!(text.len() <= MAX_BYTES);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_success_carries_its_data_and_masks_secrets() {
        let body = answered(Ok(Done::new("id").with("A", "1")));
        assert_eq!(
            body,
            json!({"Status": "SUCCESS", "PhysicalResourceId": "id", "StackId": "stack", "RequestId": "request",
                "LogicalResourceId": "Thing", "NoEcho": false, "Data": {"A": "1"}})
        );
        assert_eq!(
            answered(Ok(Done::new("id").with_secret("S", "x")))["NoEcho"],
            json!(true)
        );
    }

    #[test]
    fn a_failure_keeps_the_identifier_and_says_why() {
        let body = answered(Err(Problem::State("no luck".to_owned())));
        assert_eq!(body["Status"], "FAILED");
        assert_eq!(body["PhysicalResourceId"], "before");
        assert_eq!(body["Reason"], "no luck");
    }

    #[test]
    fn an_answer_of_the_limit_is_sent_and_one_byte_more_is_a_failure() {
        let room = MAX_BYTES - response(&address(), Ok(Done::new("id").with("A", ""))).len();
        let fits = answered(Ok(Done::new("id").with("A", "x".repeat(room))));
        assert_eq!(fits["Status"], "SUCCESS");
        let over = answered(Ok(Done::new("id").with("A", "x".repeat(room + 1))));
        assert_eq!(over["Status"], "FAILED");
        assert!(over["Reason"].as_str().unwrap().contains("4097 bytes"));
    }

    #[test]
    fn a_long_reason_is_cut() {
        for reason in ["x".repeat(9000), "\u{1}".repeat(9000), "é".repeat(9000)] {
            assert_eq!(answered(Err(Problem::State(reason)))["Status"], "FAILED");
        }
    }
}
