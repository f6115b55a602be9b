//! The control thread: starts everything, carries out commands, and takes it all down again.

use std::{net::SocketAddr, sync::mpsc as std_mpsc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    Command, ReloadError, StartError, Surroundings,
    engine::{Engine, Leave},
    listeners::Kind,
    notify,
    reload::{self, Prepared},
    upgrade::{Offer, Takeover},
};
use crate::config::{ConfigError, Settings};

/// The addresses that were really taken.
pub(super) struct Addresses {
    pub(super) http: Vec<SocketAddr>,
    pub(super) https: Vec<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
}

/// What a server is started with.
pub(super) struct Start {
    pub(super) settings: Settings,
    pub(super) surroundings: Surroundings,
    /// The process to take over from.
    pub(super) takeover: Option<Takeover>,
    /// For what finds out by itself that something is to be done.
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

/// Runs a server from its start to its end.
pub(super) fn run(
    start: Start,
    ready: &std_mpsc::SyncSender<Result<Addresses, StartError>>,
    commands: mpsc::UnboundedReceiver<Command>,
) {
    for warning in start.settings.warnings() {
        tracing::warn!(target: "portcullis", "{warning}");
    }
    let (control, addresses) = match Control::start(start, commands) {
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
        pid = std::process::id(),
        "ready"
    );
    let _ = ready.send(Ok(addresses));
    control.run();
    tracing::info!(target: "portcullis", "stopped");
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

struct Control {
    engine: Engine,
    commands: mpsc::UnboundedReceiver<Command>,
    reloading: Option<Reloading>,
    _offer: Option<Offer>,
}

/// The next generation in the making, and who waits for it.
struct Reloading {
    prepared: JoinHandle<Result<Prepared, ReloadError>>,
    asked: oneshot::Sender<Result<(), ReloadError>>,
}

impl Control {
    fn start(start: Start, commands: mpsc::UnboundedReceiver<Command>) -> Result<(Self, Addresses), StartError> {
        let Start {
            settings,
            surroundings,
            mut takeover,
            commands: sender,
        } = start;
        let lent = takeover.as_mut().map(Takeover::take_listeners).unwrap_or_default();
        let socket = settings.upgrade.socket.clone();
        let engine = Engine::set_up(settings, surroundings, lent)?;
        let addresses = Addresses {
            http: engine.listeners.addresses(Kind::Http),
            https: engine.listeners.addresses(Kind::Https),
            admin: engine.listeners.addresses(Kind::Admin).first().copied(),
        };
        let taken = takeover.map_or(Ok(()), Takeover::complete);
        let offered = taken.map_err(StartError::from).and_then(|()| {
            let offer = socket.map(|socket| Offer::make(&socket, sender, engine.runtime.handle()));
            Ok(offer.transpose()?)
        });
        let offer = match offered {
            Ok(offer) => offer,
            Err(error) => {
                engine.take_down();
                return Err(error);
            }
        };
        let control = Self {
            engine,
            commands,
            reloading: None,
            _offer: offer,
        };
        Ok((control, addresses))
    }

    fn run(mut self) {
        let runtime = self.engine.runtime.handle().clone();
        runtime.block_on(self.obey());
        self.engine.take_down();
    }

    /// Until nothing is left to be done here.
    async fn obey(&mut self) {
        let mut end: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    None | Some(Command::Stop) => return,
                    Some(Command::Drain) => end = Some(self.leave(Leave::Closing)),
                    Some(Command::HandedOver { to }) => {
                        notify::main_process(to);
                        end = Some(self.leave(Leave::HandedOver));
                        // Whoever reads this may count on it.
                        tracing::info!(target: "portcullis", to, "handed over: draining");
                    }
                    Some(Command::Lend(asked)) => {
                        // Whoever asked may have gone.
                        let _ = asked.send(self.engine.listeners.lend());
                    }
                    Some(Command::Reload(settings, asked)) => self.reload(settings, asked),
                    Some(Command::ReopenLogs) => self.engine.reopen_logs(),
                    Some(Command::RenewCertificates) => self.engine.renew_certificates(),
                },
                prepared = prepared(&mut self.reloading) => self.finish_reload(prepared),
                () = self.engine.empty(), if end.is_some() => {
                    tracing::info!(target: "portcullis", "drained");
                    return;
                }
                () = sleep_until(end.unwrap_or_else(far_away)), if end.is_some() => {
                    tracing::warn!(target: "portcullis", "requests were cut off at the end of the drain time");
                    return;
                }
            }
        }
    }

    fn leave(&mut self, leave: Leave) -> Instant {
        Instant::now() + self.engine.leave(leave)
    }

    /// Begins to prepare the next generation; one that is still being prepared is given up for it.
    fn reload(
        &mut self,
        settings: Result<Box<Settings>, ConfigError>,
        asked: oneshot::Sender<Result<(), ReloadError>>,
    ) {
        if let Some(before) = self.reloading.take() {
            before.prepared.abort();
            let _ = before.asked.send(Err(ReloadError::Superseded));
        }
        let prepared = settings
            .map_err(ReloadError::from)
            .and_then(|settings| self.engine.prepare(*settings));
        match prepared {
            Ok(preparation) => {
                let prepared = tokio::spawn(reload::prepare(preparation));
                self.reloading = Some(Reloading { prepared, asked });
            }
            Err(error) => {
                let _ = asked.send(self.engine.reloaded(Err(error)));
            }
        }
    }

    fn finish_reload(&mut self, prepared: Result<Prepared, ReloadError>) {
        let result = prepared.and_then(|prepared| self.engine.install(prepared));
        let result = self.engine.reloaded(result);
        if let Some(reloading) = self.reloading.take() {
            let _ = reloading.asked.send(result);
        }
    }
}

/// Never ready while nothing is being prepared.
async fn prepared(reloading: &mut Option<Reloading>) -> Result<Prepared, ReloadError> {
    match reloading {
        Some(reloading) => (&mut reloading.prepared).await.unwrap_or(Err(ReloadError::Superseded)),
        None => std::future::pending().await,
    }
}

/// For a branch that is switched off.
fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}
