//! `portcullis explain`: what becomes of a request, step by step, and why.
//!
//! The steps are those of a running proxy, by the same code: admission, site, behaviour, the core's decision.
//! No origin is asked. The identity provider is called only when that is wished for; otherwise the call is
//! named. Nothing that gives access is shown.

mod explanation;
mod provider;
mod request;
mod rules;
mod token;

use std::time::Duration;

use auth_core::{Authenticator, Capabilities, Config, Endpoint, Reason, Request, Scheme, Step, UnixTime};
use auth_driver::{Clock, Driver, ReqwestClient, SystemEntropy};
use http::StatusCode;
use thiserror::Error;

pub(crate) use explanation::Explanation;
use explanation::Outcome;
pub(crate) use request::Arguments;
use request::Posed;

use crate::{
    admission::{AdmissionRules, Admitted, Refusal, query, raw_path},
    config::{AuthSettings, BehaviourSettings, Conduct, HostPattern, HttpViewers, Settings, SiteSettings},
    cookies,
    discovery::DiscoveryError,
    headers, mask,
};

/// Time for what the identity provider is asked.
const BUDGET: Duration = Duration::from_secs(15);

/// Why a request cannot be explained.
#[derive(Debug, Error)]
pub(crate) enum ExplainError {
    /// The arguments make no request.
    #[error("{0}")]
    Request(String),
    /// The claims cannot be read.
    #[error("read the claims from {file}: {problem}")]
    Claims {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The identity provider does not say where its endpoints are.
    #[error("find out about the identity provider: {0}")]
    Discovery(#[from] DiscoveryError),
    /// The identity provider cannot be called.
    #[error("set up the client for identity providers: {0}")]
    Client(#[from] auth_driver::TlsError),
    /// The system gives no runtime.
    #[error("start a runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Explains what the settings make of a request.
///
/// # Errors
/// When there is no request to explain, or no way to call the identity provider.
pub(crate) fn explain(settings: &Settings, arguments: &Arguments) -> Result<Explanation, ExplainError> {
    let posed = Posed::read(arguments)?;
    let mut explanation = Explanation::of(&posed);
    let admission = AdmissionRules {
        limits: settings.limits,
        websocket_origins: settings.websocket_origins.clone(),
        trusted_proxies: Vec::new(),
        plain_http: settings.listen.plain_http,
    };
    let admitted = match admission.admit(&posed.header, posed.connection) {
        Ok(admitted) => admitted,
        Err(refusal) => return Ok(explanation.refused(refusal)),
    };
    let Some(site) = find_site(settings, &admitted) else {
        return Ok(explanation.refused(Refusal::HostUnknown));
    };
    explanation.step(
        "host",
        Outcome::Found,
        format!("{}: site {:?}", admitted.host, site.name),
    );
    if site.http_viewers != HttpViewers::Served && admitted.spoken == Scheme::Http {
        let status = site.http_viewers.redirect_status(&posed.header.method);
        return Ok(explanation.answered(status, "https", "plain http is sent to https"));
    }
    let Some(behaviour) = behave(&mut explanation, site, &admitted, &posed) else {
        return Ok(explanation);
    };
    let auth = provider::find(&mut explanation, site, posed.online)?;
    let AuthSettings::Required { config, .. } = &*auth else {
        return Ok(explanation.passes("auth-off", "the site is public (insecure_auth_off)"));
    };
    decide(&mut explanation, config, site, &admitted, &posed)?;
    if explanation.is_passing() && !behaviour.methods.contain(&posed.header.method) {
        return Ok(explanation.answered(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "not a method of the behaviour",
        ));
    }
    Ok(explanation)
}

fn find_site<'s>(settings: &'s Settings, admitted: &Admitted) -> Option<&'s SiteSettings> {
    let fitting = settings.sites.iter().filter_map(|site| {
        let weight = HostPattern::best(&site.hosts, &admitted.host_name, admitted.port);
        weight.map(|weight| (weight, site))
    });
    fitting.max_by_key(|(weight, _)| *weight).map(|(_, site)| site)
}

/// Path and behaviour; `None`: the request goes no further.
fn behave<'s>(
    explanation: &mut Explanation,
    site: &'s SiteSettings,
    admitted: &Admitted,
    posed: &Posed,
) -> Option<&'s BehaviourSettings> {
    let (behaviour, name) = match &admitted.path {
        Ok(path) => {
            explanation.step("path", Outcome::Right, format!("{} has one reading", path.as_str()));
            let found = site.behaviours.iter().find(|entry| entry.path.matches(path.decoded()));
            found.map_or((&site.default, "default".to_owned()), |entry| {
                (&entry.settings, entry.path.to_string())
            })
        }
        Err(error) if site.conduct == Conduct::Edge => {
            let detail = format!("{error}: decided upon as at the edge, but not passed on");
            explanation.step("path", Outcome::Wrong, detail);
            (&site.default, "default".to_owned())
        }
        Err(error) => {
            explanation.refuse(Refusal::Path(*error));
            return None;
        }
    };
    explanation.step("behaviour", Outcome::Found, name);
    if site.conduct == Conduct::Edge && !behaviour.methods.contain(&posed.header.method) {
        explanation.refuse(Refusal::Method);
        return None;
    }
    Some(behaviour)
}

