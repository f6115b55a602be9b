//! An app client as Cognito's JSON, whole: the SDK's types hold only the members that it knew when it was
//! made, and what is not sent back is reset.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_cognitoidentityprovider::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::AfterDeserializationInterceptorContextRef},
    error::BoxError,
};
use aws_sdk_s3::primitives::SdkBody;
use serde_json::{Map, Value};

use crate::{problem::Problem, user_pool::AppClient};

/// Members of a description that no request takes.
const READ_ONLY: [&str; 3] = ["ClientSecret", "CreationDate", "LastModifiedDate"];

/// The members that a request may have.
pub(super) fn updatable(mut client: Map<String, Value>) -> Map<String, Value> {
    client.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    client
}

/// The whole description.
pub(super) async fn describe(cognito: &Client, client: &AppClient) -> Result<Map<String, Value>, Problem> {
    const CALL: &str = "DescribeUserPoolClient";
    let reply = Reply::default();
    let call = cognito
        .describe_user_pool_client()
        .user_pool_id(&client.pool.id)
        .client_id(&client.id)
        .customize()
        .interceptor(reply.clone());
    call.send().await.map_err(|error| Problem::sdk(CALL, error))?;
    match reply.take().get_mut("UserPoolClient").map(Value::take) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Reply {
            call: CALL,
            found: "no client".to_owned(),
            expected: "a client",
        }),
    }
}

/// Sends exactly these members.
pub(super) async fn update(cognito: &Client, client: &AppClient, request: &Map<String, Value>) -> Result<(), Problem> {
    let body = Value::Object(request.clone()).to_string();
    let call = cognito
        .update_user_pool_client()
        .user_pool_id(&client.pool.id)
        .client_id(&client.id)
        .customize()
        .mutate_request(move |request| {
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body.as_str());
        });
    let sent = call.send().await;
    sent.map(drop)
        .map_err(|error| Problem::sdk("UpdateUserPoolClient", error))
}

/// Keeps the text of a reply. Shows nothing of it in its Debug form: it has the client's secret.
#[derive(Clone, Default)]
struct Reply(Arc<Mutex<Value>>);

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl Reply {
    fn take(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for Reply {
    fn name(&self) -> &'static str {
        "Reply"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let text = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(text).unwrap_or_default();
        Ok(())
    }
}
