//! Records each request and answers it wrongly where a fault is set.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::endpoint::Endpoint;
use crate::faults::{Fault, FaultBody};
use crate::idp::Idp;
use crate::listener::Abort;
use crate::recorder::RecordedRequest;
use crate::routes::oauth_error::OauthError;
use crate::routes::reply;
use crate::tamper::Overrides;

/// Bodies of token and revocation requests; Cognito's limit is not documented, its tokens stay far below this.
const BODY_LIMIT: usize = 256 * 1024;
const CHUNK: usize = 16 * 1024;

/// Put into a request's extensions: how the token endpoint is to lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tampering {
    pub(crate) id_token: Overrides,
    pub(crate) reply: Map<String, Value>,
}

pub(crate) async fn apply(State(idp): State<Arc<Idp>>, request: Request<Body>, next: Next) -> Response {
    let Some(endpoint) = Endpoint::of_path(request.uri().path()) else {
        return next.run(request).await;
    };
    let request = match record(&idp, endpoint, request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let mut fault = idp.faults.take(endpoint);
    while let Some(Fault::Delay { millis, then }) = fault {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        fault = then.map(|fault| *fault);
    }
    match fault {
        None => next.run(request).await,
        Some(fault) => answer(fault, request, next).await,
    }
}

async fn record(idp: &Idp, endpoint: Endpoint, request: Request<Body>) -> Result<Request<Body>, Response> {
    let path = request.uri().to_string();
    let (parts, body) = request.into_parts();
    let (body, bytes) = match endpoint {
        Endpoint::Token | Endpoint::Revoke => {
            let too_large = |_| StatusCode::PAYLOAD_TOO_LARGE.into_response();
            let bytes = to_bytes(body, BODY_LIMIT).await.map_err(too_large)?;
            (Body::from(bytes.clone()), bytes)
        }
        _ => (body, Bytes::new()),
    };
    idp.recorder.add(RecordedRequest::new(
        endpoint,
        &parts.method,
        &path,
        &parts.headers,
        &bytes,
    ));
    Ok(Request::from_parts(parts, body))
}

async fn answer(fault: Fault, request: Request<Body>, next: Next) -> Response {
    match fault {
        Fault::Delay { .. } => next.run(request).await,
        Fault::Status { status, body } => status_reply(status, body),
        Fault::Redirect { location } => reply::redirect(&location),
        Fault::OauthError { error } => OauthError::Other(error).into_response(),
        Fault::Garbage => json_reply(Body::from(&b"\xff\xfe\x00{\"id_token\":\"\x80"[..])),
        Fault::WrongContentType => {
            let mut response = next.run(request).await;
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html;charset=UTF-8"),
            );
            response
        }
        Fault::HugeBody { bytes } => json_reply(huge_body(bytes)),
        Fault::Truncated => unfinished(stream::once(broken_off()).boxed()),
        Fault::Stalled => unfinished(stream::pending().boxed()),
        Fault::Close => abort(Abort::Close),
        Fault::Reset => abort(Abort::Reset),
        Fault::Hang => std::future::pending().await,
        Fault::IdToken(id_token) => {
            tampered(
                Tampering {
                    id_token,
                    ..Tampering::default()
                },
                request,
                next,
            )
            .await
        }
        Fault::Reply { members } => {
            tampered(
                Tampering {
                    reply: members,
                    ..Tampering::default()
                },
                request,
                next,
            )
            .await
        }
    }
}

async fn tampered(tampering: Tampering, mut request: Request<Body>, next: Next) -> Response {
    request.extensions_mut().insert(tampering);
    next.run(request).await
}

fn status_reply(status: u16, body: FaultBody) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match body {
        FaultBody::Json => (status, axum::Json(json!({ "error": "server_error" }))).into_response(),
        FaultBody::Html => {
            let page = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
            (status, axum::response::Html(page)).into_response()
        }
        FaultBody::Empty => status.into_response(),
    }
}

fn json_reply(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json;charset=UTF-8")], body).into_response()
}

/// `{"padding":"aaa…"}`, made as it is sent.
fn huge_body(bytes: usize) -> Body {
    const OPENING: &[u8] = br#"{"padding":""#;
    const ENDING: &[u8] = br#""}"#;
    let padding = bytes.saturating_sub(OPENING.len() + ENDING.len());
    let chunks = (0..padding.div_ceil(CHUNK)).map(move |index| {
        let length = CHUNK.min(padding - index * CHUNK);
        Bytes::from_static(&[b'a'; CHUNK]).slice(..length)
    });
    let parts = std::iter::once(Bytes::from_static(OPENING))
        .chain(chunks)
        .chain([Bytes::from_static(ENDING)]);
    Body::from_stream(stream::iter(parts.map(Ok::<_, std::convert::Infallible>)))
}

/// Half of the announced bytes, then `rest`.
fn unfinished(rest: stream::BoxStream<'static, std::io::Result<Bytes>>) -> Response {
    let half = Bytes::from_static(br#"{"id_token":"eyJ"#);
    let length = half.len() * 2;
    let body = Body::from_stream(stream::iter([Ok(half)]).chain(rest));
    let mut response = json_reply(body);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Ends the body, once what came before it has had its turn to be written.
async fn broken_off() -> std::io::Result<Bytes> {
    tokio::task::yield_now().await;
    Err(std::io::Error::other("truncated on demand"))
}

fn abort(abort: Abort) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(abort);
    response
}
