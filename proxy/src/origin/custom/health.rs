//! The health check: each server is asked for one path now and then. Two failures in a row leave it out, one
//! answer takes it in again. The checks run beside the requests and delay none.

use std::{sync::Arc, time::Duration};

use http::{Version, header::HOST};
use pingora::{connectors::http::Connector, http::RequestHeader};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::servers::{Health, Server, Servers};
use crate::{config::HealthCheck, origin::task::Background};

/// What of a server that is slow is not slow but down.
const ATTEMPT: Duration = Duration::from_secs(5);
const FAILURES: u32 = 2;

/// Checks the servers for as long as the result lives.
pub(super) fn watch(servers: &Arc<Servers>, check: &HealthCheck, runtime: &Handle) -> Vec<Background> {
    let connector = Arc::new(Connector::new(None));
    let tasks = (0..servers.all().len()).map(|index| {
        let (servers, check, connector) = (Arc::clone(servers), check.clone(), Arc::clone(&connector));
        Background::spawn(runtime, async move {
            if let Some(server) = servers.all().get(index) {
                keep_checking(&servers, server, &check, &connector).await;
            }
        })
    });
    tasks.collect()
}

async fn keep_checking(servers: &Servers, server: &Server, check: &HealthCheck, connector: &Connector) {
    let mut failures: u32 = 0;
    loop {
        let is_well = timeout(ATTEMPT, ask(server, &check.path, connector)).await;
        failures = match is_well {
            Ok(Ok(true)) => 0,
            _ => failures.saturating_add(1),
        };
        if failures == 0 {
            servers.checked(server, Health::Passing);
        } else if failures >= FAILURES {
            if failures == FAILURES {
                let host = String::from_utf8_lossy(server.host.as_bytes()).into_owned();
                tracing::warn!(target: "portcullis", host, "an origin's server fails its health check");
            }
            servers.checked(server, Health::Failing);
        }
        sleep(check.interval).await;
    }
}

/// Whether the server answers with a status below 400.
async fn ask(server: &Server, path: &str, connector: &Connector) -> pingora::Result<bool> {
    let peer = server
        .upstream
        .peer()
        .map_err(|_| pingora::Error::explain(pingora::ErrorType::ConnectError, "no address"))?;
    let (mut session, _) = connector.get_http_session(&*peer).await?;
    let mut request = RequestHeader::build("GET", path.as_bytes(), Some(2))?;
    request.set_version(Version::HTTP_11);
    request.insert_header(HOST, server.host.clone())?;
    request.insert_header("User-Agent", "portcullis-health-check")?;
    session.write_request_header(Box::new(request)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    let status = session.response_header().map(|header| header.status.as_u16());
    session.shutdown().await;
    Ok(status.is_some_and(|status| (200..400).contains(&status)))
}
