//! Everything that runs: the control runtime, the workers, the listeners, the generation in force.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use auth_driver::ReqwestClient;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::{Semaphore, watch},
};

use super::{
    ReloadError, StartError, Surroundings,
    listener::Reception,
    listeners::{self, Bound, Kind, Listeners, Port},
    reload::{Preparation, Prepared},
    worker::{self, End, Worker},
};
use crate::{
    access_log::AccessLog,
    admin::{Admin, Readiness},
    config::Settings,
    gateway::Shared,
    generation::{Generation, InForce, Means},
    log,
    metrics::Metrics,
    throttle::Throttle,
    tls::{Certificates, Tls},
};

/// Calls to identity providers, credentials, the admin listener and accepting: all light.
const CONTROL_THREADS: usize = 2;
/// For what is still running on the control runtime at the end, such as a provider's slow answer.
const RUNTIME_END: Duration = Duration::from_millis(100);

/// Why nothing new is accepted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The service ends: connections without a request are closed.
    Closing,
    /// Another process has taken over. Connections without a request wait for their next one, which is
    /// answered and told to be the last: closing them might cut off a request on its way.
    HandedOver,
}

/// A running server.
pub(super) struct Engine {
    pub(super) runtime: Runtime,
    pub(super) listeners: Listeners,
    settings: Settings,
    workers: Arc<[Worker]>,
    shared: Arc<Shared>,
    means: Means,
    tls: Tls,
    room: Arc<Semaphore>,
    draining: watch::Sender<bool>,
    closing: watch::Sender<bool>,
}

impl Engine {
    pub(super) fn set_up(settings: Settings, surroundings: Surroundings, lent: Vec<Bound>) -> Result<Self, StartError> {
        let certificates = Certificates::load(&settings.listen.tls)?;
        let bound = listeners::bind(&listeners::ports(&settings), lent)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(CONTROL_THREADS)
            .thread_name("control")
            .enable_all()
            .build()?;
        let metrics = Arc::new(Metrics::new()?);
        metrics.certificates_loaded(certificates.ends());
        let access_log = AccessLog::open(&settings.access_log, &metrics, None)?;
        let means = Means {
            metrics: Arc::clone(&metrics),
            client: match surroundings.provider_roots {
                None => ReqwestClient::new()?,
                Some(roots) => ReqwestClient::with_roots(roots)?,
            },
            control: runtime.handle().clone(),
            clock: surroundings.clock,
            cache: Arc::default(),
        };
        let generation = runtime.block_on(Generation::build(&settings, &means, None))?;
        let shared = Arc::new(Shared {
            generation: InForce::new(generation),
            metrics,
            readiness: Readiness::new(),
            access_log: ArcSwap::from_pointee(access_log),
            throttle: Throttle::new(),
            control: runtime.handle().clone(),
            clock: surroundings.clock,
        });
        let (draining, draining_watch) = watch::channel(false);
        let (closing, closing_watch) = watch::channel(false);
        let end = End {
            draining: draining_watch,
            closing: closing_watch,
        };
        let connector = worker::connector();
        let workers: Arc<[Worker]> = (0..settings.threads.get())
            .map(|index| Worker::start(index, &shared, &connector, end.clone()))
            .collect::<Result<_, _>>()?;
        let mut server = Self {
            room: Arc::new(Semaphore::new(connections(&settings) as usize)),
            tls: Tls::new(certificates)?,
            listeners: Listeners::default(),
            settings,
            runtime,
            workers,
            shared,
            means,
            draining,
            closing,
        };
        server.shared.readiness.set(true);
        server.listen(bound)?;
        server.shared.metrics.configuration_loaded(auth_driver::now());
        Ok(server)
    }

    fn listen(&mut self, bound: Vec<Bound>) -> std::io::Result<()> {
        let control = self.runtime.handle().clone();
        let _entered = control.enter();
        for bound in bound {
            match bound.port.kind {
                Kind::Admin => {
                    let shared = &self.shared;
                    let cache = Arc::clone(&self.means.cache);
                    let admin = Admin::new(Arc::clone(&shared.metrics), shared.readiness.clone(), cache);
                    self.listeners.open(bound, |socket| admin.serve(socket))?;
                }
                Kind::Http | Kind::Https => {
                    let accept = self.reception(bound.port);
                    self.listeners.open(bound, accept)?;
                }
            }
        }
        Ok(())
    }

