//! The domain of a user pool's hosted UI, looked up where the template is not told.

use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
    user_pool::UserPool,
};

/// What a user pool says of its domains.
#[derive(Clone, Copy, Debug, Default)]
struct Domains<'d> {
    custom: Option<&'d str>,
    prefix: Option<&'d str>,
}

/// The host of the hosted UI: a domain of one's own before Cognito's.
fn host(pool: &UserPool, domains: Domains<'_>) -> Result<String, Problem> {
    if let Some(custom) = domains.custom {
        return Ok(custom.to_owned());
    }
    let Some(prefix) = domains.prefix else {
        return Err(Problem::State(format!(
            "user pool {} has no domain: give it one, or name it in UserPoolAuthDomain",
            pool.id
        )));
    };
    let service = if pool.region.starts_with("us-gov-") {
        "auth-fips"
    } else {
        "auth"
    };
    Ok(format!("{prefix}.{service}.{}.amazoncognito.com", pool.region))
}

/// The identifier is the host: templates refer to the resource where they mean it.
pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let pool = UserPool::of(&event.properties)?;
    if event.request == RequestType::Delete {
        return Ok(Done::new(event.keep_or(true, String::new)));
    }
    let described = services
        .cognito(&pool.region)
        .describe_user_pool()
        .user_pool_id(&pool.id)
        .send()
        .await
        .map_err(|error| Problem::sdk("DescribeUserPool", error))?;
    let found = described.user_pool();
    let host = host(
        &pool,
        Domains {
            custom: found.and_then(|pool| pool.custom_domain()),
            prefix: found.and_then(|pool| pool.domain()),
        },
    )?;
    Ok(Done::new(host.clone()).with("DomainName", host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_in(region: &str, custom: Option<&str>, prefix: Option<&str>) -> Result<String, Problem> {
        let pool = UserPool {
            region: region.to_owned(),
            id: "p".to_owned(),
        };
        host(&pool, Domains { custom, prefix })
    }

    #[test]
    fn the_host_is_the_custom_domain_or_cognitos() {
        for (region, custom, prefix, expected) in [
            ("eu-west-1", None, Some("a"), "a.auth.eu-west-1.amazoncognito.com"),
            (
                "us-gov-west-1",
                None,
                Some("a"),
                "a.auth-fips.us-gov-west-1.amazoncognito.com",
            ),
            ("eu-west-1", Some("auth.example.com"), Some("a"), "auth.example.com"),
            ("eu-west-1", Some("auth.example.com"), None, "auth.example.com"),
        ] {
            assert_eq!(host_in(region, custom, prefix).unwrap(), expected);
        }
    }

    #[test]
    fn a_pool_without_a_domain_is_a_problem_that_says_what_helps() {
        let problem = host_in("eu-west-1", None, None).unwrap_err();
        assert!(problem.to_string().contains("UserPoolAuthDomain"), "{problem}");
    }
}
