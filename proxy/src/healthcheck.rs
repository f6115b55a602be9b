//! `portcullis healthcheck`: asks a running process whether it is ready. For containers without a shell.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use thiserror::Error;

/// Long enough for a busy machine, short enough for a probe.
const PATIENCE: Duration = Duration::from_secs(3);
/// A status line and no more is of interest.
const LONGEST: u64 = 1024;

/// Why a process is not healthy, as far as can be told.
#[derive(Debug, Error)]
pub(crate) enum Unhealthy {
    /// `admin.listen` is off and no URL was given.
    #[error("there is no admin listener to ask; name one with --url")]
    NoListener,
    /// The URL is none that can be asked.
    #[error("not a url as http://127.0.0.1:9090/readyz")]
    Url,
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(#[from] std::io::Error),
    /// The answer is not 200.
    #[error("answered {0:?}")]
    Status(String),
}

/// Asks the admin listener at that address, from the machine itself.
pub(crate) fn ask_listener(listener: Option<SocketAddr>) -> Result<(), Unhealthy> {
    let mut address = listener.ok_or(Unhealthy::NoListener)?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    ask(address, &address.to_string(), "/readyz")
}

/// Asks an `http://` URL.
pub(crate) fn ask_url(url: &str) -> Result<(), Unhealthy> {
    let rest = url.strip_prefix("http://").ok_or(Unhealthy::Url)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unhealthy::Url);
    }
    let path = if path.is_empty() { "/readyz" } else { path };
    let address = authority
        .to_socket_addrs()
        .or_else(|_| (authority, 80).to_socket_addrs())?
        .next()
        .ok_or(Unhealthy::Url)?;
    ask(address, authority, path)
}

fn ask(address: SocketAddr, host: &str, path: &str) -> Result<(), Unhealthy> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    if line.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(Unhealthy::Status(String::from_utf8_lossy(line).into_owned()))
    }
}
