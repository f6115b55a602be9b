//! Everything around a load on this machine: origin, identity provider, proxy.

use std::{io, net::SocketAddr};

use tempfile::TempDir;
use thiserror::Error;

use super::arguments::StartedArguments;
use crate::{
    generator::{Protocol, Target, TargetError},
    origin::{Origin, OriginError},
    portcullis::{self, Portcullis, PortcullisError, SignIn},
    process::Process,
    provider::{Provider, ProviderError},
};

/// Why it is not there.
#[derive(Debug, Error)]
pub(super) enum StackError {
    #[error("make a folder for the servers' files: {0}")]
    Folder(io::Error),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Portcullis(#[from] PortcullisError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("the proxy does not say where it listens")]
    NoAddress,
}

/// What has been started; it ends with this. First the proxy, so that nothing is missed on its way.
pub(super) struct Stack {
    pub(super) proxy: Portcullis,
    pub(super) origin: Origin,
    /// Of the proxy, for reports.
    pub(super) description: String,
    _provider: Provider,
    _folder: TempDir,
    tls: Option<portcullis::Certificate>,
}

impl Stack {
    pub(super) fn start(arguments: &StartedArguments, tls: bool) -> Result<Self, StackError> {
        let folder = portcullis::scratch().map_err(StackError::Folder)?;
        let origin = Origin::start(arguments.origin, folder.path())?;
        let provider = Provider::start()?;
        let sign_in = if arguments.sign_in_off {
            SignIn::Off
        } else {
            SignIn::Required
        };
        let mut configuration = portcullis::configuration(origin.address, arguments.proxy_threads, sign_in);
        if sign_in == SignIn::Required {
            provider.enter(&mut configuration["sites"][0]["auth"]);
        }
        let tls = match tls {
            true => Some(portcullis::add_tls(&mut configuration, folder.path())?),
            false => None,
        };
        let proxy = Portcullis::start(arguments.proxy.as_deref(), &configuration, folder.path(), "portcullis")?;
        let program = arguments.proxy.as_ref().map(|program| program.display().to_string());
        let threads = arguments.proxy_threads;
        Ok(Self {
            description: format!(
                "{}, {threads} worker thread{}, sign-in {}",
                program.as_deref().unwrap_or("built in"),
                if threads == 1 { "" } else { "s" },
                if sign_in == SignIn::Off { "off" } else { "required" },
            ),
            proxy,
            origin,
            _provider: provider,
            _folder: folder,
            tls,
        })
    }

    /// Where the load goes.
    pub(super) fn target(&self, protocol: Protocol) -> Result<Target, StackError> {
        let plain = |address: Option<SocketAddr>| {
            let address = address.ok_or(StackError::NoAddress)?;
            Ok::<_, StackError>(Target {
                protocol,
                ..Target::plain(address, portcullis::HOST)
            })
        };
        match &self.tls {
            Some(certificate) => Ok(plain(self.proxy.https)?.with_tls(portcullis::HOST, Some(&certificate.cert))?),
            None => plain(self.proxy.http),
        }
    }

    /// What has been started and is no part of this process.
    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        std::iter::once(&self.proxy.process).chain(&self.origin.process)
    }
}
