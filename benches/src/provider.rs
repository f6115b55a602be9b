//! An identity provider for proxies whose viewers come with tokens that have expired.

use std::io;

use dev_idp::{Client, DevIdp, Settings};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::runtime::Runtime;

use crate::sessions;

/// Why there is none.
#[derive(Debug, Error)]
pub enum ProviderError {
    /// It does not start.
    #[error("start the identity provider: {0}")]
    Start(#[from] dev_idp::StartError),
    /// Nor does its thread.
    #[error("start the identity provider: {0}")]
    Runtime(io::Error),
}

/// The identity provider, on a thread of its own.
#[derive(Debug)]
pub struct Provider {
    running: Option<dev_idp::Running>,
    runtime: Runtime,
}

impl Provider {
    /// Starts it, with the app client of [`crate::sessions`].
    ///
    /// # Errors
    /// If the system gives no thread or no port.
    pub fn start() -> Result<Self, ProviderError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(ProviderError::Runtime)?;
        let settings = Settings {
            region: "eu-west-1".to_owned(),
            pool_id: sessions::POOL.to_owned(),
            clients: vec![Client::public(sessions::CLIENT_ID).callback("*").sign_out("*")],
            ..Settings::default()
        };
        let running = runtime.block_on(DevIdp::start(settings))?;
        Ok(Self {
            running: Some(running),
            runtime,
        })
    }

    /// Names it in a site's sign-in, with its keys beside ours.
    pub fn enter(&self, auth: &mut Value) {
        let Some(running) = &self.running else { return };
        auth["cognitoAuthDomain"] = json!(running.addr().to_string());
        auth["insecureLoopbackHttp"] = json!(true);
        auth["jwksUri"] = json!(running.jwks_url());
        if let (Some(keys), Some(theirs)) = (auth["jwks"]["keys"].as_array_mut(), running.jwks()["keys"].as_array()) {
            keys.extend(theirs.iter().cloned());
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }
}
