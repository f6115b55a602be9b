//! Any HTTP or HTTPS server: an application, a load balancer, another proxy.
//!
//! The viewer's request goes on with the origin's own Host, what is known of the viewer in `X-Forwarded-*`,
//! and the configured headers, each in place of anything the viewer sent under that name. Headers that only
//! concern the viewer's connection stay behind, except for a WebSocket handshake.

mod certificates;
mod health;
mod hop_by_hop;
mod servers;

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{CONNECTION, FORWARDED, HOST, UPGRADE},
    request::Parts,
};
use pingora::{
    ErrorType, OrErr as _,
    http::{RequestHeader, ResponseHeader},
    upstreams::peer::HttpPeer,
};
use prometheus::IntGauge;
use tokio::runtime::Handle;

use self::servers::{Server, Servers};
use super::{
    Admitted, Dispatch, Forwarded, OriginError, OriginRequest, OriginSetupError,
    peer::{Encryption, Upstream},
    task::Background,
};
use crate::config::{CustomSettings, OriginTransport, OriginUrl};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What only a proxy that an origin trusts may say of a request. Some frameworks route by the last two.
const TRUSTED_ONLY: [&str; 10] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
];

/// One server or several to pass requests on to.
#[derive(Debug)]
pub struct CustomOrigin {
    servers: Arc<Servers>,
    _checks: Vec<Background>,
    /// Marked as sensitive, so that their Debug form is hidden.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl CustomOrigin {
    /// Loads certificates, resolves the servers' names and begins to check them where that is wanted.
    ///
    /// # Errors
    /// Certificates that cannot be used, or TLS without a name to verify.
    pub async fn connect(settings: &CustomSettings, runtime: &Handle) -> Result<Self, OriginSetupError> {
        let mut servers = Vec::with_capacity(settings.urls.len());
        for url in &settings.urls {
            servers.push(server(settings, url, runtime).await?);
        }
        let servers = Arc::new(Servers::new(servers));
        let check = settings.health_check.as_ref();
        let headers = settings.headers.iter().map(|(name, value)| {
            let mut value = value.expose().clone();
            value.set_sensitive(true);
            (name.clone(), value)
        });
        Ok(Self {
            _checks: check.map_or_else(Vec::new, |check| health::watch(&servers, check, runtime)),
            servers,
            headers: headers.collect(),
        })
    }

    pub(crate) fn dispatch(&self, request: &OriginRequest<'_>) -> Result<Dispatch, OriginError> {
        let (server, peer) = self.servers.next()?;
        let header = self.header(request, &server.host);
        Ok(Dispatch::Upstream {
            header: Box::new(header.map_err(|_| OriginError::Malformed)?),
            peer,
        })
    }

    /// Shows from now on how many servers are fit.
    pub(crate) fn show_health(&self, gauge: IntGauge) {
        self.servers.show(gauge);
    }

    /// A connection could not be made. Says how many servers there are to try.
    pub(crate) fn connect_failed(&self, peer: &HttpPeer) -> usize {
        self.servers.failed(peer);
        self.servers.all().len()
    }

    /// A connection has been made.
    pub(crate) fn connected(&self, peer: &HttpPeer) {
        self.servers.succeeded(peer);
    }

    /// What the server says is its own affair, except for its connection to us.
    pub(crate) fn admit_response(&self, response: &mut ResponseHeader) -> Admitted {
        for name in hop_by_hop::OF_THE_ANSWER {
            response.remove_header(&name);
        }
        Admitted::AsIs
    }

    fn header(&self, request: &OriginRequest<'_>, host: &HeaderValue) -> pingora::Result<RequestHeader> {
        let mut fields =
            HeaderMap::with_capacity(request.headers.len() + request.identity.len() + self.headers.len() + 6);
        for (name, value) in request.headers {
            if !hop_by_hop::is_listed(name, request.headers) && !is_ours_to_say(name) {
                fields.append(name.clone(), value.clone());
            }
        }
        fields.insert(HOST, host.clone());
        if asks_for_websocket(request.method, request.headers) {
            fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        for (name, value) in request.identity {
            fields.insert(name.clone(), value.clone());
        }
        insert_forwarded(&mut fields, request.forwarded)?;
        for (name, _) in &self.headers {
            fields.remove(name);
        }
        for (name, value) in &self.headers {
            fields.append(name.clone(), value.clone());
        }
        with_fields(request.method, target(request).as_bytes(), fields)
    }
}

/// A request with all its fields at once: put in one by one, Pingora makes each name anew.
fn with_fields(method: &Method, target: &[u8], fields: HeaderMap) -> pingora::Result<RequestHeader> {
    let mut header = RequestHeader::build_no_case(method.clone(), target, Some(0))?;
    header.set_version(Version::HTTP_11);
    let is_in_uri = header
        .uri
        .path_and_query()
        .is_some_and(|known| known.as_str().as_bytes() == target);
    if is_in_uri {
        let mut parts = Parts::from(header);
        parts.headers = fields;
        return Ok(parts.into());
    }
    // A target that is no URI is known to the header alone.
    for (name, value) in &fields {
        header.append_header(name.clone(), value.clone())?;
    }
    Ok(header)
}

async fn server(settings: &CustomSettings, url: &OriginUrl, runtime: &Handle) -> Result<Server, OriginSetupError> {
    let encryption = match url.transport() {
        OriginTransport::Http => Encryption::Plain,
        OriginTransport::Https => Encryption::Tls(settings.sni.clone().unwrap_or_else(|| url.host().to_owned())),
    };
    let mut upstream = Upstream::connect((url.host(), url.port()), encryption, settings.timeouts, runtime).await?;
    let template = upstream.template_mut();
    if let Some(file) = &settings.ca_file {
        template.options.ca = Some(certificates::authorities(file)?);
    }
    if let Some(files) = &settings.client_certificate {
        template.client_cert_key = Some(certificates::client_certificate(files)?);
    }
    let host = match &settings.host {
        Some(host) => host.clone(),
        None => HeaderValue::try_from(url.authority())
            .map_err(|_| OriginSetupError::ServerName { found: url.authority() })?,
    };
    Ok(Server::new(host, upstream))
}

fn target(request: &OriginRequest<'_>) -> String {
    let path = request.path.preserved();
    if request.query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", request.query)
    }
}

fn is_ours_to_say(name: &HeaderName) -> bool {
    *name == HOST || *name == FORWARDED || TRUSTED_ONLY.contains(&name.as_str())
}

fn asks_for_websocket(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    *method == Method::GET
        && upgrade.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
        && hop_by_hop::options(headers).any(|option| option.eq_ignore_ascii_case("upgrade"))
}

fn insert_forwarded(fields: &mut HeaderMap, forwarded: Forwarded<'_>) -> pingora::Result<()> {
    let value = |text: &str| HeaderValue::from_str(text).or_err(ErrorType::InvalidHTTPHeader, "what is forwarded");
    fields.insert(X_FORWARDED_FOR, value(&forwarded.client.to_string())?);
    if let Some((scheme, host)) = forwarded.via {
        fields.insert(X_FORWARDED_PROTO, value(scheme)?);
        fields.insert(X_FORWARDED_HOST, value(host)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
