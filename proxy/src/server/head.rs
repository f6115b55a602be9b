//! Reads the head of an HTTP/1 request off the wire, before any parser sees it.
//!
//! Pingora reads up to 1 MiB, without a limit on the time it takes all in all, parses anew after every
//! piece, accepts bare line feeds and resolves Content-Length beside Transfer-Encoding by itself. Here a
//! head is complete, within its limits, and framed beyond doubt, or it does not get that far (RFC 9112,
//! sections 2.2 and 6.1; T-SMUG-1 to 3, T-DOS-1, T-DOS-2).

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::{Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::{Instant, timeout, timeout_at},
};

/// Room for a head as browsers send it, cookies included.
const USUAL_BYTES: usize = 8 * 1024;

/// What a head may use up.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    /// The request line and all header fields.
    pub(super) bytes: usize,
    /// From the first byte to the last.
    pub(super) time: Duration,
    /// Until the first byte.
    pub(super) idle: Duration,
}

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// The viewer left, or kept silent for too long: there is nobody to answer.
    Gone,
    /// The head did not end within its time.
    Slow,
    /// The head is longer than it may be.
    TooLarge,
    /// A line ends in a bare line feed, or the body's length is given in two ways.
    Malformed,
}

impl HeadError {
    /// What the viewer is told; `None`: nothing.
    pub(super) const fn status(self) -> Option<StatusCode> {
        match self {
            Self::Gone => None,
            Self::Slow => Some(StatusCode::REQUEST_TIMEOUT),
            Self::TooLarge => Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::Malformed => Some(StatusCode::BAD_REQUEST),
        }
    }

    /// The label of log events.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Slow => "header-slow",
            Self::TooLarge => "header-too-large",
            Self::Malformed => "framing",
        }
    }
}

/// A request's head.
pub(super) struct Head {
    /// The head, and whatever came with it: the body's beginning, later requests.
    pub(super) bytes: BytesMut,
    /// How long the head is.
    pub(super) length: usize,
    /// What follows it.
    pub(super) framing: Framing,
}

/// Not the head itself: cookies are among it.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("length", &self.length)
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

/// How the end of a request's body is found (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// It is not known from here: what follows may be another protocol, or the request is one that is refused.
    Unknown,
}

/// The next request's head. `early` is what was read already.
/// When `quit` is done, a connection on which nothing has arrived is given up; a head that has begun
/// is read to its end.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    early: BytesMut,
    limits: HeadLimits,
    quit: impl Future<Output = ()>,
) -> Result<Head, HeadError> {
    let mut buffer = early;
    let mut scan = Scan::default();
    skip_empty_lines(&mut buffer);
    if buffer.is_empty() {
        buffer = tokio::select! {
            biased;
            first = timeout(limits.idle, first(stream)) => match first {
                Ok(Ok(first)) if !first.is_empty() => first,
                _ => return Err(HeadError::Gone),
            },
            () = quit => return Err(HeadError::Gone),
        };
    }
    let deadline = Instant::now() + limits.time;
    while !scan.advance(&mut buffer, limits.bytes)? {
        if buffer.capacity() == buffer.len() {
            buffer.reserve(USUAL_BYTES);
        }
        match timeout_at(deadline, stream.read_buf(&mut buffer)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0) | Err(_)) => return Err(HeadError::Gone),
            Err(_) => return Err(HeadError::Slow),
        }
    }
    Ok(Head {
        bytes: buffer,
        length: scan.seen,
        framing: scan.framing(),
    })
}

/// Empty lines before a request are to be ignored.
fn skip_empty_lines(buffer: &mut BytesMut) -> bool {
    let before = buffer.len();
    while buffer.starts_with(b"\r\n") {
        buffer.advance(2);
    }
    buffer.len() < before
}

