//! One function: an event in, its result out.

use std::{fmt, time::Duration};

use auth_core::{
    Authenticator, Capabilities, Config, ConfiguredHeaders, Decision, Endpoint, Reason, Step, http_headers_from_json,
    rewrite_trailing_slash,
};
use auth_driver::{Driver, HttpClient, SystemEntropy, now};
use serde_json::value::{RawValue, to_raw_value};
use tracing::info;

use crate::{
    Role, SettingsError, Sites,
    event::{Event, EventError, ViewerRequest},
    raw_object::RawObject,
    response,
};

/// What the calls of an invocation may take. CloudFront ends viewer functions after 5 s, and shows an
/// error page of its own; ours, which says what to do, has to be there before.
pub const TIME_BUDGET: Duration = Duration::from_millis(4600);

/// Kept back from the time that an invocation has left, for the answer to be written and read.
const RESERVE: Duration = Duration::from_millis(400);

/// A function of one role under one configuration, kept warm between invocations: keys, verified tokens
/// and connections stay.
pub struct Function<C> {
    role: Role,
    work: Work,
    driver: Driver<C>,
}

/// What a role needs of the configuration.
enum Work {
    Authenticate(Sites<Authenticator>, Option<Endpoint>),
    AddHeaders(Sites<ConfiguredHeaders>),
    RewriteTrailingSlash,
}

impl<C> fmt::Debug for Function<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl<C: HttpClient> Function<C> {
    /// Checks `configuration`, the text of configuration.json, for what the role needs of it.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(role: Role, configuration: &[u8], client: C) -> Result<Self, SettingsError> {
        let work = match role {
            Role::CheckAuth | Role::ParseAuth | Role::RefreshAuth | Role::SignOut | Role::AllInOne => {
                let endpoint = role.endpoint();
                Work::Authenticate(authenticators(endpoint, configuration)?, endpoint)
            }
            Role::HttpHeaders => Work::AddHeaders(Sites::read(configuration, http_headers_from_json)?),
            // Its configuration.json may hold anything or nothing.
            Role::RewriteTrailingSlash => Work::RewriteTrailingSlash,
        };
        Ok(Self {
            role,
            work,
            driver: Driver::new(client, TIME_BUDGET),
        })
    }

    /// Answers an event: the JSON text of a request that passes, a response, or a generated response.
    /// `remaining` is the time that Lambda leaves this invocation.
    ///
    /// # Errors
    /// When the event cannot be answered; the invocation is to fail.
    pub async fn answer(&self, event: &str, remaining: Duration) -> Result<Box<RawValue>, EventError> {
        let event = Event::parse(event)?;
        match &self.work {
            Work::Authenticate(sites, endpoint) => {
                let budget = remaining.saturating_sub(RESERVE).min(TIME_BUDGET);
                self.authenticate(sites, *endpoint, &event, budget).await
            }
            Work::AddHeaders(sites) => self.add_headers(sites, &event),
            Work::RewriteTrailingSlash => rewrite(event.request()?),
        }
    }

    async fn authenticate(
        &self,
        sites: &Sites<Authenticator>,
        endpoint: Option<Endpoint>,
        event: &Event<'_>,
        budget: Duration,
    ) -> Result<Box<RawValue>, EventError> {
        let raw = event.request()?;
        let viewer = ViewerRequest::parse(raw)?;
        let cookies = viewer.cookies();
        let request = viewer.to_core(&cookies)?;
        let distribution = event.distribution();
        let Some(site) = sites.find(request.host, &distribution.distribution_domain_name) else {
            info!(
                role = self.role.as_str(),
                request_id = &*distribution.request_id,
                "unknown host"
            );
            return response::misdirected();
        };
        let (now, rng) = (now(), &mut SystemEntropy::new());
        let step = match endpoint {
            Some(endpoint) => site.begin_at(endpoint, &request, now, rng),
            None => site.begin(&request, now, rng),
        };
        let decision = match step {
            Step::Decided(decision) => decision,
            Step::Call(pending) => self.driver.settle_within(pending, budget).await,
        };
        self.log(decision.reason(), &distribution.request_id);
        match decision {
            Decision::Forward(_) => Ok(raw.to_owned()),
            Decision::Respond(response) => response::generated(&response),
        }
    }

    fn log(&self, reason: Reason, request_id: &str) {
        info!(
            role = self.role.as_str(),
            reason = reason.as_str(),
            request_id,
            "decided"
        );
    }

    fn add_headers(&self, sites: &Sites<ConfiguredHeaders>, event: &Event<'_>) -> Result<Box<RawValue>, EventError> {
        let response = event.response()?;
        let distribution = event.distribution();
        let host = event.request().and_then(ViewerRequest::parse);
        let host = host.as_ref().ok().and_then(|request| request.host().ok());
        match sites.find(host.unwrap_or_default(), &distribution.distribution_domain_name) {
            Some(configured) => response::merge_headers(response, configured),
            None => {
                info!(
                    role = self.role.as_str(),
                    request_id = &*distribution.request_id,
                    "unknown host"
                );
                Ok(to_raw_value(&response)?)
            }
        }
    }
}

fn authenticators(endpoint: Option<Endpoint>, configuration: &[u8]) -> Result<Sites<Authenticator>, SettingsError> {
    Sites::read(configuration, |json| {
        let config = match endpoint {
            Some(endpoint) => Config::for_endpoint(endpoint, json)?,
            None => Config::from_json(json)?,
        };
        Ok(Authenticator::new(config, Capabilities::EDGE))
    })
}

/// Only `uri` changes; a request that needs no change is handed back as it came.
fn rewrite(raw: &RawValue) -> Result<Box<RawValue>, EventError> {
    let mut request: RawObject<'_> = serde_json::from_str(raw.get())?;
    let uri = request.get("uri").ok_or(EventError::Lacks("uri"))?;
    let uri: String = serde_json::from_str(uri.get())?;
    match rewrite_trailing_slash(&uri) {
        None => Ok(raw.to_owned()),
        Some(uri) => {
            request.set("uri", to_raw_value(&uri)?);
            Ok(to_raw_value(&request)?)
        }
    }
}
