//! Small HTTP/1.1 servers on loopback ports, for what is played: origin, identity provider, Runtime API.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// A request that has been read.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What is answered; `None`: nothing, and the connection ends.
pub(super) type Reply = Option<(u16, Vec<(&'static str, String)>, Vec<u8>)>;

/// Serves until the process ends.
pub(super) fn serve(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    thread::Builder::new().name("played".into()).spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            // Whoever cannot be served notices by itself.
            let _ = thread::Builder::new().spawn(move || converse(stream, &*answer));
        }
    })?;
    Ok(address)
}

fn converse(mut stream: TcpStream, answer: &dyn Fn(&Asked) -> Reply) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let asked = read(&mut stream, &mut buffer)?;
        let (status, headers, body) = answer(&asked)?;
        let fields: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
        stream.write_all(head.as_bytes()).ok()?;
        if asked.method != "HEAD" {
            stream.write_all(&body).ok()?;
        }
    }
}

fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break buffer.drain(..at + 4).collect::<Vec<u8>>();
        }
        fill(stream, buffer)?;
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut line = lines.next()?.split(' ');
    let mut asked = Asked {
        method: line.next()?.to_owned(),
        target: line.next()?.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    if asked.header("transfer-encoding").is_some() {
        asked.body = chunks(stream, buffer)?;
        return Some(asked);
    }
    let length = asked
        .header("content-length")
        .map_or(Some(0), |length| length.parse().ok())?;
    while buffer.len() < length {
        fill(stream, buffer)?;
    }
    asked.body = buffer.drain(..length).collect();
    Some(asked)
}

fn chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let at = loop {
            if let Some(at) = buffer.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            fill(stream, buffer)?;
        };
        let line: Vec<u8> = buffer.drain(..at + 2).collect();
        let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
        while buffer.len() < size + 2 {
            fill(stream, buffer)?;
        }
        body.extend(buffer.drain(..size));
        buffer.drain(..2);
        if size == 0 {
            return Some(body);
        }
    }
}

fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 16384];
    let count = stream.read(&mut part).ok().filter(|&count| count > 0)?;
    buffer.extend_from_slice(part.get(..count)?);
    Some(())
}
