//! Asks the core, and carries out the calls it needs.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use auth_core::{Access, Decision, Endpoint, Forward, Reason, Request, Scheme, Step};
use auth_driver::{Clock, SystemEntropy};
use pingora::{Result, http::RequestHeader, proxy::Session};
use smallvec::SmallVec;
use tokio::runtime::Handle;

use super::failure;
use crate::{
    admission::{Admitted, Connection, Transport, query, raw_path},
    config::Conduct,
    cookies, headers,
    site::Site,
};

/// What the connection says of a request.
pub(super) fn connection(session: &Session) -> Connection {
    let peer = session.client_addr().and_then(|address| address.as_inet());
    let tls = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
    Connection {
        // Every listener is TCP; an unspecified address is trusted by nobody.
        peer: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip()),
        transport: if tls { Transport::Tls } else { Transport::Plain },
    }
}

/// Whether the request target has a fragment. Pingora drops it before anyone can see that it was there; some
/// parser on the way here may have kept it, and read another path (T-PATH-2).
pub(super) fn has_fragment(session: &Session) -> bool {
    let Some(connection) = session.as_downstream().as_http1() else {
        return false;
    };
    let head = connection.get_headers_raw_bytes();
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    memchr::memchr(b'#', line).is_some()
}

/// The decision on a request for that endpoint, known by its id. Known sessions are decided upon right here; only a
/// decision that needs the identity provider goes to the control runtime.
pub(super) async fn decide(
    (request, endpoint, id): (&RequestHeader, Endpoint, &str),
    admitted: &Admitted,
    site: &Arc<Site>,
    control: &Handle,
    clock: Clock,
) -> Result<Decision> {
    let Some(gate) = &site.gate else {
        return Ok(Decision::Forward(Forward {
            access: Access::Public,
            response_cookies: Vec::new(),
            reason: Reason::Public,
        }));
    };
    let started = Instant::now();
    let fields = cookies::fields(&request.headers, request.version);
    let step = {
        let cookies: SmallVec<[&str; 1]> = fields.iter().map(AsRef::as_ref).collect();
        let view = Request {
            method: request.method.as_str(),
            scheme: scheme(admitted, site),
            host: &admitted.host,
            path: raw_path(request),
            query: query(request),
            cookies: &cookies,
            headers: &headers::Fields {
                of: &request.headers,
                id: Some(id),
                target_of: match site.conduct {
                    Conduct::Proxy => Some(request),
                    Conduct::Edge => None,
                },
            },
        };
        gate.authenticator
            .begin_at(endpoint, &view, clock.now(), &mut SystemEntropy::new())
    };
    let computing = started.elapsed();
    let decision = settle(step, site, control).await?;
    site.metrics.decided(endpoint, &decision, computing);
    Ok(decision)
}

/// At the edge redirects to ourselves say https, whatever the viewer used.
fn scheme(admitted: &Admitted, site: &Site) -> Scheme {
    match site.conduct {
        Conduct::Proxy => admitted.scheme,
        Conduct::Edge => Scheme::Https,
    }
}

async fn settle(step: Step, site: &Arc<Site>, control: &Handle) -> Result<Decision> {
    let pending = match step {
        Step::Decided(decision) => return Ok(decision),
        Step::Call(pending) => pending,
    };
    let Some(gate) = &site.gate else {
        return Err(failure::internal("a call without a gate"));
    };
    let driver = Arc::clone(&gate.driver);
    control
        .spawn(async move { driver.settle(pending).await })
        .await
        .map_err(|_| failure::internal("the control runtime is gone"))
}
