//! The proxy's client, on reqwest.
//!
//! Redirects are not followed, replies not decompressed, failed attempts not repeated behind our back.
//! A proxy in the environment (`HTTPS_PROXY` and its like) is deliberately not used: a client secret
//! must not take a way that a stray variable chose.

use std::time::Duration;

use auth_core::{CallError, HttpCall, HttpReply};
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect, retry,
};
use rustls::pki_types::CertificateDer;

use super::{FORM, HttpClient, chain, content_type, loopback};
use crate::tls::{self, TlsError};

/// As short as is useful: load balancers drop idle connections after a minute or more.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client on reqwest. Its connections belong to the tokio runtime that made them: use one client a
/// runtime.
#[derive(Clone, Debug)]
pub struct ReqwestClient {
    inner: Client,
}

impl ReqwestClient {
    /// A client that trusts the system's roots, or those in the file that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// When no root certificate can be read.
    pub fn new() -> Result<Self, TlsError> {
        Self::build(None)
    }

    /// A client that trusts these roots and no others.
    ///
    /// # Errors
    /// When a root is not a certificate.
    pub fn with_roots(roots: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        Self::build(Some(roots))
    }

    fn build(roots: Option<Vec<CertificateDer<'static>>>) -> Result<Self, TlsError> {
        let inner = Client::builder()
            .tls_backend_preconfigured(tls::client_config(roots)?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .dns_resolver(LoopbackAware)
            .build()
            .map_err(|error| TlsError::Client(chain(&error)))?;
        Ok(Self { inner })
    }
}

impl HttpClient for ReqwestClient {
    async fn send(&self, call: &HttpCall) -> Result<HttpReply, CallError> {
        let mut request = match &call.form {
            Some(form) => self
                .inner
                .post(&call.url)
                .header(CONTENT_TYPE, FORM)
                .body(form.expose().clone()),
            None => self.inner.get(&call.url),
        };
        if let Some(authorization) = &call.authorization {
            let mut value = HeaderValue::try_from(authorization.expose().as_str())
                .map_err(|_| CallError::Broken("authorization is not a header value".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        read(request.send().await.map_err(call_error)?, call.max_reply_bytes).await
    }
}

fn call_error(error: reqwest::Error) -> CallError {
    // The URL says nothing that the purpose of the call does not.
    let error = error.without_url();
    if error.is_connect() {
        CallError::Connect(chain(&error))
    } else {
        CallError::Broken(chain(&error))
    }
}

async fn read(mut response: Response, limit: usize) -> Result<HttpReply, CallError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(CallError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(data) = response.chunk().await.map_err(call_error)? {
        if body.len() + data.len() > limit {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(HttpReply {
        status: response.status().as_u16(),
        content_type: content_type(response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes)),
        body,
    })
}

/// The resolver of [`loopback`], in the form that reqwest takes.
#[derive(Clone, Copy, Debug)]
struct LoopbackAware;

impl Resolve for LoopbackAware {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Addrs = Box::new(loopback::resolve(name.as_str()).await?.into_iter());
            Ok(addresses)
        })
    }
}
