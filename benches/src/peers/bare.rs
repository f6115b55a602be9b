//! The smallest proxy that Pingora makes: every request goes to one origin.
//!
//! It shows what of our proxy's time is Pingora's. It runs in this program, started again under a name of
//! its own, so that it has the allocator, the compiler's options and the versions of ours.

use std::{
    convert::Infallible,
    env,
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
};

use async_trait::async_trait;
use clap::Parser;
use pingora::{
    Result,
    listeners::tls::TlsSettings,
    proxy::{ProxyHttp, Session, http_proxy_service},
    server::{Server, configuration::ServerConf},
    upstreams::peer::HttpPeer,
};

/// The name under which this program is bare Pingora.
pub(crate) const NAME: &str = "bare-pingora";

/// What it is told.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where it listens for plain HTTP.
    #[arg(long)]
    http: SocketAddr,
    /// Where it listens for TLS.
    #[arg(long)]
    https: SocketAddr,
    /// The origin.
    #[arg(long)]
    origin: SocketAddr,
    /// Its certificate, PEM.
    #[arg(long)]
    certificate: String,
    /// The certificate's key, PEM.
    #[arg(long)]
    key: String,
    /// Its threads.
    #[arg(long)]
    workers: usize,
}

struct Bare {
    origin: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, _context: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.origin, false, String::new())))
    }
}

/// Serves in place of this program, if it has been started as that. To be asked first of all in `main`.
#[must_use]
pub fn become_pingora() -> Option<ExitCode> {
    if env::args_os().next()? != NAME {
        return None;
    }
    let Err(error) = serve(&Arguments::parse());
    // It is the parent's to show.
    let _ = writeln!(io::stderr(), "{error}");
    Some(ExitCode::FAILURE)
}

fn serve(arguments: &Arguments) -> Result<Infallible> {
    let conf = ServerConf {
        threads: arguments.workers,
        work_stealing: false,
        // It has nothing to wait for.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let bare = Bare {
        origin: arguments.origin,
    };
    let mut service = http_proxy_service(&server.configuration, bare);
    service.add_tcp(&arguments.http.to_string());
    let mut tls = TlsSettings::intermediate(&arguments.certificate, &arguments.key)?;
    tls.enable_h2();
    service.add_tls_with_settings(&arguments.https.to_string(), None, tls);
    server.add_service(service);
    server.run_forever()
}
