//! Asks a proxy in edge parity.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use super::{LIMIT, ReplayError, answer::Answer, recorded::Recorded, stage::Stage};
use crate::Server;

/// What is about the connection, which is not the recorded one.
const CONNECTION: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The proxy's answer.
///
/// # Errors
/// When the proxy does not start or does not answer.
pub(super) fn ask(stage: &Stage, recorded: &Recorded) -> Result<Answer, ReplayError> {
    let running = Server::start(stage.settings.clone())?;
    let address = running.http_addrs.first().copied();
    let address = address.ok_or_else(|| ReplayError::Own(io::ErrorKind::AddrNotAvailable.into()))?;
    let response = exchange(address, recorded).map_err(ReplayError::Own)?;
    running.shutdown();
    let mut answer = parse(&response).ok_or_else(|| ReplayError::Own(io::ErrorKind::InvalidData.into()))?;
    answer.origin = stage.take_origin();
    Ok(answer)
}

fn exchange(address: SocketAddr, recorded: &Recorded) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\n",
        recorded.method,
        recorded.target(),
        recorded.host
    );
    for (name, value) in &recorded.headers {
        if !CONNECTION.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    Ok(response)
}

fn parse(response: &[u8]) -> Option<Answer> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = response.split_at_checked(end + 4)?;
    let head = String::from_utf8_lossy(head);
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Some(Answer::new(status, headers, String::from_utf8_lossy(body).into_owned()))
}
