//! Listens, and hands what is accepted to the least loaded worker.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use prometheus::IntGauge;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::sleep,
};

use super::{
    StartError,
    worker::{Accepted, OpenConnection, Worker},
};

/// Connections that the system keeps for us until they are accepted.
const BACKLOG: i32 = 4096;
/// Out of descriptors: trying again at once would only burn the processor.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Takes an address. Port 0: any free one.
pub(super) fn bind(address: SocketAddr) -> Result<std::net::TcpListener, StartError> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(std::net::TcpListener::from(socket))
    };
    listen().map_err(|error| StartError::Listen { address, error })
}

/// What accepted connections need.
#[derive(Clone)]
pub(super) struct Reception {
    pub(super) workers: Arc<[Worker]>,
    /// One permit a connection.
    pub(super) room: Arc<Semaphore>,
    /// The address as configured.
    pub(super) port: SocketAddr,
    /// `true`: nothing more is accepted.
    pub(super) draining: watch::Receiver<bool>,
}

impl Reception {
    /// Accepts until draining begins.
    pub(super) async fn accept(mut self, listener: Arc<TcpListener>, tls: Option<Arc<ServerConfig>>, gauge: IntGauge) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = self.draining.wait_for(|draining| *draining) => return,
            };
            match accepted.and_then(|(stream, peer)| Ok((detach(stream)?, peer))) {
                Ok((stream, peer)) => self.hand_over(Accepted {
                    stream,
                    peer,
                    port: self.port,
                    tls: tls.clone(),
                    open: OpenConnection::new(gauge.clone(), permit),
                }),
                Err(error) => {
                    tracing::warn!(target: "portcullis", %error, "a connection could not be accepted");
                    sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    fn hand_over(&self, connection: Accepted) {
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.load()) {
            worker.take(connection);
        }
    }
}

/// The connection without the runtime that accepted it; its worker's runtime takes it over.
fn detach(stream: TcpStream) -> std::io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.into_std()
}
