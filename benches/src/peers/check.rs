//! Whether a peer does what it is measured for, asked before anything is measured.
//!
//! All must give the origin's bytes for a good session. Those with sign-in must refuse each bad one, in every
//! transport; a proxy that lets a forged token through would win easily. Those that keep answers must do
//! so, and the others must not.

use std::{
    fs, io,
    io::{BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use thiserror::Error;

use super::{
    case::{Body, Source, Transport},
    fault::{Fault, FaultError},
    lane::{Work, WorkError},
    peer::{Peer, SignIn},
    running::Running,
    stage::HOST,
};
use crate::{
    generator::Cookies,
    sessions::{Minter, Validity},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// The size of the file that is changed under the peers.
const PROBE: usize = 512;

/// What a peer does wrong.
#[derive(Debug, Error)]
pub(crate) enum CheckError {
    /// No answer at all.
    #[error("ask it: {0}")]
    Ask(#[from] io::Error),
    /// The generator gets none.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// No session to ask with.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// Another status than wanted.
    #[error("{asked}: the answer is {found}")]
    Status {
        /// With what it was asked.
        asked: String,
        /// What it says.
        found: u16,
    },
    /// Another body than the origin's.
    #[error("{bytes} bytes: the body is not the origin's")]
    Body {
        /// The size asked for.
        bytes: usize,
    },
    /// It keeps what it is not to, or the other way around.
    #[error("{0}")]
    Cache(&'static str),
}

/// An answer in plain HTTP/1.1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Asks a peer for good and bad things. The origin has those `files`, and notices if they are `changeable`.
///
/// # Errors
/// The first thing that is not as it should be.
pub(crate) fn check(
    peer: Peer,
    running: &Running,
    files: &Path,
    changeable: Option<&Path>,
    minter: &Minter,
) -> Result<(), CheckError> {
    let session = minter.session(0, Validity::Valid).header();
    for body in [Body::Small, Body::Large] {
        let answer = ask(running.http, body.path(), &session)?;
        expect(answer.status == 200, "a good session", answer.status)?;
        if fs::read(files.join(body.path().trim_start_matches('/')))? != answer.body {
            return Err(CheckError::Body { bytes: body.bytes() });
        }
    }
    if let Some(files) = changeable {
        check_cache(peer, running, files, &session)?;
    }
    for transport in [Transport::Http1, Transport::TlsHttp1, Transport::TlsHttp2] {
        if peer.speaks(transport) {
            check_sessions(peer, running, transport, minter)?;
        }
    }
    Ok(())
}

fn check_sessions(peer: Peer, running: &Running, transport: Transport, minter: &Minter) -> Result<(), CheckError> {
    let work = |cookies: Cookies| Work {
        transport,
        body: Body::Small,
        sessions: vec![cookies],
    };
    let good = work(minter.session(0, Validity::Valid)).status_at(running)?;
    expect(good == 200, &format!("a good session by {transport:?}"), good)?;
    for fault in Fault::ALL {
        let found = work(fault.session(minter)?).status_at(running)?;
        let right = match peer.sign_in() {
            SignIn::Required => matches!(found, 302 | 307 | 401),
            SignIn::Off => found == 200,
        };
        expect(right, &format!("a session that is {fault:?}, by {transport:?}"), found)?;
    }
    Ok(())
}

/// Changes a file of the origin's after it was asked for.
fn check_cache(peer: Peer, running: &Running, files: &Path, session: &str) -> Result<(), CheckError> {
    let path = format!("/{}.bin", peer.id());
    let file = files.join(&path[1..]);
    fs::write(&file, [b'1'; PROBE])?;
    ask(running.http, &path, session)?;
    fs::write(&file, [b'2'; PROBE])?;
    let second = ask(running.http, &path, session)?.body;
    match peer.source() {
        Source::Cache if second != [b'1'; PROBE] => Err(CheckError::Cache("it does not keep answers")),
        Source::Origin if second != [b'2'; PROBE] => Err(CheckError::Cache("it keeps answers")),
        _ => Ok(()),
    }
}

fn expect(right: bool, asked: &str, found: u16) -> Result<(), CheckError> {
    if right {
        return Ok(());
    }
    Err(CheckError::Status {
        asked: asked.to_owned(),
        found,
    })
}

/// One GET on a connection of its own.
pub(crate) fn ask(address: SocketAddr, path: &str, cookies: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    read_answer(&mut BufReader::new(stream))
}

fn read_answer(reader: &mut impl io::BufRead) -> io::Result<Answer> {
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.by_ref().read_line(&mut line)? == 0 {
            return Err(bad());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let status = head
        .first()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(bad)?;
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None => {
            reader.read_to_end(&mut body)?;
        }
    }
    Ok(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Answer> {
        read_answer(&mut text.as_bytes())
    }

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ab"[..]));
    }

    #[test]
    fn without_a_length_it_ends_with_the_connection() {
        assert_eq!(read("HTTP/1.1 401 No\r\n\r\nabc").unwrap().body, b"abc");
    }

    #[test]
    fn half_an_answer_is_none() {
        assert!(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").is_err());
        assert!(read("HTTP/1.1 200 OK\r\n").is_err());
    }
}
