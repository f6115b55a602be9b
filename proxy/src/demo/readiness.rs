//! Whether everything answers, asked as a viewer and as an operator would.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{DemoError, arguments::reachable};
use crate::server::Running;

const PATIENCE: Duration = Duration::from_secs(5);

/// Succeeds when a viewer is sent to sign in and an operator is told that all is well.
pub(super) async fn wait(server: &Running) -> Result<(), DemoError> {
    for address in &server.http_addrs {
        expect("the site", *address, "/", "302").await?;
    }
    match server.admin_addr {
        Some(address) => expect("the admin listener", address, "/readyz", "200").await,
        None => Ok(()),
    }
}

async fn expect(what: &'static str, address: SocketAddr, path: &str, status: &str) -> Result<(), DemoError> {
    let unready = |found: String| DemoError::Unready { what, found };
    match timeout(PATIENCE, status_line(reachable(address), path)).await {
        Ok(Ok(line)) if line.split(' ').nth(1) == Some(status) => Ok(()),
        Ok(Ok(line)) => Err(unready(line)),
        Ok(Err(error)) => Err(unready(error.to_string())),
        Err(_) => Err(unready("nothing within 5 seconds".to_owned())),
    }
}

async fn status_line(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let host = format!("localhost:{}", address.port());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}
