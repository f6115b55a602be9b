//! HTTP/1.1 by hand (RFC 9112): one write for a request, and of the answer only what is needed: status, where it
//! ends, whether the connection goes on.

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{
    connection::{Answer, Failure},
    mix::Request,
    target::Target,
};

/// Header fields of an answer.
const FIELDS: usize = 128;
/// What is read at once: by a connection that has seen small answers only, of which there may be ten thousand,
/// and by others.
const SMALL_BUFFER: usize = 4 * 1024;
const BUFFER: usize = 64 * 1024;

/// A connection that is kept alive.
pub(super) struct Http1<S> {
    stream: S,
    out: Vec<u8>,
    input: Vec<u8>,
    /// The part of `input` that has been read and not looked at yet.
    filled: std::ops::Range<usize>,
}

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    framing: Framing,
    keep_alive: bool,
    /// Bytes of the head itself.
    length: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http1<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            out: Vec::new(),
            input: Vec::new(),
            filled: 0..0,
        }
    }

    pub(super) async fn ask(&mut self, target: &Target, request: &Request) -> Result<Answer, Failure> {
        self.out.clear();
        write_head(&mut self.out, target, request);
        self.stream.write_all(&self.out).await.map_err(|_| Failure::Ended)?;
        self.stream.flush().await.map_err(|_| Failure::Ended)?;
        if self.filled.is_empty() {
            self.fill().await.map_err(|_| Failure::Ended)?;
        }
        let head = self.head().await?;
        let body_bytes = match head.framing {
            Framing::Length(length) => self.discard(length).await?,
            Framing::Chunked => self.discard_chunks().await?,
            Framing::UntilClose => self.discard_all().await?,
        };
        Ok(Answer {
            status: head.status,
            body_bytes,
            reusable: head.keep_alive && head.framing != Framing::UntilClose,
        })
    }

    async fn head(&mut self) -> Result<Head, Failure> {
        loop {
            if let Some(head) = parse_head(&self.input[self.filled.clone()])? {
                self.filled.start += head.length;
                // Interim answers come before the one that counts.
                if head.status >= 200 {
                    return Ok(head);
                }
                continue;
            }
            self.fill().await?;
        }
    }

    /// Reads more behind what is there.
    async fn fill(&mut self) -> Result<(), Failure> {
        if self.filled.is_empty() {
            self.filled = 0..0;
        }
        if self.filled.end == self.input.len() {
            match self.filled.start {
                0 if self.input.len() >= BUFFER => return Err(Failure::Malformed),
                0 if self.input.is_empty() => self.input.resize(SMALL_BUFFER, 0),
                0 => self.input.resize(BUFFER, 0),
                _ => {
                    self.input.copy_within(self.filled.clone(), 0);
                    self.filled = 0..self.filled.len();
                }
            }
        }
        let read = self.stream.read(&mut self.input[self.filled.end..]).await;
        match read {
            Ok(0) | Err(_) => Err(Failure::Closed),
            Ok(count) => {
                self.filled.end += count;
                Ok(())
            }
        }
    }

    async fn discard(&mut self, length: u64) -> Result<u64, Failure> {
        let mut left = length;
        if length > SMALL_BUFFER as u64 && self.input.len() < BUFFER {
            self.input.resize(BUFFER, 0);
        }
        loop {
            let here = left.min(self.filled.len() as u64);
            left -= here;
            self.filled.start += usize::try_from(here).map_err(|_| Failure::Malformed)?;
            if left == 0 {
                return Ok(length);
            }
            self.fill().await?;
        }
    }

    /// RFC 9112, 7.1; trailers are not expected.
    async fn discard_chunks(&mut self) -> Result<u64, Failure> {
        let mut body_bytes = 0;
        loop {
            let parsed = httparse::parse_chunk_size(&self.input[self.filled.clone()]);
            match parsed.map_err(|_| Failure::Malformed)? {
                Status::Partial => self.fill().await?,
                Status::Complete((line, size)) => {
                    self.filled.start += line;
                    self.discard(size + 2).await?;
                    body_bytes += size;
                    if size == 0 {
                        return Ok(body_bytes);
                    }
                }
            }
        }
    }

    async fn discard_all(&mut self) -> Result<u64, Failure> {
        let mut body_bytes = 0;
        loop {
            body_bytes += self.filled.len() as u64;
            self.filled = 0..0;
            match self.fill().await {
                Ok(()) => {}
                Err(Failure::Closed) => return Ok(body_bytes),
                Err(other) => return Err(other),
            }
        }
    }
}

