//! An HTTP server that gives scripted replies in order and keeps what it was asked.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// A reply.
pub(crate) enum Reply {
    Status(u16, String),
    /// None, until the other side gives up.
    Never,
}

impl Reply {
    pub(crate) fn ok(body: &(impl ToString + ?Sized)) -> Self {
        Self::Status(200, body.to_string())
    }

    /// As AWS's JSON protocols refuse.
    pub(crate) fn refused(code: &str) -> Self {
        Self::Status(400, format!(r#"{{"__type":"{code}","message":"scripted"}}"#))
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The server.
pub(crate) struct Scripted {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (replies, kept) = (replies.into_iter().collect::<Vec<_>>(), requests.clone());
        thread::spawn(move || {
            let mut held = Vec::new();
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read(&stream);
                kept.lock().unwrap().push(request);
                match reply {
                    Reply::Status(status, body) => write(&mut stream, status, &body),
                    Reply::Never => held.push(stream),
                }
            }
            // Whoever asks for more than the script has hears nothing.
            held.extend(listener.incoming().flatten());
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map(Result::unwrap);
    let line = lines.next().unwrap();
    let headers: Vec<(String, String)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Request { line, headers, body }
}

fn write(stream: &mut TcpStream, status: u16, body: &str) {
    let text = format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).unwrap();
}
