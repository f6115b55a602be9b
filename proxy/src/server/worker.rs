//! A worker: one thread, one runtime, upstream connections of its own. Nothing is shared with its
//! siblings but what [`Shared`] holds.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use pingora::{
    apps::HttpServerOptions,
    connectors::{ConnectorOptions, TransportConnector},
    listeners::tls::Acceptor,
    protocols::{
        http::v2::server::{H2Options, default_h2_options},
        tls::TlsStream,
    },
    proxy::HttpProxy,
    server::configuration::ServerConf,
};
use prometheus::IntGauge;
use rustls::ServerConfig;
use tokio::{
    net::TcpStream,
    runtime::Builder,
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::timeout,
};

use super::{announced, connection, in_turn::InTurn, stream::ViewerStream};
use crate::{
    config::Limits,
    gateway::{Gateway, Shared},
    upstreams::Upstreams,
};

/// Requests at a time on one HTTP/2 connection; browsers have no more under way.
const HTTP2_STREAMS: u32 = 100;
/// What a viewer may leave with us of its header fields, to refer to instead of sending them again (RFC 7541). A
/// session's cookies have room in it, which they have not in the usual 4 KB: browsers then send them once a connection.
const HTTP2_HEADER_TABLE: u32 = 16 * 1024;
/// Streams that a viewer has reset and that we still remember.
const HTTP2_RESETS: usize = 20;
/// Streams that we had to reset for a viewer's faults.
const HTTP2_PROVOKED_RESETS: usize = 64;

/// How connections learn of the end of service.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// `true`: each request is the last one of its connection.
    pub(super) draining: watch::Receiver<bool>,
    /// `true`: connections without a request are closed.
    pub(super) closing: watch::Receiver<bool>,
}

/// A connection on its way to a worker.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    /// The listener's address as configured.
    pub(super) port: SocketAddr,
    /// `None`: plain HTTP.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Counted while the connection is open.
    pub(super) open: OpenConnection,
}

/// Counts a connection while it is open.
#[derive(Debug)]
pub(super) struct OpenConnection {
    gauge: IntGauge,
    _permit: OwnedSemaphorePermit,
}

impl OpenConnection {
    pub(super) fn new(gauge: IntGauge, permit: OwnedSemaphorePermit) -> Self {
        gauge.inc();
        Self { gauge, _permit: permit }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// A worker's thread and what leads to it.
pub(super) struct Worker {
    queue: mpsc::UnboundedSender<Order>,
    load: Arc<AtomicUsize>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// Counts a connection as load of its worker, however its task ends.
struct Load(Arc<AtomicUsize>);

impl Load {
    fn new(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Order {
    Serve(Accepted, Load),
    End,
}

impl Worker {
    pub(super) fn start(
        index: usize,
        shared: &Arc<Shared>,
        connector: &Arc<TransportConnector>,
        end: End,
    ) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let upstreams = Arc::new(Upstreams::new(Arc::clone(connector)));
        let gateway = Gateway(Arc::clone(shared), Arc::clone(&upstreams));
        let mut proxy = HttpProxy::new(gateway, Arc::new(upstream_conf()));
        let limits = shared.generation.take().limits;
        proxy.h2_options = Some(http2_options(&limits));
        proxy.server_options = Some(server_options(&limits));
        let proxy = Arc::new(proxy);
        let (queue, mut accepted) = mpsc::unbounded_channel::<Order>();
        let thread = thread::Builder::new().name(format!("worker-{index}")).spawn({
            let shared = Arc::clone(shared);
            move || {
                runtime.block_on(async move {
                    tokio::spawn(async move { upstreams.sweep().await });
                    while let Some(Order::Serve(connection, load)) = accepted.recv().await {
                        let proxy = Arc::clone(&proxy);
                        let shared = Arc::clone(&shared);
                        let end = end.clone();
                        tokio::spawn(async move {
                            serve(connection, &proxy, &shared, end).await;
                            drop(load);
                        });
                    }
                });
            }
        })?;
        Ok(Self {
            queue,
            load: Arc::new(AtomicUsize::new(0)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Connections that the worker has at the moment.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Hands a connection over.
    pub(super) fn take(&self, connection: Accepted) {
        // The queue's other end lives until the worker is ended, and nothing is accepted by then.
        let _ = self.queue.send(Order::Serve(connection, Load::new(&self.load)));
    }

    /// Ends the worker, and with it whatever it is still doing.
    pub(super) fn end(&self) {
        let _ = self.queue.send(Order::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has been reported on standard error by then.
            let _ = thread.join();
        }
    }
}

/// Makes the connections of all workers.
pub(super) fn connector() -> Arc<TransportConnector> {
    let options = ConnectorOptions::from_server_conf(&upstream_conf());
    Arc::new(TransportConnector::new(Some(options)))
}

/// How often the origin is asked at most. What is worth another attempt is decided case by case: a kept
/// connection that turned out to be dead, another upstream server, a document in place of an error.
fn upstream_conf() -> ServerConf {
    ServerConf {
        threads: 1,
        work_stealing: false,
        max_retries: 8,
        ..ServerConf::default()
    }
}

/// HTTP/2 connections keep to the limits that were in force when the worker began. Floods of streams that
/// are reset, by the viewer or by provoking us to, end their connection (CVE-2023-44487, CVE-2025-8671).
fn http2_options(limits: &Limits) -> H2Options {
    let mut options = default_h2_options();
    options
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .header_table_size(HTTP2_HEADER_TABLE)
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_concurrent_reset_streams(HTTP2_RESETS)
        .max_pending_accept_reset_streams(HTTP2_RESETS)
        .max_local_error_reset_streams(Some(HTTP2_PROVOKED_RESETS));
    options
}

fn server_options(limits: &Limits) -> HttpServerOptions {
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(limits.idle);
    options
}

async fn serve(accepted: Accepted, proxy: &Arc<HttpProxy<Gateway>>, shared: &Shared, mut end: End) {
    let Accepted {
        stream,
        peer,
        port,
        tls,
        open: _open,
    } = accepted;
    let Ok(mut stream) = TcpStream::from_std(stream) else {
        return;
    };
    let generation = shared.generation.take();
    let handshake = generation.limits.handshake;
    let stream = if generation.announced.contains(&port) {
        let trusted = &generation.rules.trusted_proxies;
        match announced::read(&mut stream, peer, trusted, handshake).await {
            Some((viewer, early)) => ViewerStream::with_early(stream, viewer, early),
            None => return,
        }
    } else {
        ViewerStream::new(stream, peer)
    };
    drop(generation);
    match tls {
        None => connection::serve(Box::new(InTurn::new(stream)), proxy, shared, end).await,
        Some(config) => {
            let stream = tokio::select! {
                stream = shake_hands(stream, config, handshake) => stream,
                _ = end.closing.wait_for(|closing| *closing) => None,
            };
            if let Some(stream) = stream {
                connection::serve(stream, proxy, shared, end).await;
            }
        }
    }
}

async fn shake_hands(
    stream: ViewerStream,
    config: Arc<ServerConfig>,
    limit: Duration,
) -> Option<Box<InTurn<TlsStream<ViewerStream>>>> {
    let acceptor = Acceptor::from_server_config(config);
    let connection = stream.connection();
    match timeout(limit, acceptor.tls_handshake(stream)).await {
        Ok(Ok(stream)) => {
            connection.take_name(&stream);
            Some(Box::new(InTurn::new(stream)))
        }
        Ok(Err(error)) => {
            tracing::debug!(target: "portcullis", kind = error.etype().as_str(), "TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}
