//! HTTP/2 (RFC 9113): several requests at a time on one connection, cookies in a field each, as browsers send
//! them.

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::{Answer, Failure},
    mix::Request,
    target::{Security, Target},
};

/// Of flow control: as large as browsers', so that what is measured is not our own slowness.
const STREAM_WINDOW: u32 = 6 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 15 * 1024 * 1024;

/// A handle to a connection.
#[derive(Clone)]
pub(super) struct Http2(SendRequest<Bytes>);

impl Http2 {
    /// Greets the server. The connection goes on by itself for as long as there is a handle.
    pub(super) async fn start(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Self, Failure> {
        let mut builder = Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false);
        let (sender, connection) = builder.handshake(stream).await.map_err(|_| Failure::Handshake)?;
        tokio::task::spawn_local(async move {
            // Its requests learn of its end by themselves.
            let _ = connection.await;
        });
        Ok(Self(sender))
    }

    pub(super) async fn ask(&mut self, target: &Target, request: &Request) -> Result<Answer, Failure> {
        let head = head(target, request)?;
        let mut sender = self.0.clone().ready().await.map_err(|_| Failure::Ended)?;
        let (response, _) = sender.send_request(head, true).map_err(failure)?;
        let response = response.await.map_err(failure)?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut body_bytes = 0;
        while let Some(data) = body.data().await {
            let data = data.map_err(failure)?;
            body_bytes += data.len() as u64;
            // It fails only for more than there was.
            let _ = body.flow_control().release_capacity(data.len());
        }
        Ok(Answer {
            status,
            body_bytes,
            reusable: true,
        })
    }
}

fn failure(error: h2::Error) -> Failure {
    let unprocessed = error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM);
    match error.is_reset() {
        _ if unprocessed => Failure::Ended,
        true => Failure::Reset,
        false => Failure::Closed,
    }
}

fn head(target: &Target, request: &Request) -> Result<http::Request<()>, Failure> {
    let scheme = match target.security {
        Security::Plain => "http",
        Security::Tls { .. } => "https",
    };
    let mut builder = http::Request::builder().uri([scheme, "://", &target.authority, &request.target].concat());
    for (name, value) in &target.headers {
        builder = builder.header(name, value);
    }
    if let Some(authorization) = &request.authorization {
        builder = builder.header(http::header::AUTHORIZATION, &**authorization);
    }
    if !request.cookies.is_empty() {
        for cookie in request.cookies.header().split("; ") {
            builder = builder.header(http::header::COOKIE, cookie);
        }
    }
    builder.body(()).map_err(|_| Failure::Malformed)
}
