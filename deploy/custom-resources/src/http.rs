//! Plain HTTP calls: CloudFormation's presigned URLs, a pool's keys, a function's package.

use std::{error::Error, io, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::crypto::ring;
use tokio::time::timeout;

use crate::problem::Problem;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Nothing but the status matters of a reply to a PUT.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// A client on hyper, with ring and the system's root certificates.
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new() -> io::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Fetches at most `limit` bytes.
    pub(crate) async fn get(&self, call: &'static str, url: &str, limit: usize) -> Result<Vec<u8>, Problem> {
        let request = Request::builder().uri(url).body(Full::default());
        self.send(call, request, limit).await
    }

    /// Answers CloudFormation. Its URLs are signed for an empty content type.
    pub(crate) async fn put(&self, url: &str, body: &str) -> Result<(), Problem> {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(url)
            .header(header::CONTENT_TYPE, "")
            .body(Full::from(body.to_owned()));
        self.send("the response url", request, MAX_REPLY_BYTES).await.map(drop)
    }

    async fn send(
        &self,
        call: &'static str,
        request: http::Result<Request<Full<Bytes>>>,
        limit: usize,
    ) -> Result<Vec<u8>, Problem> {
        let unreachable = |cause: String| Problem::Unreachable { call, cause };
        let request = request.map_err(|_| unreachable("not a url".to_owned()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| chain(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), limit).collect().await;
            let body = body.map_err(|error| chain(&*error))?.to_bytes();
            Ok((status, body.to_vec()))
        };
        let (status, body) = timeout(TIMEOUT, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no reply after {} s", TIMEOUT.as_secs())))
            .map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(Problem::Reply {
            call,
            found: format!("status {}", status.as_u16()),
            expected: "status 200",
        })
    }
}

/// An error with its causes. Hyper's errors name hosts, never paths, queries or bodies.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
