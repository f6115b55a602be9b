//! What all peers share: a folder in memory, keys, certificates, and the origin's files.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::KeyPair;
use tempfile::TempDir;
use thiserror::Error;

use super::template::Value;
use crate::{
    origin,
    portcullis::{Certificate, PortcullisError, scratch},
    sessions::{CLIENT_ID, ISSUER, POOL, USER_NAME, jwks},
    signing_key,
};

/// The name under which everybody is asked.
pub(crate) const HOST: &str = "localhost";
/// Threads of Apache for each of its processes.
const APACHE_THREADS: usize = 256;
/// Where Debian's Apache has its modules.
pub(crate) const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// Why the ground cannot be prepared.
#[derive(Debug, Error)]
pub(crate) enum StageError {
    /// The scratch folder.
    #[error("prepare the scratch folder: {0}")]
    Folder(#[from] io::Error),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] PortcullisError),
    /// The key of the tokens.
    #[error("write the key that verifies tokens: {0}")]
    Key(#[from] rcgen::Error),
}

/// The scratch folder and what lies in it. Removed with the value.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    certificate: Certificate,
    workers: usize,
}

impl Stage {
    /// Makes the folder, in memory where the system has such a place.
    pub(crate) fn new(workers: usize) -> Result<Self, StageError> {
        let folder = scratch()?;
        open_to_all(folder.path())?;
        let certificate = Certificate::make(folder.path(), HOST)?;
        fs::write(folder.path().join("public.pem"), public_key()?)?;
        fs::write(folder.path().join("jwks.json"), jwks().to_string())?;
        let stage = Self {
            folder,
            certificate,
            workers,
        };
        origin::write_objects(&stage.files())?;
        Ok(stage)
    }

    /// The origin's files.
    pub(crate) fn files(&self) -> PathBuf {
        self.path("files")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder of a server's own, for whatever it writes.
    pub(crate) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.path(name);
        fs::create_dir_all(&folder)?;
        open_to_all(&folder)?;
        Ok(folder)
    }

    pub(crate) const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) const fn workers(&self) -> usize {
        self.workers
    }

    /// What templates can name, but for what is each server's own.
    pub(crate) fn values(&self) -> Vec<Value<'static>> {
        let shown = |path: &Path| path.display().to_string();
        vec![
            ("workers", self.workers.to_string()),
            ("threads", (self.workers * APACHE_THREADS).to_string()),
            ("process_threads", APACHE_THREADS.to_string()),
            ("modules", APACHE_MODULES.to_owned()),
            ("certificate", shown(&self.certificate.cert)),
            ("key", shown(&self.certificate.key)),
            ("bundle", shown(&self.certificate.both)),
            ("public_key", shown(&self.path("public.pem"))),
            ("jwks_file", shown(&self.path("jwks.json"))),
            ("files", shown(&self.files())),
            ("cookie", token_cookie()),
            ("key_id", key_id()),
            ("issuer", ISSUER.to_owned()),
            ("client", CLIENT_ID.to_owned()),
            (
                "pool",
                format!("arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{POOL}"),
            ),
        ]
    }
}

/// nginx and Apache give up root's rights before they come here.
fn open_to_all(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))
}

/// The cookie that carries the id token.
fn token_cookie() -> String {
    format!("CognitoIdentityServiceProvider.{CLIENT_ID}.{USER_NAME}.idToken")
}

/// What the tokens' headers call the key.
fn key_id() -> String {
    jwks()["keys"][0]["kid"].as_str().unwrap_or_default().to_owned()
}

/// The public half of the key that signs the tokens, PEM.
fn public_key() -> Result<String, rcgen::Error> {
    let encoded = STANDARD.encode(signing_key());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n");
    Ok(KeyPair::from_pem(&pem)?.public_key_pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_the_stage() {
        let stage = Stage::new(1).unwrap();
        let folder = stage.folder("nginx").unwrap();
        assert!(stage.files().join("1k.bin").is_file());
        drop(stage);
        assert!(!folder.exists());
    }

    #[test]
    fn the_public_key_is_a_pem_file() {
        assert!(public_key().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
    }

    #[test]
    fn the_key_is_called_as_in_the_tokens() {
        let token = crate::sessions::Minter::new().id_token(0, crate::sessions::Validity::Valid);
        let header = token.split('.').next().unwrap();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["kid"], key_id());
    }
}
