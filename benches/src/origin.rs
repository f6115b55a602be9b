//! Content to serve: objects of three sizes, from a server that costs little: nginx where there is one, else a
//! small one in this process.

use std::{
    collections::HashMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::process::{Process, ProcessError, find_program, free_address};

/// The objects: name and bytes. None is of a type that anybody would compress.
pub const OBJECTS: [(&str, usize); 3] = [("1k.bin", 1_024), ("100k.bin", 102_400), ("10m.bin", 10_485_760)];
/// The path of the smallest.
pub const SMALL: &str = "/1k.bin";
/// The path of the one in the middle.
pub const MEDIUM: &str = "/100k.bin";
/// The path of the largest.
pub const LARGE: &str = "/10m.bin";
/// A page of 50 KB that compresses well; the built-in server alone has it.
pub const TEXT: &str = "/page.html";
/// Of everything that the built-in server has.
pub const ETAG: &str = "\"1\"";

/// Where Debian has nginx, and others.
const NGINX: [&str; 3] = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];

/// Which server it is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// nginx where there is one, else the built-in one.
    #[default]
    Auto,
    /// nginx (Debian: nginx-light; or the program that the variable NGINX names).
    Nginx,
    /// A small server in this process.
    BuiltIn,
}

/// Why there is no content.
#[derive(Debug, Error)]
pub enum OriginError {
    /// Nothing is installed by itself.
    #[error("nginx is missing: install Debian's package nginx-light, or name the program in NGINX")]
    NoNginx,
    /// The objects cannot be written, or there is no port.
    #[error("make the origin: {0}")]
    Io(#[from] io::Error),
    /// nginx does not run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A running origin.
#[derive(Debug)]
pub struct Origin {
    /// Where it listens.
    pub address: SocketAddr,
    /// As reports name it.
    pub name: &'static str,
    /// nginx; the built-in one has no process of its own.
    pub process: Option<Process>,
}

impl Origin {
    /// Starts one that serves [`OBJECTS`], with its files in a folder that should be in memory.
    ///
    /// # Errors
    /// If nginx is asked for and not there, or does not start.
    pub fn start(kind: Kind, folder: &Path) -> Result<Self, OriginError> {
        match (kind, nginx()) {
            (Kind::Auto | Kind::Nginx, Some(program)) => start_nginx(&program, folder),
            (Kind::Nginx, None) => Err(OriginError::NoNginx),
            (Kind::Auto | Kind::BuiltIn, _) => Ok(start_built_in()?),
        }
    }
}

/// The nginx of this machine.
#[must_use]
pub fn nginx() -> Option<PathBuf> {
    find_program("NGINX", &NGINX)
}

/// Writes the objects into a folder.
///
/// # Errors
/// If it cannot be written to.
pub fn write_objects(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, size) in OBJECTS {
        fs::write(folder.join(name), vec![b'x'; size])?;
    }
    Ok(())
}

fn start_nginx(program: &Path, folder: &Path) -> Result<Origin, OriginError> {
    let content = folder.join("content");
    write_objects(&content)?;
    let address = free_address()?;
    let at = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; pid {at}/origin.pid; error_log stderr;\n\
         events {{ worker_connections 16384; }}\n\
         http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 3600s; sendfile on; tcp_nodelay on;\n\
         open_file_cache max=16; default_type application/octet-stream;\n\
         client_body_temp_path {at}/origin-body; proxy_temp_path {at}/origin-proxy;\n\
         fastcgi_temp_path {at}/origin-fastcgi; uwsgi_temp_path {at}/origin-uwsgi; scgi_temp_path {at}/origin-scgi;\n\
         server {{ listen {address}; root {}; }} }}\n",
        content.display()
    );
    let file = folder.join("origin.conf");
    fs::write(&file, config)?;
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-c"]).arg(&file);
    let mut process = Process::start("nginx", command)?;
    process.wait_listening(address)?;
    Ok(Origin {
        address,
        name: "nginx",
        process: Some(process),
    })
}

/// On a thread of its own, until the program ends.
fn start_built_in() -> io::Result<Origin> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("origin".into()).spawn(move || {
        runtime.block_on(async {
            // A socket that is bound and does not block is what this asks for.
            if let Ok(listener) = TcpListener::from_std(listener) {
                serve(listener).await;
            }
        });
    })?;
    Ok(Origin {
        address,
        name: "built-in",
        process: None,
    })
}

async fn serve(listener: TcpListener) {
    let mut objects = HashMap::from(OBJECTS.map(|(name, size)| (name, Bytes::from(vec![b'x'; size]))));
    objects.insert(TEXT.trim_start_matches('/'), text());
    let objects = Arc::new(objects);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let objects = Arc::clone(&objects);
        tokio::spawn(async move {
            let service =
                service_fn(|request| std::future::ready(Ok::<_, std::convert::Infallible>(answer(&objects, &request))));
            // Whoever closes the connection knows why.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// What is at [`TEXT`]: lines that differ in their numbers.
pub(crate) fn text() -> Bytes {
    let line = |number: u32| {
        format!(
            "<p id=\"{number}\">Item {} of the list</p>\n",
            number.wrapping_mul(2_654_435_761)
        )
    };
    (0..1_200).map(line).collect::<String>().into()
}

/// An object, in whatever folder it is asked for, with the headers that most servers give.
fn answer(objects: &HashMap<&str, Bytes>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let Some(body) = objects.get(name) else {
        let mut missing = Response::default();
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let unchanged = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag == ETAG);
    let mut response = Response::new(Full::new(if unchanged { Bytes::new() } else { body.clone() }));
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let media_type = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    };
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::ETAG, ETAG),
        (header::LAST_MODIFIED, "Mon, 05 Oct 2026 09:00:00 GMT"),
        (header::ACCEPT_RANGES, "bytes"),
    ] {
        response
            .headers_mut()
            .insert(name, header::HeaderValue::from_static(value));
    }
    response
}