fn decide(
    explanation: &mut Explanation,
    config: &Config,
    site: &SiteSettings,
    admitted: &Admitted,
    posed: &Posed,
) -> Result<(), ExplainError> {
    let capabilities = match site.conduct {
        Conduct::Proxy => Capabilities::PROXY,
        Conduct::Edge => Capabilities::EDGE,
    };
    let authenticator = Authenticator::new(config.clone(), capabilities);
    let path = raw_path(&posed.header);
    let endpoint = config.endpoint_of(path);
    explanation.step("endpoint", Outcome::Found, endpoint_name(endpoint));
    let fields = cookies::fields(&posed.header.headers, posed.header.version);
    let fields: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
    let request = Request {
        method: posed.header.method.as_str(),
        scheme: if site.conduct == Conduct::Edge {
            Scheme::Https
        } else {
            admitted.scheme
        },
        host: &admitted.host,
        path,
        query: query(&posed.header),
        cookies: &fields,
        headers: &headers::Fields {
            of: &posed.header.headers,
            id: None,
            target_of: (site.conduct == Conduct::Proxy).then_some(&posed.header),
        },
    };
    let demand = match endpoint {
        Endpoint::Protected => rules::explain(explanation, &authenticator, &request),
        _ => None,
    };
    if let (Some(claims), Endpoint::Protected) = (&posed.claims, endpoint) {
        let reason = authenticator.judge_claims(&request, claims, posed.clock.now());
        explanation.step("cookies", Outcome::Skipped, "claims are given in place of a token");
        viewer(explanation, config, demand, reason, token::Source::Claims);
        explanation.supposed(reason);
        return Ok(());
    }
    let names: Vec<&str> = request
        .cookies
        .iter()
        .flat_map(|field| mask::cookie_names(field))
        .collect();
    explanation.step("cookies", Outcome::Found, describe_names(&names));
    let step = authenticator.begin_at(endpoint, &request, posed.clock.now(), &mut SystemEntropy::new());
    let decision = match step {
        Step::Decided(decision) => decision,
        Step::Call(pending) => {
            let call = pending.call();
            let named = format!("{} at {}", call.purpose.as_str(), mask::url(&call.url));
            if !posed.online {
                explanation.step("call", Outcome::Skipped, format!("{named}; not made without --online"));
                explanation.waits(call.purpose.as_str());
                return Ok(());
            }
            explanation.step("call", Outcome::Made, named);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let driver = Driver::new(ReqwestClient::new()?, BUDGET).with_clock(posed.clock);
            runtime.block_on(driver.settle(pending))
        }
    };
    if endpoint == Endpoint::Protected {
        viewer(explanation, config, demand, decision.reason(), token::Source::Cookie);
    }
    explanation.decided(&decision, admitted.path.is_err());
    Ok(())
}

/// The checks on what the viewer brought, and what the rule that holds says of it.
fn viewer(
    explanation: &mut Explanation,
    config: &Config,
    demand: Option<Reason>,
    reason: Reason,
    source: token::Source,
) {
    let by_rule = match reason {
        Reason::ClaimRequired | Reason::EmailDomain | Reason::ScopeRequired => true,
        Reason::GroupRequired => demand.is_some() && config.required_group().is_none(),
        _ => false,
    };
    match (demand, reason) {
        (_, Reason::NoRule | Reason::RuleDenied | Reason::PathAmbiguous) => {}
        (_, Reason::Public) => explanation.step("token", Outcome::Skipped, "not asked for"),
        _ if by_rule => token::explain(explanation, Reason::SessionVerified, source),
        _ => token::explain(explanation, reason, source),
    }
    let passes = matches!(reason, Reason::SessionKnown | Reason::SessionVerified);
    if by_rule || passes && demand == Some(Reason::SessionAbsent) {
        rules::conclude(explanation, reason);
    }
}

const fn endpoint_name(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Protected => "protected",
        Endpoint::SignIn => "sign-in (redirectPathSignIn)",
        Endpoint::Refresh => "refresh (redirectPathAuthRefresh)",
        Endpoint::SignOut => "sign-out (signOutUrl)",
        Endpoint::StartSignIn => "start of a sign-in",
        Endpoint::Session => "session",
        Endpoint::Renewal => "renewal of the session",
        Endpoint::InUse => "note of the session's use",
        Endpoint::SignedOut => "landing page of a sign-out",
    }
}

fn describe_names(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// The clock of an explanation.
fn clock(at: Option<i64>) -> Clock {
    at.map_or(Clock::System, |secs| Clock::Stopped(UnixTime::from_secs(secs)))
}
