//! Configuration: from a file and the environment to checked settings, every problem reported at once.

mod origin;

pub use origin::{
    CertificateFiles, CustomSettings, DirectorySettings, MissingStatus, OriginSettings, OriginTimeouts,
    OriginTransport, OriginUrl, OriginUrlError, S3Addressing, S3Settings, StaticCredentials,
};
