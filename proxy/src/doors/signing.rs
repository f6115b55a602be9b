//! The bucket's signer, for the micro-benches.

use std::time::SystemTime;

use auth_core::Secret;
use http::{HeaderValue, Method};

use crate::origin::s3::sigv4::{AccessKey, Instant, SigningKey, Target};

/// A key for one day, as the S3 origin keeps it.
#[derive(Debug)]
pub struct Signer(SigningKey);

impl Signer {
    /// Derives the key for the day of `now`. `None`: the access key cannot be sent.
    #[must_use]
    pub fn new(id: &str, secret: &str, region: &str, now: SystemTime) -> Option<Self> {
        let access = AccessKey {
            id: id.to_owned(),
            secret: Secret::new(secret.to_owned()),
            session_token: None,
        };
        let key = SigningKey::derive(&access, region, Instant::of(now).ok()?).ok()?;
        Some(Self(key))
    }

    /// The Authorization of a GET for that path, encoded once. `None`: not the key's day.
    #[must_use]
    pub fn authorization(&self, host: &str, path: &str, now: SystemTime) -> Option<HeaderValue> {
        let now = Instant::of(now).ok()?;
        let target = Target {
            method: &Method::GET,
            host,
            path,
        };
        let is_of_the_day = self.0.serves(now);
        is_of_the_day
            .then(|| self.0.sign(target, now).ok())?
            .map(|signed| signed.authorization)
    }
}
