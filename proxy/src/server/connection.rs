//! One viewer's connection from its handshake to its end.

use std::sync::Arc;

use bytes::BytesMut;
use http::StatusCode;
use pingora::{
    apps::{HttpPersistentSettings, HttpServerApp as _, ServerApp as _},
    protocols::{ALPN, IO, Ssl as _, Stream, http::ServerSession},
    proxy::HttpProxy,
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, timeout},
};

use super::{
    close,
    head::{self, HeadError, HeadLimits},
    in_turn::InTurn,
    viewer::ViewerConnection,
    worker::End,
};
use crate::{
    config::Limits,
    gateway::{Gateway, Shared},
    metrics::{RequestOutcome, UNKNOWN_SITE, Verdict},
};

/// Serves a connection until it ends, or until the server closes and no request is under way.
pub(super) async fn serve<S: IO + 'static>(
    stream: Box<InTurn<S>>,
    proxy: &Arc<HttpProxy<Gateway>>,
    shared: &Shared,
    end: End,
) {
    if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
        serve_http2(stream, proxy, end).await;
    } else {
        serve_http1(stream, proxy, shared, end).await;
    }
}

/// Until the connection has had its requests, or draining begins: then the viewer is told to go (GOAWAY).
async fn serve_http2(stream: Stream, proxy: &Arc<HttpProxy<Gateway>>, mut end: End) {
    let Some(connection) = ViewerConnection::in_digest(stream.get_proxy_digest().as_ref()) else {
        return;
    };
    let retired = connection.retired();
    let retiring = async {
        // An error means that the server is gone, which is the end as well.
        let _ = end.draining.wait_for(|draining| *draining).await;
        connection.retire();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = proxy.process_new(stream, &retired) => {}
        () = retiring => {}
    }
}

async fn serve_http1<S: IO + 'static>(
    mut stream: Box<InTurn<S>>,
    proxy: &Arc<HttpProxy<Gateway>>,
    shared: &Shared,
    mut end: End,
) {
    let mut dropped = stream.when_dropped();
    let mut settings: Option<HttpPersistentSettings> = None;
    let mut early = BytesMut::new();
    loop {
        let quit = async {
            // An error means that the server is gone, which is the end as well.
            let _ = end.closing.wait_for(|closing| *closing).await;
        };
        // A kept connection waits by the limits that were in force when its last request ended.
        let limits = shared.generation.take().limits;
        let head = head::read(&mut *stream, early, head_limits(&limits), quit).await;
        stream.limit_stall(limits.write);
        let head = match head {
            Ok(head) => stream.begin(head),
            Err(error) => return refuse(stream, error, shared).await,
        };
        let mut session = ServerSession::new_http1(stream);
        match settings.take() {
            Some(settings) => settings.apply_to_session(&mut session),
            None => {
                session.set_keepalive(Some(limits.idle.as_secs().max(1)));
                session.set_keepalive_reuses_remaining(Some(limits.connection_requests.saturating_sub(1)));
            }
        }
        session.set_pipelined_prefix(head);
        let Some(reused) = proxy.process_new_http(session, &end.draining).await else {
            if let Ok(mut stream) = dropped.try_recv() {
                close::linger(&mut *stream).await;
            }
            return;
        };
        let (kept, kept_settings) = reused.consume();
        // What Pingora keeps is what it was given.
        let Ok(kept) = kept.into_any().downcast::<InTurn<S>>() else {
            return;
        };
        (stream, settings) = (kept, kept_settings);
        early = match stream.end() {
            Some(early) => early,
            None => return close::in_stages(&mut *stream).await,
        };
    }
}

const fn head_limits(limits: &Limits) -> HeadLimits {
    HeadLimits {
        bytes: limits.header_bytes,
        time: limits.header,
        idle: limits.idle,
    }
}

async fn refuse(mut stream: Box<impl IO>, error: HeadError, shared: &Shared) {
    let Some(status) = error.status() else { return };
    let started = Instant::now();
    let answer = async {
        stream.write_all(short_answer(status).as_bytes()).await?;
        stream.flush().await
    };
    // Whether the viewer still listens is its own affair.
    if let Ok(Ok(())) = timeout(close::LINGER, answer).await {
        close::in_stages(&mut *stream).await;
    }
    shared.metrics.unknown_host(&RequestOutcome {
        status: status.as_u16(),
        verdict: Verdict::Refused,
        duration: started.elapsed(),
        body_bytes: 0,
    });
    tracing::info!(
        target: "portcullis::access",
        site = UNKNOWN_SITE,
        status = status.as_u16(),
        decision = Verdict::Refused.as_str(),
        reason = error.label(),
        "request"
    );
}

fn short_answer(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        status.as_u16()
    )
}
