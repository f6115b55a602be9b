//! The smallest proxy that Pingora makes: every request goes to one origin.
//!
//! It shows what of our proxy's time is Pingora's. It runs in this program, started again under a name of
//! its own, so that it has the allocator, the compiler's options and the versions of ours.
//!
//! If it is told to, it verifies the signature of each id token that it has not seen, by ring and nothing else, and
//! says how long that took: so long a verification takes in a proxy at work.

use std::{
    collections::HashSet,
    convert::Infallible,
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use clap::Parser;
use http::header::COOKIE;
use memchr::memmem;
use pingora::{
    ErrorType, OrErr as _, Result,
    listeners::tls::TlsSettings,
    proxy::{ProxyHttp, Session, http_proxy_service},
    server::{Server, configuration::ServerConf},
    upstreams::peer::HttpPeer,
};

use super::verification::{Signed, Verifier};

/// The name under which this program is bare Pingora.
pub(crate) const NAME: &str = "bare-pingora";
/// The series of the verifications, in seconds.
pub(crate) const VERIFICATIONS: &str = "verification_duration_seconds";

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
    /// Verifies what is new, and says here how long that took.
    #[arg(long)]
    admin: Option<SocketAddr>,
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

/// The same, with a verification for each new token. Nobody is refused: it is there for the time that this takes.
struct Verifying {
    bare: Bare,
    verifier: Verifier,
    spent: Arc<Spent>,
    /// The signatures that it has seen.
    seen: Mutex<HashSet<Vec<u8>>>,
}

#[async_trait]
impl ProxyHttp for Verifying {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn request_filter(&self, session: &mut Session, _context: &mut ()) -> Result<bool> {
        let cookies = session.req_header().headers.get(COOKIE);
        if let Some(token) = cookies.and_then(|cookies| id_token(cookies.as_bytes())) {
            self.see(token);
        }
        Ok(false)
    }

    async fn upstream_peer(&self, session: &mut Session, context: &mut ()) -> Result<Box<HttpPeer>> {
        self.bare.upstream_peer(session, context).await
    }
}

impl Verifying {
    fn see(&self, token: &str) {
        let Some(signed) = Signed::of(token) else {
            return;
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.insert(signed.signature.clone()) {
            return;
        }
        drop(seen);
        let began = Instant::now();
        if self.verifier.verify(&signed) {
            self.spent.add(began.elapsed());
        }
    }
}

/// The token among the cookies of a session.
fn id_token(cookies: &[u8]) -> Option<&str> {
    const BEFORE: &[u8] = b".idToken=";
    let rest = &cookies[memmem::find(cookies, BEFORE)? + BEFORE.len()..];
    let token = rest.split(|&byte| byte == b';').next()?;
    std::str::from_utf8(token).ok()
}

/// How long good tokens took, and how many these were.
#[derive(Default)]
struct Spent {
    nanoseconds: AtomicU64,
    count: AtomicU64,
}

impl Spent {
    fn add(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// As Prometheus has it.
    fn render(&self) -> String {
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        let count = self.count.load(Ordering::Relaxed);
        format!("{VERIFICATIONS}_sum {seconds}\n{VERIFICATIONS}_count {count}\n")
    }

    /// Tells whoever connects, whatever they ask.
    fn tell(&self, listener: &TcpListener) {
        let answer = |mut stream: TcpStream| {
            // With some of the request unread the connection's end would take the answer with it.
            let mut head = BufReader::new(&stream).lines();
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            write!(stream, "HTTP/1.0 200 OK\r\n\r\n{}", self.render())
        };
        for stream in listener.incoming() {
            // Whoever does not want to know need not.
            let _ = stream.and_then(answer);
        }
    }
}

fn serve(arguments: &Arguments) -> Result<Infallible> {
    let bare = Bare {
        origin: arguments.origin,
    };
    let Some(admin) = arguments.admin else {
        return serve_as(bare, arguments);
    };
    let listener = TcpListener::bind(admin).or_err(ErrorType::BindError, "the admin address")?;
    let spent = Arc::<Spent>::default();
    let verifying = Verifying {
        bare,
        verifier: Verifier::new(),
        spent: Arc::clone(&spent),
        seen: Mutex::default(),
    };
    thread::spawn(move || spent.tell(&listener));
    serve_as(verifying, arguments)
}

fn serve_as<P>(proxy: P, arguments: &Arguments) -> Result<Infallible>
where
    P: ProxyHttp<CTX = ()> + Send + Sync + 'static,
{
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
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(&arguments.http.to_string());
    let mut tls = TlsSettings::intermediate(&arguments.certificate, &arguments.key)?;
    tls.enable_h2();
    service.add_tls_with_settings(&arguments.https.to_string(), None, tls);
    server.add_service(service);
    server.run_forever()
}
