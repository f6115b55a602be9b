//! A loopback server that answers as a test scripts it, byte for byte, and counts what reaches it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What the server does once it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends these bytes and closes.
    Send(String),
    /// Sends these bytes and keeps the connection open without another word.
    Stall(String),
    /// Resets the connection.
    Reset,
}

/// Requests that arrived, head and body as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn push(&self, request: String) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push(request);
        all.len() - 1
    }
}

/// A reply with a Content-Length.
pub(crate) fn reply(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Serves plain http. Request number n is answered by act n, the last act repeated.
pub(crate) async fn plain(acts: Vec<Act>) -> (SocketAddr, Seen) {
    serve(acts, None).await
}

/// Serves https.
pub(crate) async fn tls(acts: Vec<Act>, acceptor: TlsAcceptor) -> (SocketAddr, Seen) {
    serve(acts, Some(acceptor)).await
}

async fn serve(acts: Vec<Act>, acceptor: Option<TlsAcceptor>) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let (acts, requests) = (Arc::new(acts), seen.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, acceptor.clone(), acts.clone(), requests.clone()));
        }
    });
    (address, seen)
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, acts: Arc<Vec<Act>>, seen: Seen) {
    match acceptor {
        None => exchange(stream, &acts, &seen, |stream| stream.set_zero_linger().unwrap()).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                exchange(stream, &acts, &seen, |stream| {
                    stream.get_ref().0.set_zero_linger().unwrap()
                })
                .await;
            }
        }
    }
}

async fn exchange<S>(mut stream: S, acts: &[Act], seen: &Seen, no_linger: impl Fn(&S))
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    let number = seen.push(request);
    match acts.get(number).or(acts.last()).unwrap() {
        Act::Send(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Act::Stall(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.flush().await;
            // Until the client gives up.
            let _ = stream.read(&mut [0; 1]).await;
        }
        Act::Reset => no_linger(&stream),
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&part[..n]),
        }
    }
}
