//! An S3-compatible store within the process, for the demo and the tests: s3s-fs on a temporary folder.
//!
//! Buckets are private: every request needs a signature by the key pair made up at start. What s3s-fs leaves
//! out and a website needs (preconditions, 304 and 412) is added here. It is no store for anything that matters.

mod listener;
mod objects;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use auth_core::Secret;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    error::DisplayErrorContext,
    primitives::ByteStream,
};
use bytes::Bytes;
use ring::rand::{SecureRandom as _, SystemRandom};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use self::objects::Objects;
use crate::{
    config::{MissingStatus, OriginTimeouts, S3Addressing, S3Settings, StaticCredentials},
    origin::media_type,
};

const REGION: &str = "us-east-1";

/// Starts stores.
#[derive(Clone, Copy, Debug)]
pub struct Store;

/// A running store. Dropping it stops it and removes what it held.
#[derive(Debug)]
pub struct Running {
    /// `http://address`, without a trailing slash.
    pub endpoint: String,
    /// The public half of the only key pair that it accepts.
    pub access_key: String,
    /// The secret half.
    pub secret_key: Secret<String>,
    client: Client,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
    folder: TempDir,
}

/// Why a store does not start or does not take an object.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No temporary folder can be made.
    #[error("make a temporary folder: {0}")]
    Folder(#[source] io::Error),
    /// The folder cannot be served.
    #[error("serve {}: {problem}", folder.display())]
    Unservable {
        /// The folder.
        folder: PathBuf,
        /// In the words of s3s-fs.
        problem: String,
    },
    /// The address is taken or not ours.
    #[error("listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("make up credentials: no random bytes")]
    Random,
    /// A bucket or an object is refused.
    #[error("put {key}: {problem}")]
    Put {
        /// Bucket, or bucket and key.
        key: String,
        /// In the words of the SDK.
        problem: String,
    },
}

impl Store {
    /// Listens on `listen` (port 0: a free one) and serves on the current Tokio runtime.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn start(listen: SocketAddr) -> Result<Running, StoreError> {
        let folder = TempDir::with_prefix("portcullis-store-").map_err(StoreError::Folder)?;
        let files = FileSystem::new(folder.path()).map_err(|error| StoreError::Unservable {
            folder: folder.path().to_owned(),
            problem: format!("{error:?}"),
        })?;
        let access_key = format!("DEMO{}", random_hex::<8>()?.to_ascii_uppercase());
        let secret_key = random_hex::<20>()?;
        let mut service = S3ServiceBuilder::new(Objects::new(files, folder.path()));
        service.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.as_str()));
        let taken = |source| StoreError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(taken)?);
        let stop = watch::Sender::new(());
        let serving = tokio::spawn(listener::serve(listener, service.build(), stop.subscribe()));
        Ok(Running {
            client: client(&endpoint, &access_key, &secret_key),
            endpoint,
            access_key,
            secret_key: Secret::new(secret_key),
            stop,
            serving,
            folder,
        })
    }
}

impl Running {
    /// Makes an empty private bucket.
    ///
    /// # Errors
    /// When the name is no bucket's name or is taken.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        let outcome = self.client.create_bucket().bucket(bucket).send().await;
        outcome
            .map(drop)
            .map_err(|error| refused(bucket, DisplayErrorContext(&error)))
    }

    /// Stores an object, its type by its key's extension. The bucket comes into being with its first object.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) -> Result<(), StoreError> {
        self.upload(bucket, key, ByteStream::from(content.into()), None).await
    }

    /// Stores an object that comes with a Cache-Control header.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn put_cached(
        &self,
        bucket: &str,
        key: &str,
        content: impl Into<Bytes>,
        cache_control: &str,
    ) -> Result<(), StoreError> {
        self.upload(bucket, key, ByteStream::from(content.into()), Some(cache_control))
            .await
    }

    /// Stores a file as an object, in constant memory.
    ///
    /// # Errors
    /// When the file cannot be read or the store does not take it.
    pub async fn put_file(&self, bucket: &str, key: &str, file: &Path) -> Result<(), StoreError> {
        let content = ByteStream::from_path(file)
            .await
            .map_err(|error| refused(key, DisplayErrorContext(&error)))?;
        self.upload(bucket, key, content, None).await
    }

    /// The key pair, as an origin's settings want it.
    #[must_use]
    pub fn credentials(&self) -> StaticCredentials {
        StaticCredentials {
            access_key_id: self.access_key.clone(),
            secret_access_key: self.secret_key.clone(),
            session_token: None,
        }
    }

    /// An origin's settings for one of its buckets.
    #[must_use]
    pub fn settings(&self, bucket: &str) -> S3Settings {
        S3Settings {
            bucket: bucket.to_owned(),
            region: Some(REGION.to_owned()),
            endpoint: self.endpoint.parse().ok(),
            addressing: S3Addressing::Path,
            prefix: String::new(),
            credentials: Some(self.credentials()),
            missing_status: MissingStatus::NotFound,
            timeouts: OriginTimeouts::default(),
        }
    }

    /// Stops serving and removes everything.
    pub async fn shutdown(self) {
        let Self {
            stop, serving, folder, ..
        } = self;
        drop(stop);
        // It ended by itself if this fails, and a folder that stays is the system's to clean up.
        let _ = serving.await;
        let _ = folder.close();
    }

    async fn upload(
        &self,
        bucket: &str,
        key: &str,
        content: ByteStream,
        cache_control: Option<&str>,
    ) -> Result<(), StoreError> {
        let request = self.client.put_object().bucket(bucket).key(key).body(content);
        let request = request.set_cache_control(cache_control.map(str::to_owned));
        let typed = request.content_type(media_type::of(Path::new(key)));
        // Hashing each object on both sides would only take time: it stays within the process.
        let outcome = typed.customize().disable_payload_signing().send().await;
        outcome
            .map(drop)
            .map_err(|error| refused(&format!("{bucket}/{key}"), DisplayErrorContext(&error)))
    }
}

fn refused(key: &str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Put {
        key: key.to_owned(),
        problem: problem.to_string(),
    }
}

fn client(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "store"))
        .region(Region::from_static(REGION))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired);
    Client::from_conf(config.build())
}

fn random_hex<const BYTES: usize>() -> Result<String, StoreError> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StoreError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
