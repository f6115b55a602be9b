//! What is remembered of one request from its header to its log event.

use std::{net::IpAddr, sync::Arc, time::Instant};

use auth_core::{Endpoint, Scheme};
use bytes::Bytes;
use http::StatusCode;
use pingora::http::RequestHeader;

use crate::{
    behaviour::Behaviour,
    cache::{Outcome, RefreshClaim, Ticket, Validated},
    canonical_path::CanonicalPath,
    compression::{Coding, Encoder},
    config::{Conduct, Limits},
    gateway::{Audience, Received},
    identity,
    metrics::Verdict,
    site::Site,
};

/// One request and its response. Without a Debug form: it carries cookies and identity.
pub(crate) struct Exchange {
    /// When its header had been read.
    pub(crate) started: Instant,
    /// The id in log events and headers; empty until the header has been looked at.
    pub(crate) id: String,
    /// The site, once it is known.
    pub(crate) site: Option<Arc<Site>>,
    /// What of ours the path belongs to, once the site is known. A public site has no endpoints.
    pub(crate) endpoint: Endpoint,
    /// How the site serves this path; chosen when the site is.
    pub(crate) behaviour: Option<Arc<Behaviour>>,
    /// What the request may use up.
    pub(crate) limits: Limits,
    /// What has come of its body.
    pub(crate) received: Received,
    /// The request that may pass, once it may.
    pub(crate) passed: Option<Passed>,
    /// Who answers.
    pub(crate) verdict: Verdict,
    /// Why.
    pub(crate) reason: &'static str,
    /// Who may see what the origin says.
    pub(crate) audience: Audience,
    /// Set-Cookie values that ride on the origin's response.
    pub(crate) response_cookies: Vec<String>,
    /// What a custom origin is told of the viewer.
    pub(crate) identity: identity::Fields,
    /// The header for the origin, between its making and its sending.
    pub(crate) upstream_header: Option<Box<RequestHeader>>,
    /// When the origin was asked.
    pub(crate) upstream_started: Option<Instant>,
    /// The document that the origin was asked for in place of its error.
    pub(crate) substitute: Option<Substitute>,
    /// Connections to the origin that could not be made.
    pub(crate) connect_failures: usize,
    /// Our page in place of the origin's body, until it is sent.
    pub(crate) replacement: Replacement,
    /// Compresses the origin's body.
    pub(crate) compressing: Compressing,
    /// What the cache has to do with it.
    pub(crate) cached: Cached,
}

/// The compression of one response.
#[derive(Debug, Default)]
pub(crate) struct Compressing {
    /// The coding the viewer gets of what is compressed here.
    pub(crate) chosen: Option<Coding>,
    /// At work on the body.
    pub(crate) encoder: Option<Encoder>,
    /// The length of the body before.
    pub(crate) plain_length: Option<u64>,
}

/// The cache's part in one request.
#[derive(Debug, Default)]
pub(crate) struct Cached {
    /// What it did; `None`: it is not asked here.
    pub(crate) outcome: Option<Outcome>,
    /// Whether the origin is asked without what only this viewer has.
    pub(crate) is_anonymous: bool,
    /// Lets Pingora's cache fetch and keep the answer.
    pub(crate) ticket: Option<Box<Ticket>>,
    /// The 304 that has just come.
    pub(crate) validated: Option<Validated>,
    /// This is no viewer's request but a revalidation in the background.
    pub(crate) errand: Option<RefreshClaim>,
}

/// What stands in place of the origin's body.
#[derive(Debug, Default)]
pub(crate) enum Replacement {
    /// Nothing: it is passed on.
    #[default]
    None,
    /// This page, not sent yet.
    Page(Bytes),
    /// A page that has been sent.
    Sent,
}

/// A document in place of an origin's error.
#[derive(Debug)]
pub(crate) struct Substitute {
    /// The document's path.
    pub(crate) path: CanonicalPath,
    /// The error, which stays if the document cannot be had.
    pub(crate) error: StatusCode,
    /// The status that the document goes out with.
    pub(crate) status: StatusCode,
}

/// A request that may pass to the origin.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// The path to ask for.
    pub(crate) path: CanonicalPath,
    /// The host as the viewer wrote it.
    pub(crate) host: String,
    /// How the viewer reached us.
    pub(crate) scheme: Scheme,
    /// The viewer's address.
    pub(crate) client: IpAddr,
}

impl Exchange {
    /// Whose equal the site is.
    pub(crate) fn conduct(&self) -> Conduct {
        self.site.as_ref().map_or(Conduct::Proxy, |site| site.conduct)
    }

    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            id: String::new(),
            site: None,
            endpoint: Endpoint::Protected,
            limits: Limits::default(),
            received: Received::default(),
            behaviour: None,
            passed: None,
            verdict: Verdict::Refused,
            reason: "",
            audience: Audience::default(),
            response_cookies: Vec::new(),
            identity: Vec::new(),
            upstream_header: None,
            upstream_started: None,
            substitute: None,
            connect_failures: 0,
            replacement: Replacement::None,
            compressing: Compressing::default(),
            cached: Cached::default(),
        }
    }
}
