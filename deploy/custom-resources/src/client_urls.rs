//! Callback and sign-out URLs of an app client: ours are added, and taken away again.
//!
//! UpdateUserPoolClient resets every field that it is not given. So what DescribeUserPoolClient shows is
//! sent back member by member, those included that this program has never heard of.

mod client;

use aws_sdk_cognitoidentityprovider::Client;
use serde_json::{Map, Value, json};
use tracing::warn;

use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    properties::Properties,
    services::Services,
    user_pool::AppClient,
    wait::pause,
};

/// Stands in the client of a new stack, because Cognito wants one and the distribution is not there yet.
const PLACEHOLDER: &str = "https://example.com/will-be-replaced";
/// Others may change the client at the same time.
const ATTEMPTS: u32 = 10;
const CONCURRENT: [&str; 1] = ["ConcurrentModificationException"];
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// What a stack wants of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    callback: Vec<String>,
    sign_out: Vec<String>,
    scopes: Vec<String>,
}

impl Wanted {
    fn of(properties: &Properties) -> Result<Self, Problem> {
        let mut hosts = properties.list("CloudFrontDistributionDomainName")?;
        hosts.extend(properties.list("Aliases")?);
        hosts.extend(properties.list("AlternateDomainNames")?);
        let urls = |name: &str| -> Result<Vec<String>, Problem> {
            let path = properties.text(name)?;
            if !path.starts_with('/') {
                return Err(Problem::property(
                    name,
                    format!("{path:?}"),
                    "a path that starts with /",
                ));
            }
            let mut urls = Vec::new();
            for host in &hosts {
                include(&mut urls, &format!("https://{host}{path}"));
            }
            Ok(urls)
        };
        Ok(Self {
            callback: urls("RedirectPathSignIn")?,
            sign_out: urls("RedirectPathSignOut")?,
            scopes: properties.list("OAuthScopes")?,
        })
    }
}

/// A change of a client: URLs to take away, then what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    client: AppClient,
    physical_id: String,
    take_away: Wanted,
    want: Wanted,
    /// Nothing is wanted any more.
    deletes: bool,
}

fn plan(event: &Event) -> Result<Plan, Problem> {
    let client = AppClient::of(&event.properties)?;
    let own = Wanted::of(&event.properties)?;
    let deletes = event.request == RequestType::Delete;
    // Of another client, CloudFormation has us take the URLs away when it deletes the old resource.
    let same = AppClient::of(&event.old_properties).is_ok_and(|old| old == client);
    let take_away = match event.request {
        RequestType::Delete => own.clone(),
        RequestType::Update if same => Wanted::of(&event.old_properties).unwrap_or_default(),
        RequestType::Create | RequestType::Update => Wanted::default(),
    };
    Ok(Plan {
        physical_id: event.keep_or(same, || format!("{}/{}/urls", client.pool.id, client.id)),
        client,
        take_away,
        want: if deletes { Wanted::default() } else { own },
        deletes,
    })
}

/// The members of an UpdateUserPoolClient request; `None` where the client is already as it should be.
fn update(plan: &Plan, described: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut client = described.clone();
    let callback = urls(&client, "CallbackURLs", &plan.take_away.callback, &plan.want.callback);
    // Cognito wants at least one where a code flow is allowed.
    let callback = if callback.is_empty() {
        vec![PLACEHOLDER.to_owned()]
    } else {
        callback
    };
    client.insert("CallbackURLs".to_owned(), json!(callback));
    let sign_out = urls(&client, "LogoutURLs", &plan.take_away.sign_out, &plan.want.sign_out);
    client.insert("LogoutURLs".to_owned(), json!(sign_out));
    if !plan.deletes {
        let scopes = with(texts(&client, "AllowedOAuthScopes"), &plan.want.scopes);
        client.insert("AllowedOAuthScopes".to_owned(), json!(scopes));
        let flows = with(texts(&client, "AllowedOAuthFlows"), &["code".to_owned()]);
        client.insert("AllowedOAuthFlows".to_owned(), json!(flows));
        client.insert("AllowedOAuthFlowsUserPoolClient".to_owned(), json!(true));
    }
    (client != *described).then(|| client::updatable(client))
}

/// What stands there, without what goes, with what comes. The default stays only while it still stands there.
fn urls(client: &Map<String, Value>, member: &str, take_away: &[String], want: &[String]) -> Vec<String> {
    let mut there = texts(client, member);
    there.retain(|url| !take_away.contains(url) || want.contains(url));
    if !want.is_empty() {
        there.retain(|url| url != PLACEHOLDER);
    }
    with(there, want)
}

fn with(mut there: Vec<String>, want: &[String]) -> Vec<String> {
    for text in want {
        include(&mut there, text);
    }
    there
}

fn include(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

fn texts(client: &Map<String, Value>, member: &str) -> Vec<String> {
    let list = client.get(member).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let plan = plan(event)?;
    let cognito = services.cognito(&plan.client.pool.region);
    match bring_about(&plan, &cognito).await {
        Err(problem) if plan.deletes && problem.is_refusal(&GONE) => {
            warn!(%problem, "nothing to take away");
        }
        outcome => outcome?,
    }
    Ok(Done::new(plan.physical_id)
        .with("RedirectUrisSignIn", plan.want.callback.join(","))
        .with("RedirectUrisSignOut", plan.want.sign_out.join(",")))
}

async fn bring_about(plan: &Plan, cognito: &Client) -> Result<(), Problem> {
    let mut attempt = 0;
    loop {
        let described = client::describe(cognito, &plan.client).await?;
        let Some(request) = update(plan, &described) else {
            return Ok(());
        };
        match client::update(cognito, &plan.client, &request).await {
            Err(problem) if problem.is_refusal(&CONCURRENT) && attempt + 1 < ATTEMPTS => {
                pause(attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests;
