//! A connection to the target: opened, asked, and opened anew once it has ended.

use std::{fmt, io, time::Duration};

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    http1::Http1,
    http2::Http2,
    mix::Request,
    target::{Protocol, Security, Target},
};

/// For connecting, the handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The server takes no connection.
    Connect,
    /// The TLS or HTTP/2 handshake failed, or the other side chose another protocol.
    Handshake,
    /// The connection ended between two requests, before a byte of the answer.
    Ended,
    /// The connection ended before the answer did.
    Closed,
    /// No answer within the time for one.
    TimedOut,
    /// The answer is no HTTP.
    Malformed,
    /// HTTP/2: the stream was reset.
    Reset,
    /// It was due, but no connection was free for it by the end of the phase.
    Unsent,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "connection refused",
            Self::Handshake => "handshake failed",
            Self::Ended => "connection ended between requests",
            Self::Closed => "connection ended before the answer",
            Self::TimedOut => "no answer in time",
            Self::Malformed => "answer that is no HTTP",
            Self::Reset => "stream reset",
            Self::Unsent => "no connection was free",
        })
    }
}

impl std::error::Error for Failure {}

/// An answer, read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body_bytes: u64,
    /// The server takes more requests on this connection.
    pub(super) reusable: bool,
}

/// An open connection.
pub(super) enum Connection {
    Plain(Http1<TcpStream>),
    Tls(Box<Http1<TlsStream<TcpStream>>>),
    Multiplexed(Http2),
}

impl Connection {
    /// Opens the connection of that number.
    pub(super) async fn open(target: &Target, number: usize) -> Result<Self, Failure> {
        tokio::time::timeout(CONNECT_TIMEOUT, Self::handshake(target, number))
            .await
            .unwrap_or(Err(Failure::Connect))
    }

    async fn handshake(target: &Target, number: usize) -> Result<Self, Failure> {
        let stream = connect(target, number).await.map_err(|_| Failure::Connect)?;
        match (&target.security, target.protocol) {
            (Security::Plain, Protocol::Http1) => Ok(Self::Plain(Http1::new(stream))),
            (Security::Plain, Protocol::Http2) => Ok(Self::Multiplexed(Http2::start(stream).await?)),
            (Security::Tls { config, name }, protocol) => {
                let connector = TlsConnector::from(std::sync::Arc::clone(config));
                let stream = secure(&connector, name.clone(), stream).await?;
                if protocol == Protocol::Http1 {
                    return Ok(Self::Tls(Box::new(Http1::new(stream))));
                }
                if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                    return Err(Failure::Handshake);
                }
                Ok(Self::Multiplexed(Http2::start(stream).await?))
            }
        }
    }

    /// Sends a request and reads its answer.
    pub(super) async fn ask(&mut self, target: &Target, request: &Request) -> Result<Answer, Failure> {
        match self {
            Self::Plain(connection) => connection.ask(target, request).await,
            Self::Tls(connection) => connection.ask(target, request).await,
            Self::Multiplexed(connection) => connection.ask(target, request).await,
        }
    }

    /// Another handle to the same connection; `None`: it can only do one thing at a time.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Multiplexed(connection) => Some(Self::Multiplexed(connection.clone())),
            Self::Plain(_) | Self::Tls(_) => None,
        }
    }
}

async fn connect(target: &Target, number: usize) -> io::Result<TcpStream> {
    let socket = if target.address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = target.source(number) {
        socket.bind(source)?;
    }
    let stream = socket.connect(target.address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secure(
    connector: &TlsConnector,
    name: ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    connector.connect(name, stream).await.map_err(|_| Failure::Handshake)
}
