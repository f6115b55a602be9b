//! The store's accept loop, and what its HTTP front does as S3 does and s3s does not.

use http::{
    HeaderMap, HeaderName, HeaderValue, Request,
    header::{AUTHORIZATION, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, SERVER},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{Body, service::S3Service};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Duration, sleep},
};

use crate::origin::range::{self, Requested};

/// Pause after a failed accept, which mostly means that descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

const CONDITIONS: [HeaderName; 5] = [
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    IF_RANGE,
];

/// The preconditions of a request, out of s3s's reach: it takes a list of tags for a mistake.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions(pub(super) HeaderMap);

/// Serves until `stop` changes or its sender is gone; what is in flight then is cut off.
pub(super) async fn serve(listener: TcpListener, service: S3Service, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve_connection(stream, service.clone()))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => return,
        }
    }
}

async fn serve_connection(stream: TcpStream, service: S3Service) {
    // Without it answers are late, not wrong.
    let _ = stream.set_nodelay(true);
    let handler = service_fn(|mut request: Request<Incoming>| {
        set_conditions_aside(&mut request);
        let service = &service;
        async move {
            let mut response = service.call(request.map(Body::from)).await?;
            // What a viewer must never see, so that the demo and the tests would show it.
            response
                .headers_mut()
                .insert(SERVER, HeaderValue::from_static("EmbeddedStore"));
            response
                .headers_mut()
                .insert("x-amz-request-id", HeaderValue::from_static("EMBEDDEDSTORE000"));
            Ok::<_, s3s::HttpError>(response)
        }
    });
    // A connection that breaks is the client's business.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .await;
}

/// Moves preconditions to where [`Objects`](super::objects::Objects) finds them, and drops a Range that S3
/// would ignore. What is signed has to stay for the signature's sake.
fn set_conditions_aside<B>(request: &mut Request<B>) {
    let headers = request.headers();
    let mut conditions = HeaderMap::new();
    for name in CONDITIONS {
        for value in headers.get_all(&name) {
            conditions.append(name.clone(), value.clone());
        }
    }
    let mut needless: Vec<HeaderName> = CONDITIONS.into();
    if range::requested(headers, u64::MAX) == Requested::Whole {
        needless.push(RANGE);
    }
    needless.retain(|name| !is_signed(name, headers));
    for name in needless {
        request.headers_mut().remove(name);
    }
    request.extensions_mut().insert(Conditions(conditions));
}

fn is_signed(name: &HeaderName, headers: &HeaderMap) -> bool {
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let signed = authorization.split_once("SignedHeaders=").map_or("", |(_, rest)| rest);
    signed
        .split(',')
        .next()
        .is_some_and(|list| list.split(';').any(|signed| signed == name.as_str()))
}
