//! The operators' listener: metrics and health, never on the viewers' ports (T-ADMIN-1, T-HEALTH-1).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{Method, Response, StatusCode, Uri, header};
use pingora::{
    apps::{ServerApp as _, http_app::ServeHttp},
    protocols::http::ServerSession,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    cache::{CacheCell, Purge},
    metrics::Metrics,
    server::ViewerStream,
};

/// Whether balancers should send requests here.
#[derive(Clone, Debug)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Not yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers operators and their machines.
#[derive(Debug)]
pub(crate) struct Admin {
    metrics: Arc<Metrics>,
    readiness: Readiness,
    cache: Arc<CacheCell>,
}

impl Admin {
    pub(crate) const fn new(metrics: Arc<Metrics>, readiness: Readiness, cache: Arc<CacheCell>) -> Self {
        Self {
            metrics,
            readiness,
            cache,
        }
    }

    /// Accepts until the runtime ends, so that the end can still be watched.
    pub(crate) async fn serve(self, listener: Arc<TcpListener>) {
        let admin = Arc::new(self);
        let (_never, running) = watch::channel(false);
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let admin = Arc::clone(&admin);
                    let running = running.clone();
                    tokio::spawn(async move {
                        admin
                            .process_new(Box::new(ViewerStream::new(stream, peer)), &running)
                            .await;
                    });
                }
                Err(error) => {
                    tracing::warn!(target: "portcullis", %error, "an admin connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn answer(&self, method: &Method, uri: &Uri) -> (StatusCode, &'static str, Vec<u8>) {
        const TEXT: &str = "text/plain; charset=utf-8";
        let path = uri.path();
        if path == "/purge" {
            let (status, said) = self.purge(method, uri.query().unwrap_or_default());
            return (status, TEXT, said.into_bytes());
        }
        if *method != Method::GET && *method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, TEXT, b"only GET\n".to_vec());
        }
        match path {
            "/metrics" => (StatusCode::OK, prometheus::TEXT_FORMAT, self.metrics.encode()),
            "/livez" | "/healthz" | "/ping" => (StatusCode::OK, TEXT, b"ok\n".to_vec()),
            "/readyz" | "/ready" if self.readiness.is_set() => (StatusCode::OK, TEXT, b"ready\n".to_vec()),
            "/readyz" | "/ready" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, b"not ready\n".to_vec()),
            _ => (
                StatusCode::NOT_FOUND,
                TEXT,
                b"/metrics /livez /readyz /purge\n".to_vec(),
            ),
        }
    }

    /// Removes from the cache what the query names.
    fn purge(&self, method: &Method, query: &str) -> (StatusCode, String) {
        if *method != Method::POST {
            return (StatusCode::METHOD_NOT_ALLOWED, "only POST\n".into());
        }
        match Purge::parse(query) {
            Ok(purge) => (StatusCode::OK, format!("purged {}\n", self.cache.purge(&purge))),
            Err(wrong) => (StatusCode::BAD_REQUEST, format!("{wrong}\n")),
        }
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let request = session.req_header();
        let (status, kind, body) = self.answer(&request.method, &request.uri);
        let is_head = request.method == Method::HEAD;
        let response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::CACHE_CONTROL, "no-store")
            .body(if is_head { Vec::new() } else { body });
        // All parts are constants or numbers.
        response.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(admin: &Admin, path: &str) -> u16 {
        admin.answer(&Method::GET, &path.parse().unwrap()).0.as_u16()
    }

    #[test]
    fn readiness_follows_the_server_and_liveness_does_not() {
        let readiness = Readiness::new();
        let admin = Admin::new(Arc::new(Metrics::new().unwrap()), readiness.clone(), Arc::default());
        for ready in [false, true, false] {
            readiness.set(ready);
            let expected = if ready { 200 } else { 503 };
            assert_eq!(status(&admin, "/readyz"), expected);
            assert_eq!(status(&admin, "/ready"), expected);
            assert_eq!(status(&admin, "/livez"), 200);
            assert_eq!(status(&admin, "/healthz"), 200);
        }
    }

    #[test]
    fn nothing_but_the_known_paths_is_answered() {
        let admin = Admin::new(Arc::new(Metrics::new().unwrap()), Readiness::new(), Arc::default());
        assert_eq!(status(&admin, "/metrics"), 200);
        for path in ["/", "/metrics/", "/livez/x", "/debug/pprof"] {
            assert_eq!(status(&admin, path), 404, "{path}");
        }
        assert_eq!(
            admin.answer(&Method::POST, &Uri::from_static("/metrics")).0,
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
}
