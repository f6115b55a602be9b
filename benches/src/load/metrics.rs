//! The proxy's Prometheus metrics, before and after.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use serde::Serialize;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Every series and its value.
pub(crate) type Scrape = BTreeMap<String, f64>;

/// A series that has changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// Name and labels.
    pub(super) series: String,
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) difference: f64,
}

/// Where metrics are.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    host: String,
    target: String,
}

impl Endpoint {
    /// Those of the admin listener.
    pub(crate) fn of_admin(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            target: "/metrics".to_owned(),
        }
    }

    /// `None`: not an http address that is known.
    pub(super) fn of_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let port = url.port_or_known_default()?;
        let address = (host.trim_matches(['[', ']']), port).to_socket_addrs().ok()?.next()?;
        (url.scheme() == "http").then(|| Self {
            address,
            host: host.to_owned(),
            target: url.path().to_owned(),
        })
    }

    /// Asks for them.
    pub(crate) fn scrape(&self) -> io::Result<Scrape> {
        let mut stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // HTTP/1.0 has no chunks.
        write!(stream, "GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", self.target, self.host)?;
        let answer = read_answer(&mut stream)?;
        let parts = answer.split_once("\r\n\r\n");
        match parts.filter(|(head, _)| head.split(' ').nth(1) == Some("200")) {
            Some((_, body)) => Ok(parse(body)),
            None => Err(io::Error::other("the metrics' address does not answer with status 200")),
        }
    }
}

/// Reads up to the length that the answer names, or to the end of the connection.
fn read_answer(stream: &mut impl io::Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    while whole_length(&bytes).is_none_or(|length| bytes.len() < length) {
        match stream.read(&mut part)? {
            0 => break,
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Of head and body; `None`: not known, or not yet.
fn whole_length(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some(end + 4 + lengths.next_back()?)
}

/// The text format; comments are left out, and so are buckets, which only sums of differences are made of.
fn parse(text: &str) -> Scrape {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.filter_map(|line| {
        let (series, value) = line.trim().rsplit_once(' ')?;
        let name = series.split('{').next()?;
        (!name.ends_with("_bucket")).then_some(())?;
        Some((series.to_owned(), value.parse().ok()?))
    });
    series.collect()
}

/// What has changed; a series that was not there before was 0.
pub(super) fn changes(before: &Scrape, after: &Scrape) -> Vec<Change> {
    let changed = after.iter().filter_map(|(series, &after)| {
        let before = before.get(series).copied().unwrap_or(0.0);
        let difference = after - before;
        (difference != 0.0).then(|| Change {
            series: series.clone(),
            before,
            after,
            difference,
        })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total help\n# TYPE a_total counter\na_total{code=\"2xx\",site=\"a b\"} 7\n\
                        t_bucket{le=\"0.1\"} 3\nt_sum 0.25\nt_count 3\nbroken\n";

    #[test]
    fn series_are_read_with_their_labels() {
        let scrape = parse(TEXT);
        assert_eq!(scrape.len(), 3);
        assert_eq!(scrape["a_total{code=\"2xx\",site=\"a b\"}"], 7.0);
        assert_eq!(scrape["t_sum"], 0.25);
    }

    #[test]
    fn only_what_has_changed_is_shown() {
        let (before, after) = (parse("same 1\ncount 2\n"), parse("same 1\ncount 5\nnew 3\n"));
        let found: Vec<(String, f64)> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.series, change.difference))
            .collect();
        assert_eq!(found, [("count".to_owned(), 3.0), ("new".to_owned(), 3.0)]);
    }

    #[test]
    fn an_answer_ends_with_its_length_or_with_the_connection() {
        let read = |text: &str| read_answer(&mut text.as_bytes()).unwrap();
        let kept_open = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\n\r\nab";
        assert_eq!(whole_length(kept_open.as_bytes()), Some(kept_open.len()));
        assert_eq!(whole_length(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), None);
        assert_eq!(
            read("HTTP/1.0 200 OK\r\n\r\nto the end"),
            "HTTP/1.0 200 OK\r\n\r\nto the end"
        );
    }

    #[test]
    fn metrics_come_over_plain_http() {
        let endpoint = |url: &str| Endpoint::of_url(&Url::parse(url).unwrap());
        assert_eq!(endpoint("http://127.0.0.1:9090/metrics").unwrap().target, "/metrics");
        assert!(endpoint("https://127.0.0.1/metrics").is_none());
    }
}
