//! The secret that signs nonces: made once, and kept through every update.
//!
//! A custom resource has no memory of its own, so the secret lies in an encrypted parameter of SSM; its
//! name, not the secret, is the resource's identifier. The reference used the secret itself, which
//! everybody who may see the stack could read; that one is taken over, so that sign-ins under way during
//! an update do not fail.

use aws_sdk_ssm::{Client, types::ParameterType};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
};

/// 62 characters, so about 190 bits.
const LENGTH: usize = 32;
const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const NOT_FOUND: [&str; 1] = ["ParameterNotFound"];
const EXISTS: [&str; 1] = ["ParameterAlreadyExists"];

#[derive(PartialEq, Eq)]
enum Plan {
    /// Read the parameter; where it is not there, make it of the secret given or of a new one.
    Keep {
        name: String,
        inherited: Option<String>,
    },
    Delete {
        name: String,
    },
    /// The reference's: an identifier that never named a parameter.
    Nothing {
        physical_id: String,
    },
}

fn plan(event: &Event) -> Result<Plan, Problem> {
    let name = event.properties.text("ParameterName")?.to_owned();
    if !name.starts_with('/') {
        return Err(Problem::property(
            "ParameterName",
            format!("{name:?}"),
            "a name that starts with /",
        ));
    }
    let id = event.physical_id.clone().unwrap_or_default();
    Ok(match event.request {
        RequestType::Create => Plan::Keep { name, inherited: None },
        RequestType::Update => Plan::Keep {
            name,
            inherited: is_secret(&id).then_some(id),
        },
        RequestType::Delete if is_secret(&id) => Plan::Nothing { physical_id: id },
        // Whatever the identifier: a creation that was cut off had not told its name yet.
        RequestType::Delete => Plan::Delete { name },
    })
}

/// Whether an identifier is one of the reference's: sixteen characters or more, none of them a slash.
fn is_secret(id: &str) -> bool {
    id.len() >= 16
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let ssm = services.ssm();
    match plan(event)? {
        Plan::Keep { name, inherited } => {
            let secret = match read(&ssm, &name).await? {
                Some(secret) => secret,
                None => make(&ssm, &name, inherited).await?,
            };
            Ok(Done::new(name).with_secret("Secret", secret))
        }
        Plan::Delete { name } => {
            let deleted = ssm.delete_parameter().name(&name).send().await;
            match deleted.map_err(|error| Problem::sdk("DeleteParameter", error)) {
                Err(problem) if !problem.is_refusal(&NOT_FOUND) => Err(problem),
                _ => Ok(Done::new(name)),
            }
        }
        Plan::Nothing { physical_id } => Ok(Done::new(physical_id)),
    }
}

async fn read(ssm: &Client, name: &str) -> Result<Option<String>, Problem> {
    let found = ssm.get_parameter().name(name).with_decryption(true).send().await;
    match found.map_err(|error| Problem::sdk("GetParameter", error)) {
        Ok(found) => Ok(found.parameter.and_then(|parameter| parameter.value)),
        Err(problem) if problem.is_refusal(&NOT_FOUND) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Never overwrites: of two that make it at once, the first one's secret counts.
async fn make(ssm: &Client, name: &str, inherited: Option<String>) -> Result<String, Problem> {
    let secret = match inherited {
        Some(secret) => secret,
        None => random()?,
    };
    let made = ssm
        .put_parameter()
        .name(name)
        .r#type(ParameterType::SecureString)
        .description("Signs the nonces of sign-ins in progress")
        .value(&secret)
        .overwrite(false)
        .send()
        .await;
    match made.map_err(|error| Problem::sdk("PutParameter", error)) {
        Ok(_) => Ok(secret),
        Err(problem) if problem.is_refusal(&EXISTS) => {
            let found = read(ssm, name).await?;
            found.ok_or_else(|| Problem::State(format!("parameter {name} comes and goes")))
        }
        Err(problem) => Err(problem),
    }
}

fn random() -> Result<String, Problem> {
    let system = SystemRandom::new();
    let mut secret = String::with_capacity(LENGTH);
    while secret.len() < LENGTH {
        let mut bytes = [0; LENGTH];
        system
            .fill(&mut bytes)
            .map_err(|_| Problem::State("the system gives no random bytes".to_owned()))?;
        // Those above a multiple of 62 would make some characters likelier.
        let fair = bytes.into_iter().filter(|byte| *byte < 248);
        secret.extend(fair.map(|byte| char::from(CHARACTERS[usize::from(byte % 62)])));
        secret.truncate(LENGTH);
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::event;

    fn planned(request: &str, physical_id: Option<&str>) -> Plan {
        let mut event = event(request, json!({"ParameterName": "/site/nonce"}), json!({}));
        event.physical_id = physical_id.map(str::to_owned);
        plan(&event).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn keep(inherited: Option<&str>) -> Plan {
        Plan::Keep {
            name: "/site/nonce".to_owned(),
            inherited: inherited.map(str::to_owned),
        }
    }

    #[test]
    fn the_secret_is_kept_through_updates() {
        assert!(planned("Create", None) == keep(None));
        assert!(planned("Update", Some("/site/nonce")) == keep(None));
    }

    #[test]
    fn the_references_secret_is_taken_over() {
        assert!(planned("Update", Some("jvfgVwXyZ0-_.~12")) == keep(Some("jvfgVwXyZ0-_.~12")));
        assert!(planned("Update", Some("short")) == keep(None));
        assert!(planned("Update", Some("Thing-not made, so to speak")) == keep(None));
    }

    #[test]
    fn the_parameter_goes_with_the_resource_and_not_with_the_references() {
        for id in ["/site/nonce", "NonceSigningSecret/0f1e2d3c"] {
            assert!(
                planned("Delete", Some(id))
                    == Plan::Delete {
                        name: "/site/nonce".to_owned()
                    }
            );
        }
        let other = Plan::Nothing {
            physical_id: "jvfgVwXyZ0-_.~12".to_owned(),
        };
        assert!(planned("Delete", Some("jvfgVwXyZ0-_.~12")) == other);
    }

    #[test]
    fn wrong_properties_are_named() {
        for name in [json!(null), json!(""), json!("nonce")] {
            let event = event("Create", json!({"ParameterName": name}), json!({}));
            let problem = plan(&event).err().unwrap();
            assert!(problem.to_string().starts_with("ParameterName"), "{problem}");
        }
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), LENGTH);
        assert_ne!(one, other);
        assert!(one.bytes().all(|byte| CHARACTERS.contains(&byte)));
    }
}
