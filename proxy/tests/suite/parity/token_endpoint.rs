//! A token endpoint over TLS that answers as a vector says and keeps what it was asked.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, LazyLock, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::{Value, json};

use super::vector::Upstream;

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// One certificate for `localhost` that the proxy trusts, and one that it does not.
static TRUSTED: LazyLock<Identity> = LazyLock::new(Identity::new);
static ROGUE: LazyLock<Identity> = LazyLock::new(Identity::new);

struct Identity {
    der: CertificateDer<'static>,
    config: Arc<ServerConfig>,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let der = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key)
            .unwrap();
        Self {
            der,
            config: Arc::new(config),
        }
    }
}

/// Whom the proxy is to trust.
pub(super) fn authority() -> CertificateDer<'static> {
    TRUSTED.der.clone()
}

/// The replies to come, and the requests so far with their times.
#[derive(Default)]
struct Script {
    replies: Vec<Upstream>,
    asked: Vec<(Value, Instant)>,
}

/// A listening endpoint and its untrusted twin.
#[derive(Clone)]
pub(super) struct TokenEndpoint {
    port: u16,
    rogue_port: u16,
    script: Arc<Mutex<Script>>,
}

impl TokenEndpoint {
    pub(super) fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        Self {
            port: listen(&TRUSTED, &script),
            rogue_port: listen(&ROGUE, &script),
            script,
        }
    }

    /// The addresses of the vectors, replaced by those here.
    pub(super) fn localise(&self, text: &str) -> String {
        text.replace("localhost:9443", &format!("localhost:{}", self.port))
            .replace("127.0.0.1:9443", &format!("127.0.0.1:{}", self.port))
            .replace("localhost:9444", &format!("localhost:{}", self.rogue_port))
    }

    /// Answers by these replies from now on.
    pub(super) fn begin(&self, replies: &[Upstream]) {
        *self.script.lock().unwrap() = Script {
            replies: replies.to_vec(),
            asked: Vec::new(),
        };
    }

    /// What was asked since, and the milliseconds between one request and the next.
    pub(super) fn end(&self) -> (Vec<Value>, Vec<u128>) {
        let asked = std::mem::take(&mut self.script.lock().unwrap().asked);
        let gaps = asked.windows(2).map(|pair| (pair[1].1 - pair[0].1).as_millis());
        (
            asked.iter().map(|(request, _)| request.clone()).collect(),
            gaps.collect(),
        )
    }
}

fn listen(identity: &'static Identity, script: &Arc<Mutex<Script>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = Arc::clone(script);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let script = Arc::clone(&script);
            let connection = ServerConnection::new(Arc::clone(&identity.config)).unwrap();
            // A connection that breaks is the proxy's doing, and for the comparison to notice.
            thread::spawn(move || serve(StreamOwned::new(connection, stream), &script));
        }
    });
    port
}

fn serve(mut stream: Tls, script: &Mutex<Script>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read(&mut stream, &mut buffer)?;
        let reply = {
            let mut script = script.lock().unwrap();
            let number = script.asked.len();
            script.asked.push((request, Instant::now()));
            script.replies.get(number).cloned()
        };
        answer(&mut stream, &reply?)?;
    }
}

/// `None`: the connection is to end.
fn answer(stream: &mut Tls, reply: &Upstream) -> Option<()> {
    // The provider that is played here is slow.
    thread::sleep(Duration::from_millis(reply.delay_ms));
    let fields: String = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!("HTTP/1.1 {} X\r\n{fields}", reply.status);
    let length = reply.body.len();
    match reply.action.as_str() {
        "reset" => {
            socket2::SockRef::from(&stream.sock)
                .set_linger(Some(Duration::ZERO))
                .ok()?;
            return None;
        }
        "garbage" => {
            stream.write_all(b"this is not http at all\r\n\r\n").ok()?;
            return None;
        }
        "truncate" | "stall" => {
            write!(stream, "{head}Content-Length: {}\r\n\r\n{}", length + 100, reply.body).ok()?;
            if reply.action == "stall" {
                wait_for_end(stream);
            }
            return None;
        }
        "hang" => {
            wait_for_end(stream);
            return None;
        }
        "close" => return None,
        _ if reply.chunked => {
            let chunk = if length == 0 {
                String::new()
            } else {
                format!("{length:x}\r\n{}\r\n", reply.body)
            };
            write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n").ok()?;
        }
        _ => write!(stream, "{head}Content-Length: {length}\r\n\r\n{}", reply.body).ok()?,
    }
    stream.flush().ok()
}

fn wait_for_end(stream: &mut Tls) {
    let _ = stream.flush();
    while matches!(stream.read(&mut [0; 64]), Ok(1..)) {}
}

/// The next request, as the vectors write them.
fn read(stream: &mut Tls, buffer: &mut Vec<u8>) -> Option<Value> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer)?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let mut line = head.split(' ');
    let (method, path) = (line.next()?, line.next()?);
    let field = |wanted: &str| {
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned()))
    };
    let length = field("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        fill(stream, buffer)?;
    }
    let body = String::from_utf8_lossy(&buffer[..length]).into_owned();
    buffer.drain(..length);
    Some(json!({
        "method": method,
        "path": path,
        "headers": { "content-type": field("content-type"), "authorization": field("authorization") },
        "body": body,
    }))
}

fn fill(stream: &mut Tls, buffer: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 16384];
    let count = stream.read(&mut part).ok().filter(|&count| count > 0)?;
    buffer.extend(&part[..count]);
    Some(())
}
