//! The parts of Lambda's Runtime API that a function uses, on loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// What a function told the Runtime API.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Response(Value),
    InvocationError(Value),
    InitError(Value),
}

/// A Runtime API for one function.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    events: Sender<String>,
    outcomes: Receiver<Outcome>,
}

impl RuntimeApi {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = channel();
        let (told, outcomes) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (waiting, told) = (waiting.clone(), told.clone());
                thread::spawn(move || serve(&stream, &waiting, &told));
            }
        });
        Self {
            address,
            events,
            outcomes,
        }
    }

    /// Offers an event to the function.
    pub(crate) fn offer(&self, event: &str) {
        self.events.send(event.to_owned()).unwrap();
    }

    /// Waits for what the function has to say; the limit only keeps a broken function from blocking the test.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcomes.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// What the function answers to an event.
    pub(crate) fn invoke(&self, event: &str) -> Outcome {
        self.offer(event);
        self.outcome()
    }
}

fn serve(stream: &TcpStream, waiting: &Mutex<Receiver<String>>, told: &Sender<Outcome>) {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = read_request(&mut reader) {
        let json = || serde_json::from_slice(&body).unwrap();
        let path = line.split(' ').nth(1).unwrap();
        if path.ends_with("/runtime/invocation/next") {
            // The test is over when its end of the channel is gone.
            let Ok(event) = waiting.lock().unwrap().recv() else {
                return;
            };
            reply(stream, "200 OK", &event);
            continue;
        }
        let outcome = match path.rsplit('/').next().unwrap() {
            "response" => Outcome::Response(json()),
            "error" if path.ends_with("/runtime/init/error") => Outcome::InitError(json()),
            "error" => Outcome::InvocationError(json()),
            _ => panic!("unknown path {path}"),
        };
        reply(stream, "202 Accepted", "{}");
        let _ = told.send(outcome);
    }
}

/// The request line and the body of the next request.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            Some(("transfer-encoding", _)) => chunked = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if chunked {
        read_chunks(reader, &mut body)?;
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
    }
    Some((first, body))
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk).ok()?;
        if length == 0 {
            return Some(());
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

fn reply(mut stream: &TcpStream, status: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:edge:1\r\n\r\n{body}",
        body.len()
    );
    // A function that has just been ended does not wait for it.
    let _ = stream.write_all(text.as_bytes());
}
