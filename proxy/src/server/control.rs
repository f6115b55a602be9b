//! The control thread: sets everything up, watches over it, and takes it down again.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc as std_mpsc},
    time::Duration,
};

use auth_driver::ReqwestClient;
use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::{Semaphore, mpsc, watch},
};

use super::{
    Command, StartError,
    listener::{self, Reception},
    worker::Worker,
};
use crate::{
    admin::{Admin, Readiness},
    config::Settings,
    gateway::Shared,
    generation::{Generation, InForce, Means},
    metrics::Metrics,
    tls,
};

/// Calls to identity providers, credentials, the admin listener and accepting: all light.
const CONTROL_THREADS: usize = 2;
/// For what is still running on the control runtime at the end, such as a provider's slow answer.
const RUNTIME_END: Duration = Duration::from_millis(100);

/// The addresses that were really taken.
pub(super) struct Addresses {
    pub(super) http: Vec<SocketAddr>,
    pub(super) https: Vec<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
}

/// Runs a server from its start to its end.
pub(super) fn run(
    settings: Settings,
    ready: &std_mpsc::SyncSender<Result<Addresses, StartError>>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let drain = settings.drain;
    for warning in settings.warnings() {
        tracing::warn!(target: "portcullis", "{warning}");
    }
    let (server, addresses) = match Engine::set_up(settings) {
        Ok(started) => started,
        Err(error) => {
            // The starter waits for exactly this.
            let _ = ready.send(Err(error));
            return;
        }
    };
    tracing::info!(
        target: "portcullis",
        http = list(&addresses.http),
        https = list(&addresses.https),
        admin = addresses.admin.map(tracing::field::display),
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    let _ = ready.send(Ok(addresses));
    server.watch(&mut commands, drain);
    tracing::info!(target: "portcullis", "stopped");
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

struct Engine {
    runtime: Runtime,
    workers: Arc<[Worker]>,
    room: Arc<Semaphore>,
    connections: u32,
    draining: watch::Sender<bool>,
    readiness: Readiness,
    metrics: Arc<Metrics>,
}

impl Engine {
    fn set_up(settings: Settings) -> Result<(Self, Addresses), StartError> {
        let tls = tls::load(&settings.listen.tls)?;
        let (http, http_addrs) = bind_all(&settings.listen.http)?;
        let (https, https_addrs) = bind_all(&settings.listen.https)?;
        let admin = settings.admin.map(listener::bind).transpose()?;
        let admin_addr = admin.as_ref().map(|(_, address)| *address);

        let runtime = Builder::new_multi_thread()
            .worker_threads(CONTROL_THREADS)
            .thread_name("control")
            .enable_all()
            .build()?;
        let metrics = Arc::new(Metrics::new()?);
        let readiness = Readiness::new();
        let means = Means {
            metrics: Arc::clone(&metrics),
            client: ReqwestClient::new()?,
            control: runtime.handle().clone(),
        };
        let generation = runtime.block_on(Generation::build(&settings, &means))?;
        let shared = Arc::new(Shared {
            generation: InForce::new(generation),
            metrics: Arc::clone(&metrics),
            readiness: readiness.clone(),
            control: runtime.handle().clone(),
        });
        let (draining, draining_watch) = watch::channel(false);
        let workers: Arc<[Worker]> = (0..settings.threads.get())
            .map(|index| Worker::start(index, &shared, draining_watch.clone()))
            .collect::<Result<_, _>>()?;
        let connections = u32::try_from(settings.limits.connections.get()).unwrap_or(u32::MAX);
        let server = Self {
            room: Arc::new(Semaphore::new(connections as usize)),
            connections,
            readiness,
            runtime,
            workers,
            draining,
            metrics,
        };
        server.readiness.set(true);
        server.listen(http, None, "http")?;
        server.listen(https, tls, "https")?;
        if let Some((listener, _)) = admin {
            let admin = Admin::new(Arc::clone(&server.metrics), server.readiness.clone());
            server.enter(|| TcpListener::from_std(listener)).map(|listener| {
                server.runtime.spawn(admin.serve(listener));
            })?;
        }
        server.metrics.configuration_loaded(auth_driver::now());
        let addresses = Addresses {
            http: http_addrs,
            https: https_addrs,
            admin: admin_addr,
        };
        Ok((server, addresses))
    }

    fn enter<T>(&self, make: impl FnOnce() -> std::io::Result<T>) -> Result<T, StartError> {
        let _entered = self.runtime.enter();
        Ok(make()?)
    }

    fn listen(
        &self,
        listeners: Vec<std::net::TcpListener>,
        tls: Option<Arc<ServerConfig>>,
        label: &str,
    ) -> Result<(), StartError> {
        for listener in listeners {
            let listener = self.enter(|| TcpListener::from_std(listener))?;
            let reception = Reception {
                workers: Arc::clone(&self.workers),
                room: Arc::clone(&self.room),
                draining: self.draining.subscribe(),
            };
            let gauge = self.metrics.connections.with_label_values(&[label]);
            self.runtime.spawn(reception.accept(listener, tls.clone(), gauge));
        }
        Ok(())
    }

    fn watch(self, commands: &mut mpsc::UnboundedReceiver<Command>, drain: Duration) {
        self.runtime.block_on(async {
            if commands.recv().await == Some(Command::Drain) {
                tokio::select! {
                    () = self.drain() => tracing::info!(target: "portcullis", "drained"),
                    () = tokio::time::sleep(drain) => {
                        tracing::warn!(target: "portcullis", "requests were cut off at the end of the drain time");
                    }
                    () = until_stop(commands) => {}
                }
            }
        });
        self.take_down();
    }

    /// Returns as soon as no connection is left.
    async fn drain(&self) {
        self.readiness.set(false);
        self.metrics.draining.set(1);
        // The receivers live as long as there is something to drain.
        let _ = self.draining.send(true);
        // Every connection holds a permit.
        let _ = self.room.acquire_many(self.connections).await;
    }

    fn take_down(self) {
        self.readiness.set(false);
        // Ends the accepting tasks, which share the workers.
        self.runtime.shutdown_timeout(RUNTIME_END);
        self.workers.iter().for_each(Worker::end);
    }
}

async fn until_stop(commands: &mut mpsc::UnboundedReceiver<Command>) {
    while let Some(command) = commands.recv().await {
        if command == Command::Stop {
            return;
        }
    }
}

fn bind_all(addresses: &[SocketAddr]) -> Result<(Vec<std::net::TcpListener>, Vec<SocketAddr>), StartError> {
    let bound = addresses
        .iter()
        .copied()
        .map(listener::bind)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(bound.into_iter().unzip())
}
