//! CloudFormation's request objects for custom resources.

use serde_json::{Map, Value};

use crate::{problem::Problem, properties::Properties};

/// What CloudFormation wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestType {
    Create,
    Update,
    Delete,
}

/// Whom to answer, and about what. Read before anything else, so that a bad event gets an answer, too.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// A presigned URL: whoever has it can answer in our place, so it is never shown.
    pub(crate) response_url: String,
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_id: String,
    /// What an answer names when nothing better is known.
    pub(crate) fallback_id: String,
}

impl Address {
    /// `None` where there is nobody to answer.
    pub(crate) fn of(payload: &Value) -> Option<Self> {
        let text = |name: &str| payload.get(name)?.as_str().map(str::to_owned);
        let logical_id = text("LogicalResourceId")?;
        let request_id = text("RequestId")?;
        Some(Self {
            response_url: text("ResponseURL")?,
            stack_id: text("StackId")?,
            fallback_id: text("PhysicalResourceId").unwrap_or_else(|| format!("{logical_id}/{request_id}")),
            request_id,
            logical_id,
        })
    }
}

/// A request object. Shows no property in its Debug form.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) request: RequestType,
    pub(crate) stack_id: String,
    pub(crate) logical_id: String,
    /// On updates and deletions.
    pub(crate) physical_id: Option<String>,
    pub(crate) properties: Properties,
    /// On updates.
    pub(crate) old_properties: Properties,
}

impl Event {
    pub(crate) fn parse(payload: Value) -> Result<Self, Problem> {
        let Value::Object(mut members) = payload else {
            return Err(Problem::event("the event", "a JSON object"));
        };
        let request = match members.get("RequestType").and_then(Value::as_str) {
            Some("Create") => RequestType::Create,
            Some("Update") => RequestType::Update,
            Some("Delete") => RequestType::Delete,
            _ => return Err(Problem::event("RequestType", "Create, Update or Delete")),
        };
        Ok(Self {
            request,
            stack_id: text(&mut members, "StackId").unwrap_or_default(),
            logical_id: text(&mut members, "LogicalResourceId").unwrap_or_default(),
            physical_id: text(&mut members, "PhysicalResourceId"),
            properties: object(&mut members, "ResourceProperties"),
            old_properties: object(&mut members, "OldResourceProperties"),
        })
    }

    /// The identifier to answer with: the one there is as long as the resource is the same one, as any
    /// other makes CloudFormation delete the old.
    pub(crate) fn keep_or(&self, same: bool, new: impl FnOnce() -> String) -> String {
        match &self.physical_id {
            Some(id) if same || self.request == RequestType::Delete => id.clone(),
            _ => new(),
        }
    }

    /// The name in the stack's ARN.
    pub(crate) fn stack_name(&self) -> Result<&str, Problem> {
        let name = self.stack_id.split('/').nth(1).filter(|name| !name.is_empty());
        name.ok_or(Problem::event("StackId", "the ARN of a stack"))
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn object(members: &mut Map<String, Value>, name: &str) -> Properties {
    match members.remove(name) {
        Some(Value::Object(object)) => Properties::from(object),
        _ => Properties::default(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// An event as CloudFormation sends it.
    pub(crate) fn event(request: &str, properties: Value, old: Value) -> Event {
        Event::parse(payload(request, properties, old)).unwrap()
    }

    fn payload(request: &str, properties: Value, old: Value) -> Value {
        let mut payload = json!({
            "RequestType": request,
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/site/0a1b2c3d",
            "RequestId": "r-1",
            "LogicalResourceId": "Thing",
            "ResponseURL": "https://example.com/answer?signature=s",
            "ResourceProperties": properties,
            "OldResourceProperties": old,
        });
        if request != "Create" {
            payload["PhysicalResourceId"] = json!("physical");
        }
        payload
    }

    #[test]
    fn whom_to_answer_is_known_even_where_the_rest_is_bad() {
        let mut bad = payload("Create", json!(7), json!(null));
        bad["RequestType"] = json!("Explode");
        let address = Address::of(&bad).unwrap();
        assert_eq!(address.response_url, "https://example.com/answer?signature=s");
        assert_eq!(address.fallback_id, "Thing/r-1");
        assert_eq!(
            Event::parse(bad).unwrap_err(),
            Problem::event("RequestType", "Create, Update or Delete")
        );
    }

    #[test]
    fn without_a_response_url_there_is_nobody_to_answer() {
        for missing in ["ResponseURL", "StackId", "RequestId", "LogicalResourceId"] {
            let mut bad = payload("Delete", json!({}), json!({}));
            bad[missing] = json!(null);
            assert!(Address::of(&bad).is_none(), "{missing}");
        }
        assert!(Address::of(&json!("x")).is_none());
    }

    #[test]
    fn the_identifier_stays_while_the_resource_is_the_same() {
        let new = || "new".to_owned();
        assert_eq!(event("Create", json!({}), json!({})).keep_or(true, new), "new");
        assert_eq!(event("Update", json!({}), json!({})).keep_or(true, new), "physical");
        assert_eq!(event("Update", json!({}), json!({})).keep_or(false, new), "new");
        assert_eq!(event("Delete", json!({}), json!({})).keep_or(false, new), "physical");
    }

    /// T-STACK-1
    #[test]
    fn the_debug_form_shows_no_property() {
        let event = event(
            "Create",
            json!({"NonceSigningSecret": "hunter2"}),
            json!({"A": "hunter2"}),
        );
        assert!(!format!("{event:?}").contains("hunter2"));
    }
}