fn write_head(out: &mut Vec<u8>, target: &Target, request: &Request) {
    let mut put = |pieces: &[&str]| pieces.iter().for_each(|piece| out.extend_from_slice(piece.as_bytes()));
    put(&[
        "GET ",
        &request.target,
        " HTTP/1.1\r\nHost: ",
        &target.authority,
        "\r\n",
    ]);
    for (name, value) in &target.headers {
        put(&[name, ": ", value, "\r\n"]);
    }
    if let Some(authorization) = &request.authorization {
        put(&["Authorization: ", authorization, "\r\n"]);
    }
    if !request.cookies.is_empty() {
        let [before, token, after] = &request.cookies.0;
        put(&["Cookie: ", before, token, after, "\r\n"]);
    }
    put(&["\r\n"]);
}

/// `None`: there is more to come.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let Status::Complete(length) = response.parse(bytes).map_err(|_| Failure::Malformed)? else {
        return Ok(None);
    };
    let status = response.code.ok_or(Failure::Malformed)?;
    let mut head = Head {
        status,
        framing: Framing::UntilClose,
        keep_alive: response.version == Some(1),
        length,
    };
    if status < 200 || status == 204 || status == 304 {
        head.framing = Framing::Length(0);
    }
    for field in response.headers.iter() {
        if field.name.eq_ignore_ascii_case("content-length") && head.framing == Framing::UntilClose {
            let value = std::str::from_utf8(field.value).ok().and_then(|text| text.parse().ok());
            head.framing = Framing::Length(value.ok_or(Failure::Malformed)?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            head.framing = Framing::Chunked;
        } else if field.name.eq_ignore_ascii_case("connection") {
            head.keep_alive = !field.value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mix::Cookies;

    /// What a connection makes of an answer, in pieces.
    async fn answered(pieces: &[&str]) -> Result<Answer, Failure> {
        let mut script = tokio_test::io::Builder::new();
        script.write(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
        for piece in pieces {
            script.read(piece.as_bytes());
        }
        let target = Target::plain(([127, 0, 0, 1], 80).into(), "a.example");
        Http1::new(script.build()).ask(&target, &Request::get("/")).await
    }

    #[tokio::test]
    async fn an_answer_ends_where_its_length_says() {
        let answer = answered(&["HTTP/1.1 200 OK\r\nCont", "ent-Length: 5\r\n\r\nab", "cde"]).await;
        let expected = Answer {
            status: 200,
            body_bytes: 5,
            reusable: true,
        };
        assert_eq!(answer, Ok(expected));
    }

    #[tokio::test]
    async fn chunks_are_counted_without_their_frames() {
        let answer = answered(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n",
            "a\r\n01234",
            "56789\r\n0\r\n",
            "\r\n",
        ])
        .await;
        let expected = Answer {
            status: 200,
            body_bytes: 13,
            reusable: false,
        };
        assert_eq!(answer, Ok(expected));
    }

    #[tokio::test]
    async fn some_answers_have_no_body() {
        let answer =
            answered(&["HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"]).await;
        assert_eq!(answer.map(|answer| (answer.status, answer.body_bytes)), Ok((304, 0)));
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_a_failure() {
        assert_eq!(
            answered(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"]).await,
            Err(Failure::Closed)
        );
        assert_eq!(answered(&["SSH-2.0-server\r\n"]).await, Err(Failure::Malformed));
    }

    #[test]
    fn a_request_carries_cookies_and_headers() {
        let mut target = Target::plain(([127, 0, 0, 1], 80).into(), "a.example");
        target.headers.push(("accept".into(), "*/*".into()));
        let mut request = Request::get("/a?b").cookies(Cookies(["x=".into(), "token".into(), "; y=1".into()]));
        request.authorization = Some("Bearer t".into());
        let mut out = Vec::new();
        write_head(&mut out, &target, &request);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "GET /a?b HTTP/1.1\r\nHost: a.example\r\naccept: */*\r\nAuthorization: Bearer t\r\n\
             Cookie: x=token; y=1\r\n\r\n"
        );
    }
}
