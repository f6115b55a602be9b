//! Runs a server for the command line: signals, watched files, and what the service manager is told.
//!
//! SIGTERM and SIGQUIT drain, SIGINT stops at once, and so does a second signal of any of these kinds.
//! SIGHUP reloads, SIGUSR1 begins a new file of the access log. SIGUSR2 starts the program anew, as it is on disk by then, to take over.

use std::path::Path;

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use super::{
    Running, Server, StartError, Surroundings, notify, successor::Successor, upgrade::Takeover, watched::Watched,
};
use crate::config::{ConfigError, Settings, Watch};

/// How the configuration is read, the first time and every other time.
pub(crate) type Load = Box<dyn Fn() -> Result<Settings, ConfigError>>;

/// The signals that mean something here. They are caught from the moment this exists.
struct Signals {
    terminate: Signal,
    quit: Signal,
    interrupt: Signal,
    hang_up: Signal,
    reopen: Signal,
    succeed: Signal,
}

impl Signals {
    /// To be made before anyone learns that the server runs, within a runtime.
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined1())?,
            succeed: signal(SignalKind::user_defined2())?,
        })
    }
}

/// Runs a server until a signal or a successor ends it.
pub(super) fn run(settings: Settings, load: &Load, takeover: Option<Takeover>) -> Result<(), StartError> {
    let successor = Successor::of_this_process();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::catch()?
    };
    let mut watching = Watching::of(&settings);
    let is_successor = takeover.is_some();
    let running = Server::start_with(settings, Surroundings::default(), takeover)?;
    if !is_successor {
        // A successor's word does not count yet; its predecessor has spoken for it.
        notify::ready();
    }
    supervise(&runtime, signals, &running, load, &mut watching, &successor);
    Ok(())
}

fn supervise(
    runtime: &Runtime,
    mut signals: Signals,
    running: &Running,
    load: &Load,
    watching: &mut Watching,
    successor: &Successor,
) {
    runtime.block_on(async {
        let mut ending = false;
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => {
                    tracing::info!(target: "portcullis", "SIGTERM: draining");
                    ending = end(running, if ending { Pace::AtOnce } else { Pace::Draining });
                }
                _ = signals.quit.recv() => {
                    tracing::info!(target: "portcullis", "SIGQUIT: draining");
                    ending = end(running, if ending { Pace::AtOnce } else { Pace::Draining });
                }
                _ = signals.interrupt.recv() => {
                    tracing::info!(target: "portcullis", "SIGINT: stopping");
                    ending = end(running, Pace::AtOnce);
                }
                _ = signals.hang_up.recv(), if !ending => {
                    tracing::info!(target: "portcullis", "SIGHUP: reloading");
                    reload(running, load, watching).await;
                }
                _ = signals.reopen.recv() => running.reopen_logs(),
                _ = signals.succeed.recv(), if !ending => successor.start(),
                change = watching.next() => match change {
                    Change::Certificates => running.renew_certificates(),
                    Change::Configuration => reload(running, load, watching).await,
                },
                () = running.stopped() => return,
            }
        }
    });
}

#[derive(Clone, Copy)]
enum Pace {
    Draining,
    AtOnce,
}

/// Always true: the server is ending from now on.
fn end(running: &Running, pace: Pace) -> bool {
    notify::stopping();
    match pace {
        Pace::Draining => running.drain(),
        Pace::AtOnce => running.stop(),
    }
    true
}

async fn reload(running: &Running, load: &Load, watching: &mut Watching) {
    notify::reloading();
    let settings = load();
    let next = settings.as_ref().ok().map(Watching::of);
    if running.reload(settings).await.is_ok()
        && let Some(next) = next
    {
        *watching = next;
    }
    notify::ready();
}

/// The files that are watched.
struct Watching {
    certificates: Watched,
    others: Watched,
    /// `None`: nothing is watched.
    ticks: Option<tokio::time::Interval>,
    period: Option<std::time::Duration>,
}

enum Change {
    Certificates,
    Configuration,
}

impl Watching {
    fn of(settings: &Settings) -> Self {
        let files = settings.listen.tls.iter();
        let certificates = files.flat_map(|files| [files.cert.as_path(), files.key.as_path()]);
        let others = settings.files.iter().map(|file| -> &Path { file });
        Self {
            certificates: Watched::look(certificates),
            others: match settings.reload.watch {
                Watch::All => Watched::look(others),
                Watch::Off | Watch::Certificates => Watched::default(),
            },
            ticks: None,
            period: (settings.reload.watch != Watch::Off).then_some(settings.reload.interval),
        }
    }

    /// Waits for the next change.
    async fn next(&mut self) -> Change {
        let Some(period) = self.period else {
            return std::future::pending().await;
        };
        // Made here, within the runtime. The first tick comes at once and finds nothing.
        let ticks = self.ticks.get_or_insert_with(|| {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        loop {
            ticks.tick().await;
            let certificates = self.certificates.have_changed();
            if self.others.have_changed() {
                return Change::Configuration;
            }
            if certificates {
                return Change::Certificates;
            }
        }
    }
}