/// The first bytes that come; none: the end. Until then no memory is held, since most connections are silent most
/// of the time.
async fn first(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<BytesMut> {
    poll_fn(|cx| {
        let mut buffer = BytesMut::with_capacity(USUAL_BYTES);
        ready!(pin!(stream.read_buf(&mut buffer)).poll(cx))?;
        Poll::Ready(Ok(buffer))
    })
    .await
}

/// Looks at each byte once, however small the pieces are in which they come.
#[derive(Debug, Default)]
struct Scan {
    /// Where the line begins that has not ended yet.
    line: usize,
    /// Up to where there is no line feed.
    seen: usize,
    has_length: bool,
    /// The one length that was said, where it is a number.
    length: Option<u64>,
    has_coding: bool,
    wants_upgrade: bool,
}

impl Scan {
    /// Whether the head is complete.
    fn advance(&mut self, buffer: &mut BytesMut, limit: usize) -> Result<bool, HeadError> {
        if self.line == 0 && skip_empty_lines(buffer) {
            self.seen = 0;
        }
        while let Some(at) = memchr::memchr(b'\n', buffer.get(self.seen..).unwrap_or_default()) {
            let end = self.seen + at;
            let line = buffer.get(self.line..end).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(HeadError::Malformed);
            };
            self.seen = end + 1;
            if line.is_empty() {
                return self.conclude(limit);
            }
            self.note(line);
            self.line = self.seen;
        }
        self.seen = buffer.len();
        if self.seen > limit {
            return Err(HeadError::TooLarge);
        }
        Ok(false)
    }

    fn note(&mut self, line: &[u8]) {
        match line.first() {
            Some(b'c' | b'C') => {
                if let Some(value) = value(line, b"content-length") {
                    self.length = if self.has_length { None } else { number(value) };
                    self.has_length = true;
                }
            }
            Some(b't' | b'T') => self.has_coding |= value(line, b"transfer-encoding").is_some(),
            Some(b'u' | b'U') => self.wants_upgrade |= value(line, b"upgrade").is_some(),
            _ => {}
        }
    }

    const fn framing(&self) -> Framing {
        match self.length {
            _ if self.wants_upgrade => Framing::Unknown,
            _ if self.has_coding => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None if self.has_length => Framing::Unknown,
            None => Framing::Length(0),
        }
    }

    const fn conclude(&self, limit: usize) -> Result<bool, HeadError> {
        if self.seen > limit {
            return Err(HeadError::TooLarge);
        }
        if self.has_length && self.has_coding {
            return Err(HeadError::Malformed);
        }
        Ok(true)
    }
}

