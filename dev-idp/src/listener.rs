//! The accept loop. Own rather than axum's, because some faults break the connection instead of answering.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// How long requests in flight may take once the provider stops; those that hang on demand are cut off.
const DRAIN: Duration = Duration::from_millis(250);
/// Pause after a failed accept, which mostly means that descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Put into a response's extensions: there is no response, the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abort {
    Close,
    Reset,
}

impl fmt::Display for Abort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("connection ended on demand")
    }
}

impl std::error::Error for Abort {}

/// Serves until `stop` changes or its sender is gone.
pub(crate) async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve_connection(stream, app.clone(), stop.clone()))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    // What is still running then is cut off as the set is dropped.
    tokio::time::timeout(DRAIN, all_done).await.ok();
}

async fn serve_connection(stream: TcpStream, app: Router, mut stop: watch::Receiver<()>) {
    let Ok((stream, socket)) = with_second_handle(stream) else {
        return;
    };
    let service = service_fn(|request: Request<Incoming>| {
        let app = app.clone();
        let socket = &socket;
        async move {
            let response: Response<Body> = app
                .oneshot(request.map(Body::new))
                .await
                .unwrap_or_else(|never| match never {});
            match response.extensions().get::<Abort>() {
                None => Ok(response),
                Some(Abort::Close) => Err(Abort::Close),
                Some(Abort::Reset) => {
                    reset_on_close(socket).ok();
                    Err(Abort::Reset)
                }
            }
        }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await.ok();
        }
    }
}

/// A second descriptor of the same socket, for its options: hyper owns the first.
fn with_second_handle(stream: TcpStream) -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let socket = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, socket))
}

/// Zero linger belongs to the socket, so it holds for every descriptor of it: closing sends RST.
fn reset_on_close(socket: &std::net::TcpStream) -> std::io::Result<()> {
    TcpStream::from_std(socket.try_clone()?)?.set_zero_linger()
}
