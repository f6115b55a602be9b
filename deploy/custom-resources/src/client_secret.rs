//! The secret of an app client in this account, so that nobody has to copy it.

use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
    user_pool::AppClient,
};

#[derive(Debug, PartialEq, Eq)]
enum Plan {
    LookUp { client: AppClient, physical_id: String },
    Forget { physical_id: String },
}

fn plan(event: &Event) -> Result<Plan, Problem> {
    let client = AppClient::of(&event.properties)?;
    let same = AppClient::of(&event.old_properties).is_ok_and(|old| old == client);
    let physical_id = event.keep_or(same, || format!("{}/{}/secret", client.pool.id, client.id));
    Ok(match event.request {
        RequestType::Create | RequestType::Update => Plan::LookUp { client, physical_id },
        RequestType::Delete => Plan::Forget { physical_id },
    })
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let (client, physical_id) = match plan(event)? {
        Plan::LookUp { client, physical_id } => (client, physical_id),
        Plan::Forget { physical_id } => return Ok(Done::new(physical_id)),
    };
    let described = services
        .cognito(&client.pool.region)
        .describe_user_pool_client()
        .user_pool_id(&client.pool.id)
        .client_id(&client.id)
        .send()
        .await
        .map_err(|error| Problem::sdk("DescribeUserPoolClient", error))?;
    let secret = described.user_pool_client().and_then(|client| client.client_secret());
    // A public client has none, and then the functions use none.
    Ok(Done::new(physical_id).with_secret("ClientSecret", secret.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::tests::event;

    fn properties(client: &str) -> Value {
        json!({"UserPoolArn": "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_A", "UserPoolClientId": client})
    }

    fn physical_id(event: &Event) -> String {
        match plan(event).unwrap() {
            Plan::LookUp { physical_id, .. } | Plan::Forget { physical_id } => physical_id,
        }
    }

    #[test]
    fn the_identifier_names_the_client_and_not_its_secret() {
        let create = event("Create", properties("c"), json!({}));
        assert_eq!(physical_id(&create), "eu-west-1_A/c/secret");
        let same = event("Update", properties("c"), properties("c"));
        assert_eq!(physical_id(&same), "physical");
        let other = event("Update", properties("c"), properties("d"));
        assert_eq!(physical_id(&other), "eu-west-1_A/c/secret");
    }

    #[test]
    fn a_deletion_calls_nobody() {
        let delete = event("Delete", properties("c"), json!({}));
        assert_eq!(
            plan(&delete).unwrap(),
            Plan::Forget {
                physical_id: "physical".to_owned()
            }
        );
    }

    #[test]
    fn wrong_properties_are_named() {
        let missing = event("Create", json!({}), json!({}));
        assert!(plan(&missing).unwrap_err().to_string().starts_with("UserPoolArn"));
        let missing = event("Create", properties(""), json!({}));
        assert!(plan(&missing).unwrap_err().to_string().starts_with("UserPoolClientId"));
    }
}
