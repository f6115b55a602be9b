//! HTTP/1.1 by hand over a blocking stream: requests are bytes, so that they can be wrong.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// Nothing in these tests is meant to take this long: a read that does has failed.
const HANGS: Duration = Duration::from_secs(40);

/// A request to be written.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn headers(mut self, headers: &[(&str, &str)]) -> Self {
        for (name, value) in headers {
            self = self.header(name, *value);
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// A response that has been read.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no Location: {self:?}"))
    }

    /// Status and `data-page`/`data-reason` of our own pages.
    pub(crate) fn page(&self) -> (u16, String, String) {
        let text = self.text();
        let attribute = |name: &str| {
            let start = format!("{name}=\"");
            let value = text.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
            value.map_or("", |(value, _)| value).to_owned()
        };
        (self.status, attribute("data-page"), attribute("data-reason"))
    }

    pub(crate) fn names_of_set_cookies(&self) -> Vec<&str> {
        let cookies = self.all("set-cookie").into_iter();
        cookies
            .map(|cookie| cookie.split('=').next().unwrap_or_default())
            .collect()
    }

    /// Whether the connection stays open after it.
    fn keeps_alive(&self) -> bool {
        !self
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// A connection on which messages are exchanged.
pub(crate) struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl Wire<TcpStream> {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Sends nothing more.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

impl<S: Read + Write> Wire<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Writes; a peer that has closed already is no failure of the test.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes).and_then(|()| self.stream.flush()) {
            let gone = matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset);
            assert!(gone, "{error}");
        }
    }

    /// Sends a request and reads its response.
    pub(crate) fn send(&mut self, request: &Request, host: &str) -> Response {
        self.write(&request.bytes(host));
        self.response(&request.method)
            .unwrap_or_else(|| panic!("closed without an answer to {request:?}"))
    }

    /// The next response; `None` when the connection ends instead.
    pub(crate) fn response(&mut self, method: &str) -> Option<Response> {
        loop {
            let mut response = self.head()?;
            if response.status < 200 && response.status != 101 {
                continue;
            }
            response.body = self.body(&response, method);
            return Some(response);
        }
    }

    /// Status line and header; `None` at the end of the connection.
    pub(crate) fn head(&mut self) -> Option<Response> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if self.fill() == 0 {
                assert!(
                    self.buffer.is_empty(),
                    "cut off: {}",
                    String::from_utf8_lossy(&self.buffer)
                );
                return None;
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        Some(parse_head(&head))
    }

    /// The next bytes of a body, however it is framed; empty at the end of the connection.
    pub(crate) fn some(&mut self, limit: usize) -> Vec<u8> {
        if self.buffer.is_empty() && self.fill() == 0 {
            return Vec::new();
        }
        let take = limit.min(self.buffer.len());
        self.buffer.drain(..take).collect()
    }

    /// What comes until the connection ends.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill() > 0 {}
        std::mem::take(&mut self.buffer)
    }

    /// Whether the peer closes without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && self.fill() == 0
    }

    /// Whether the peer closes in order: without another byte, and without a reset.
    pub(crate) fn ends(&mut self) -> bool {
        self.buffer.is_empty() && matches!(self.stream.read(&mut [0]), Ok(0))
    }

    fn body(&mut self, response: &Response, method: &str) -> Vec<u8> {
        if method == "HEAD" || matches!(response.status, 101 | 204 | 304) {
            return Vec::new();
        }
        if response
            .header("transfer-encoding")
            .is_some_and(|coding| coding == "chunked")
        {
            return self.chunks();
        }
        match response.header("content-length") {
            Some(length) => self.exactly(length.parse().unwrap()),
            None => {
                assert!(
                    !response.keeps_alive() || self.buffer.is_empty(),
                    "a body without an end"
                );
                self.rest()
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.fill() > 0, "cut off after {} of {length}", self.buffer.len());
        }
        self.buffer.drain(..length).collect()
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match find(&self.buffer, b"\r\n") {
                    Some(at) => break self.exactly(at + 2),
                    None => assert!(self.fill() > 0, "cut off in a chunk's size"),
                }
            };
            let digits = String::from_utf8(line).unwrap();
            let size = usize::from_str_radix(digits.trim().split(';').next().unwrap(), 16).unwrap();
            let chunk = self.exactly(size + 2);
            if size == 0 {
                return body;
            }
            body.extend(&chunk[..size]);
        }
    }

    /// Reads once; 0 at the end, also an abrupt one.
    fn fill(&mut self) -> usize {
        let mut part = [0; 65536];
        match self.stream.read(&mut part) {
            Ok(count) => {
                self.buffer.extend(&part[..count]);
                count
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => panic!("{error}"),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn parse_head(head: &[u8]) -> Response {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line}"));
        (name.to_owned(), value.trim().to_owned())
    });
    Response {
        status,
        headers: headers.collect(),
        body: Vec::new(),
    }
}

/// One request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, host: &str, request: &Request) -> Response {
    let request = request.clone().header("Connection", "close");
    Wire::connect(address).send(&request, host)
}