    fn reception(
        &self,
        port: Port,
    ) -> impl FnOnce(Arc<TcpListener>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + use<> {
        let reception = Reception {
            workers: Arc::clone(&self.workers),
            room: Arc::clone(&self.room),
            draining: self.draining.subscribe(),
            port: port.configured,
        };
        let (tls, label) = match port.kind {
            Kind::Https => (Some(self.tls.config()), "https"),
            Kind::Http | Kind::Admin => (None, "http"),
        };
        let gauge = self.shared.metrics.connections.with_label_values(&[label]);
        move |socket| Box::pin(reception.accept(socket, tls, gauge))
    }

    /// What is needed to prepare the next generation; new addresses are taken here.
    pub(super) fn prepare(&self, settings: Settings) -> Result<Preparation, ReloadError> {
        let bound = listeners::bind(&self.listeners.missing(&listeners::ports(&settings)), Vec::new())?;
        Ok(Preparation {
            settings,
            bound,
            before: self.shared.generation.take(),
            access_log: self.shared.access_log.load_full(),
            means: self.means.clone(),
        })
    }

    /// Puts the next generation in force.
    pub(super) fn install(&mut self, prepared: Prepared) -> Result<(), ReloadError> {
        let Prepared {
            settings,
            bound,
            certificates,
            generation,
            access_log,
        } = prepared;
        for warning in settings.warnings() {
            tracing::warn!(target: "portcullis", "{warning}");
        }
        self.warn_of_what_stays(&settings);
        let wanted: Vec<Port> = listeners::ports(&settings);
        for port in self.listeners.missing(&wanted) {
            tracing::info!(target: "portcullis", kind = ?port.kind, address = %port.configured, "listening");
        }
        self.replace_certificates(certificates);
        self.shared.access_log.store(Arc::new(access_log));
        self.shared.generation.replace(generation);
        self.listen(bound)
            .map_err(|error| ReloadError::Start(Box::new(error.into())))?;
        self.listeners.keep(&wanted);
        self.resize(connections(&self.settings), connections(&settings));
        log::set_level(settings.log.level);
        self.settings = settings;
        Ok(())
    }

    fn warn_of_what_stays(&self, new: &Settings) {
        let old = &self.settings;
        let changed = [
            ("threads", old.threads != new.threads),
            ("log.format", old.log.format != new.log.format),
            ("upgrade.socket", old.upgrade.socket != new.upgrade.socket),
        ];
        for (key, _) in changed.iter().filter(|(_, changed)| *changed) {
            tracing::warn!(target: "portcullis", key, "a change of this key needs a restart or an upgrade");
        }
    }

    fn resize(&self, before: u32, now: u32) {
        if now > before {
            self.room.add_permits((now - before) as usize);
        } else if now < before {
            let room = Arc::clone(&self.room);
            self.runtime.spawn(async move {
                // Connections above the new limit stay until they end.
                if let Ok(excess) = room.acquire_many(before - now).await {
                    excess.forget();
                }
            });
        }
    }

    /// Logs and counts how an attempt to reload has ended.
    pub(super) fn reloaded(&self, result: Result<(), ReloadError>) -> Result<(), ReloadError> {
        match &result {
            Ok(()) => {
                self.shared.metrics.configuration_loaded(auth_driver::now());
                tracing::info!(target: "portcullis", "configuration reloaded");
            }
            Err(error) => error.report(),
        }
        self.shared.metrics.configuration_reloaded(result.is_ok());
        result
    }

    /// Begins a new file of the access log.
    pub(super) fn reopen_logs(&self) {
        self.shared.access_log.load().reopen();
    }

    /// Loads the certificates of the configuration in force again. Bad ones leave those in force.
    pub(super) fn renew_certificates(&self) {
        match Certificates::load(&self.settings.listen.tls) {
            Ok(certificates) => {
                self.replace_certificates(certificates);
                tracing::info!(target: "portcullis", "certificates reloaded");
            }
            Err(error) => ReloadError::from(error).report(),
        }
    }

    fn replace_certificates(&self, certificates: Certificates) {
        self.shared.metrics.certificates_loaded(certificates.ends());
        self.tls.replace(certificates);
    }

    /// Accepts nothing more, and says how long what has been accepted may go on.
    pub(super) fn leave(&mut self, leave: Leave) -> Duration {
        self.shared.readiness.set(false);
        self.shared.metrics.draining.set(1);
        // The receivers live as long as there is something to drain.
        let _ = self.draining.send(true);
        match leave {
            Leave::Closing => {
                let _ = self.closing.send(true);
                self.listeners.close(|port| port.kind != Kind::Admin);
                self.settings.drain
            }
            Leave::HandedOver => {
                self.listeners.close(|_| true);
                self.settings.upgrade.drain
            }
        }
    }

    /// Returns as soon as no connection is left.
    pub(super) async fn empty(&self) {
        // Every connection holds a permit.
        let _ = self.room.acquire_many(connections(&self.settings)).await;
    }

    pub(super) fn take_down(self) {
        self.shared.readiness.set(false);
        // Ends the accepting tasks, which share the workers.
        self.runtime.shutdown_timeout(RUNTIME_END);
        self.workers.iter().for_each(Worker::end);
    }
}

fn connections(settings: &Settings) -> u32 {
    u32::try_from(settings.limits.connections.get()).unwrap_or(u32::MAX)
}