/// The value of a field of this name, which is in lower case.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    start
        .eq_ignore_ascii_case(name)
        .then(|| rest.trim_ascii_start().strip_prefix(b":"))?
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let is_number = digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio_test::io::Builder;

    use super::*;

    const LIMITS: HeadLimits = HeadLimits {
        bytes: 64,
        time: Duration::from_secs(10),
        idle: Duration::from_secs(60),
    };

    async fn read_pieces(pieces: &[&[u8]]) -> Result<BytesMut, HeadError> {
        let mut builder = Builder::new();
        for piece in pieces {
            builder.read(piece);
        }
        let head = read(&mut builder.build(), BytesMut::new(), LIMITS, pending()).await;
        head.map(|head| head.bytes)
    }

    async fn framing(fields: &str) -> (usize, Framing) {
        let bytes = format!("P / HTTP/1.1\r\n{fields}\r\nmore");
        let mut stream = Builder::new().read(bytes.as_bytes()).build();
        let head = read(&mut stream, BytesMut::new(), LIMITS, pending()).await.unwrap();
        (bytes.len() - head.length, head.framing)
    }

    #[tokio::test]
    async fn the_end_of_a_head_and_what_follows_it_are_known() {
        for (fields, found) in [
            ("", Framing::Length(0)),
            ("Content-Length: 5\r\n", Framing::Length(5)),
            ("content-length:0 \r\n", Framing::Length(0)),
            ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
            ("Content-Length: +5\r\n", Framing::Unknown),
            ("Content-Length: \r\n", Framing::Unknown),
            ("Content-Length: 5, 5\r\n", Framing::Unknown),
            ("Content-Length: 99999999999999999999\r\n", Framing::Unknown),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Framing::Unknown),
            ("Upgrade: websocket\r\n", Framing::Unknown),
            ("Content-Lengths: 5\r\n", Framing::Length(0)),
        ] {
            assert_eq!(framing(fields).await, (4, found), "{fields}");
        }
    }

    #[tokio::test]
    async fn a_head_comes_in_any_pieces_and_with_the_beginning_of_the_body() {
        let whole = b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody";
        assert_eq!(read_pieces(&[whole]).await.unwrap(), &whole[..]);
        let pieces: Vec<&[u8]> = whole[..28].chunks(1).collect();
        assert_eq!(read_pieces(&pieces).await.unwrap(), &whole[..28]);
    }

    #[tokio::test]
    async fn empty_lines_before_a_request_are_dropped() {
        let head = read_pieces(&[b"\r\n\r", b"\nGET / HTTP/1.1\r\n\r\n"]).await.unwrap();
        assert_eq!(head, &b"GET / HTTP/1.1\r\n\r\n"[..]);
    }

    #[tokio::test]
    async fn what_came_with_the_request_before_is_read_first() {
        let early = BytesMut::from(&b"GET / HTTP/1.1\r\n\r\n"[..]);
        let head = read(&mut Builder::new().build(), early.clone(), LIMITS, pending()).await;
        assert_eq!(head.unwrap().bytes, early);
        let mut stream = Builder::new().read(b" / HTTP/1.1\r\n\r\n").build();
        let head = read(&mut stream, early.clone().split_to(3), LIMITS, pending()).await;
        assert_eq!(head.unwrap().bytes, early);
    }

    #[tokio::test(start_paused = true)]
    async fn empty_lines_after_a_request_are_no_beginning_of_the_next_one() {
        let mut stream = Builder::new().wait(Duration::from_secs(100)).build();
        let head = read(&mut stream, BytesMut::from(&b"\r\n"[..]), LIMITS, pending()).await;
        assert_eq!(head.unwrap_err(), HeadError::Gone);
        std::mem::forget(stream);
    }

    #[tokio::test]
    async fn a_bare_line_feed_is_refused_at_once() {
        assert_eq!(read_pieces(&[b"GET / HTTP/1.1\nHo"]).await, Err(HeadError::Malformed));
        assert_eq!(
            read_pieces(&[b"GET / HTTP/1.1\r\nHost: a\n\r\n"]).await,
            Err(HeadError::Malformed)
        );
    }

    #[tokio::test]
    async fn a_length_beside_a_coding_is_refused() {
        let both = b"P / HTTP/1.1\r\ncontent-Length: 1\r\nTRANSFER-encoding: a\r\n\r\n";
        assert_eq!(read_pieces(&[both]).await, Err(HeadError::Malformed));
    }

    #[tokio::test]
    async fn a_head_of_the_limit_is_read_and_one_byte_more_is_refused() {
        let filled = |length: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(length - 18));
        let fitting = filled(LIMITS.bytes);
        assert_eq!(fitting.len(), LIMITS.bytes);
        assert!(read_pieces(&[fitting.as_bytes()]).await.is_ok());
        assert_eq!(
            read_pieces(&[filled(LIMITS.bytes + 1).as_bytes()]).await,
            Err(HeadError::TooLarge)
        );
        assert_eq!(read_pieces(&[&[b'x'; 65]]).await, Err(HeadError::TooLarge));
    }

    #[tokio::test]
    async fn a_viewer_that_leaves_is_not_answered() {
        assert_eq!(read_pieces(&[]).await, Err(HeadError::Gone));
        assert_eq!(read_pieces(&[b"GET /"]).await, Err(HeadError::Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_head_is_cut_off_however_steady_its_bytes_are() {
        let mut builder = Builder::new();
        for _ in 0..30 {
            builder.read(b"x").wait(Duration::from_secs(1));
        }
        let mut stream = builder.build();
        let started = Instant::now();
        assert_eq!(
            read(&mut stream, BytesMut::new(), LIMITS, pending()).await.unwrap_err(),
            HeadError::Slow
        );
        assert_eq!(started.elapsed().as_secs(), 10);
        // The mock insists on being read to its end.
        std::mem::forget(stream);
    }

    #[tokio::test]
    async fn the_end_of_service_closes_an_idle_connection_and_not_a_request_that_has_begun() {
        let mut idle = Builder::new().wait(Duration::from_secs(100)).build();
        let closed = read(&mut idle, BytesMut::new(), LIMITS, ready(())).await;
        assert_eq!(closed.unwrap_err(), HeadError::Gone);
        std::mem::forget(idle);
        let mut begun = Builder::new().read(b"GET / HT").read(b"TP/1.1\r\n\r\n").build();
        let head = read(&mut begun, BytesMut::new(), LIMITS, ready(())).await;
        assert_eq!(head.unwrap().bytes, &b"GET / HTTP/1.1\r\n\r\n"[..]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_closed_without_a_word() {
        let mut stream = Builder::new().wait(Duration::from_secs(100)).build();
        assert_eq!(
            read(&mut stream, BytesMut::new(), LIMITS, pending()).await.unwrap_err(),
            HeadError::Gone
        );
        std::mem::forget(stream);
    }
}
