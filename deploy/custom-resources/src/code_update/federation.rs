//! Whether the app client lets people of other identity providers in, which the core warns about where no rule
//! narrows who may pass. Cognito knows; whoever states it in Enhancements is believed instead.

use tracing::warn;

use crate::{problem::Problem, services::Services, user_pool::AppClient};

/// Cognito's own users.
const OWN: &str = "COGNITO";

/// Asks Cognito. Where that is not possible, as for a pool of another account, nothing is said of it.
pub(super) async fn is_federated(services: &Services, client: &AppClient) -> bool {
    match providers(services, client).await {
        Ok(providers) => has_others(&providers),
        Err(problem) => {
            warn!(%problem, "whether the pool has other identity providers is not known");
            false
        }
    }
}

fn has_others(providers: &[String]) -> bool {
    providers.iter().any(|provider| provider != OWN)
}

async fn providers(services: &Services, client: &AppClient) -> Result<Vec<String>, Problem> {
    let cognito = services.cognito(&client.pool.region);
    let call = cognito
        .describe_user_pool_client()
        .user_pool_id(&client.pool.id)
        .client_id(&client.id);
    let reply = call
        .send()
        .await
        .map_err(|error| Problem::sdk("DescribeUserPoolClient", error))?;
    let providers = reply
        .user_pool_client
        .and_then(|client| client.supported_identity_providers);
    Ok(providers.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_provider_but_cognito_itself_is_another() {
        for (providers, expected) in [
            (&[][..], false),
            (&["COGNITO"], false),
            (&["COGNITO", "Google"], true),
            (&["corporate-saml"], true),
            (&["cognito"], true),
        ] {
            let providers: Vec<String> = providers.iter().map(|&provider| provider.to_owned()).collect();
            assert_eq!(has_others(&providers), expected, "{providers:?}");
        }
    }
}
