//! `portcullis demo`: sign-in in front of a private bucket, all of it on this machine.
//!
//! One process holds an identity provider, an S3-compatible store with the sample site, and the proxy itself,
//! which runs from an ordinary configuration and knows nothing of being in a demo. It serves this machine only,
//! and leaves nothing behind.

mod announcement;
mod arguments;
mod configuration;
mod error;
mod readiness;
mod site;
pub mod store;

use std::{io::Write as _, process::ExitCode};

use dev_idp::{Client, DevIdp, User};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

pub use self::{announcement::Account, arguments::Arguments, error::DemoError};
use crate::server::{self, Server};

/// A demo that is running.
#[derive(Debug)]
pub struct Demo {
    /// Where to go with a browser.
    pub url: String,
    /// Where the metrics are.
    pub admin: String,
    /// Where one signs in.
    pub idp: String,
    /// Who can.
    pub accounts: Vec<Account>,
    server: server::Running,
    provider: dev_idp::Running,
    store: store::Running,
}

/// Who can sign in. Passwords that nobody would take for real ones.
const ACCOUNTS: [(&str, &str, &[&str]); 2] = [("alice", "Portcullis-1", &["admins"]), ("bob", "Portcullis-2", &[])];

impl Demo {
    /// Starts everything on the current Tokio runtime, and returns when all of it answers.
    ///
    /// # Errors
    /// Why it does not start. Nothing is left behind.
    pub async fn start(arguments: &Arguments) -> Result<Self, DemoError> {
        arguments.expect_local()?;
        let accounts: Vec<Account> = ACCOUNTS.iter().map(Account::from).collect();
        let provider = DevIdp::start(provider_settings(arguments, &accounts))
            .await
            .map_err(|error| DemoError::of_provider(error, arguments))?;
        let store = store::Store::start(([127, 0, 0, 1], 0).into()).await?;
        site::upload(&store, &configuration::page_settings(&provider)).await?;
        let settings = configuration::settings(arguments, &provider, &store)?;
        let server = tokio::task::spawn_blocking(|| Server::start(settings))
            .await
            .map_err(|_| DemoError::Interrupted)?
            .map_err(|error| DemoError::of_server(error, arguments))?;
        let demo = Self {
            url: announcement::site_url(&server)?,
            admin: announcement::admin_url(&server)?,
            idp: format!("http://{}", arguments::reachable(provider.addr())),
            accounts,
            server,
            provider,
            store,
        };
        readiness::wait(&demo.server).await?;
        Ok(demo)
    }

    /// Stops everything: requests in flight are finished first.
    pub async fn shutdown(self) {
        let server = self.server;
        // A panic in there has been reported by then, and the rest still has to stop.
        let _ = tokio::task::spawn_blocking(move || server.shutdown()).await;
        self.provider.shutdown().await;
        self.store.shutdown().await;
    }
}

fn provider_settings(arguments: &Arguments, accounts: &[Account]) -> dev_idp::Settings {
    let hosts = configuration::HOSTS.iter();
    let client = hosts.fold(Client::public(configuration::CLIENT_ID), |client, host| {
        client
            .callback(format!("http://{host}:*/parseauth").as_str())
            .sign_out(format!("http://{host}:*/").as_str())
    });
    dev_idp::Settings {
        listen: arguments.idp,
        clients: vec![client],
        users: accounts
            .iter()
            .map(|account| User::new(&account.username, &account.password).groups(&account.groups))
            .collect(),
        ..dev_idp::Settings::default()
    }
}

/// Runs a demo until Ctrl-C or SIGTERM.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    log_to_stderr();
    let outcome = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(DemoError::Threads)
        .and_then(|runtime| runtime.block_on(run_to_the_end(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "portcullis: failed to start the demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_to_the_end(arguments: &Arguments) -> Result<(), DemoError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(DemoError::Threads)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DemoError::Threads)?;
    let demo = tokio::select! {
        started = Demo::start(arguments) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let announced = demo.announce(arguments.json, std::io::stdout().lock());
    if announced.is_ok() {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = demo.server.stopped() => {}
        }
    }
    demo.shutdown().await;
    announced.map_err(DemoError::Unheard)
}

/// Standard output is for the announcement alone.
fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .finish();
    // An embedding program, as a test, may have its own subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests;
