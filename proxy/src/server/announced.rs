//! Reads the PROXY header at the beginning of a connection, from trusted peers, within a time.

use std::{net::SocketAddr, time::Duration};

use bytes::{Buf as _, BytesMut};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::timeout,
};

use crate::proxy_protocol::{self, Parsed, Source};

/// Who the viewer is, and what came after the header. `None`: the connection is to be closed without a
/// word; whoever speaks here is not a balancer of ours, or speaks wrongly.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    peer: SocketAddr,
    trusted: &[IpNet],
    limit: Duration,
) -> Option<(SocketAddr, BytesMut)> {
    let address = peer.ip().to_canonical();
    if !trusted.iter().any(|network| network.contains(&address)) {
        tracing::debug!(target: "portcullis", %peer, "not a trusted peer on a listener for the PROXY protocol");
        return None;
    }
    match timeout(limit, header(stream)).await {
        Ok(Some((Source::Viewer(viewer), rest))) => Some((viewer, rest)),
        Ok(Some((Source::Peer, rest))) => Some((peer, rest)),
        Ok(None) | Err(_) => {
            tracing::warn!(target: "portcullis", %peer, "a trusted peer sent no PROXY header");
            None
        }
    }
}

async fn header(stream: &mut (impl AsyncRead + Unpin)) -> Option<(Source, BytesMut)> {
    let mut buffer = BytesMut::with_capacity(256);
    loop {
        if let 0 = stream.read_buf(&mut buffer).await.ok()? {
            return None;
        }
        match proxy_protocol::parse(&buffer).ok()? {
            Parsed::Complete { source, length } => {
                buffer.advance(length);
                return Some((source, buffer));
            }
            // The parser asks for no more than its longest header.
            Parsed::Incomplete => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_test::io::Builder;

    use super::*;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\n";

    async fn read_from(peer: &str, pieces: &[&[u8]]) -> Option<(SocketAddr, BytesMut)> {
        let mut builder = Builder::new();
        for piece in pieces {
            builder.read(piece);
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        read(
            &mut builder.build(),
            peer.parse().unwrap(),
            &trusted,
            Duration::from_secs(5),
        )
        .await
    }

    #[tokio::test]
    async fn a_trusted_peer_names_the_viewer_and_the_rest_is_kept() {
        let (viewer, rest) = read_from("10.9.9.9:1", &[&LINE[..9], &[&LINE[9..], b"GET /"].concat()])
            .await
            .unwrap();
        assert_eq!(
            (viewer.to_string().as_str(), &rest[..]),
            ("192.0.2.7:1234", &b"GET /"[..])
        );
    }

    #[tokio::test]
    async fn without_a_header_there_is_no_connection() {
        assert_eq!(read_from("10.9.9.9:1", &[b"GET / HTTP/1.1\r\n"]).await, None);
        assert_eq!(read_from("10.9.9.9:1", &[&LINE[..9]]).await, None);
    }

    #[tokio::test]
    async fn a_stranger_names_nobody() {
        assert_eq!(read_from("203.0.113.9:1", &[]).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_not_waited_for() {
        let mut stream = Builder::new().wait(Duration::from_secs(100)).build();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let read = read(
            &mut stream,
            "10.0.0.1:1".parse().unwrap(),
            &trusted,
            Duration::from_secs(5),
        )
        .await;
        assert_eq!(read, None);
        std::mem::forget(stream);
    }
}
