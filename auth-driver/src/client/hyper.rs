//! The lean client, on hyper: what fits into a Lambda@Edge package.
//!
//! CloudFront takes at most 1,048,576 zipped bytes for a viewer function. With reqwest and its
//! platform verifier the program alone came to 1,067,520 bytes (non-PIE, unwind tables removed); with
//! this client to 938,896. HTTP/1.1 only, ring only, roots from the system or `SSL_CERT_FILE`.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use auth_core::{CallError, HttpCall, HttpReply};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use rustls::pki_types::CertificateDer;

use super::{FORM, HttpClient, chain, content_type, loopback};
use crate::tls;

/// An idle connection is not used again after this time: load balancers drop theirs after a minute or
/// more, and a sandbox that slept longer would find a dead one.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

type Inner = Client<HttpsConnector<HttpConnector<LoopbackAware>>, Full<Bytes>>;

/// A client on hyper's HTTP/1.1. Built at the first call: reading some 140 root certificates takes
/// milliseconds that a function which never calls out should not spend.
#[derive(Debug, Default)]
pub struct HyperClient {
    inner: OnceLock<Inner>,
    roots: Option<Vec<CertificateDer<'static>>>,
}

impl HyperClient {
    /// A client that trusts the system's roots, or those in the file that `SSL_CERT_FILE` names.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            inner: OnceLock::new(),
            roots: None,
        }
    }

    /// A client that trusts these roots and no others.
    #[must_use]
    pub const fn with_roots(roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            inner: OnceLock::new(),
            roots: Some(roots),
        }
    }

    fn inner(&self) -> Result<&Inner, CallError> {
        if let Some(inner) = self.inner.get() {
            return Ok(inner);
        }
        let built = build(self.roots.clone())?;
        Ok(self.inner.get_or_init(|| built))
    }
}

fn build(roots: Option<Vec<CertificateDer<'static>>>) -> Result<Inner, CallError> {
    let tls = tls::client_config(roots).map_err(|error| CallError::Connect(error.to_string()))?;
    let mut tcp = HttpConnector::new_with_resolver(LoopbackAware);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build(connector))
}

impl HttpClient for HyperClient {
    async fn send(&self, call: &HttpCall) -> Result<HttpReply, CallError> {
        let request = request(call)?;
        let response = self.inner()?.request(request).await.map_err(|error| {
            if error.is_connect() {
                CallError::Connect(chain(&error))
            } else {
                CallError::Broken(chain(&error))
            }
        })?;
        read(response, call.max_reply_bytes).await
    }
}

fn request(call: &HttpCall) -> Result<Request<Full<Bytes>>, CallError> {
    let mut request = Request::builder().uri(&call.url).header(ACCEPT, "*/*");
    if let Some(authorization) = &call.authorization {
        let mut value = HeaderValue::try_from(authorization.expose().as_str())
            .map_err(|_| CallError::Broken("authorization is not a header value".to_owned()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let request = match &call.form {
        Some(form) => request
            .method("POST")
            .header(CONTENT_TYPE, FORM)
            .body(Full::from(form.expose().clone())),
        None => request.body(Full::default()),
    };
    request.map_err(|error| CallError::Broken(format!("request could not be built: {error}")))
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<HttpReply, CallError> {
    let (head, mut rest) = response.into_parts();
    if rest.size_hint().lower() > limit as u64 {
        return Err(CallError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(frame) = rest.frame().await {
        let frame = frame.map_err(|error| CallError::Broken(chain(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if body.len() + data.len() > limit {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(HttpReply {
        status: head.status.as_u16(),
        content_type: content_type(head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes)),
        body,
    })
}

/// The resolver of [`loopback`], in the form that hyper-util takes.
#[derive(Clone, Copy, Debug)]
struct LoopbackAware;

impl tower_service::Service<Name> for LoopbackAware {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move { Ok(loopback::resolve(name.as_str()).await?.into_iter()) })
    }
}
