//! `[limits]`: what viewers may use up.

use std::{num::NonZeroUsize, time::Duration};

use super::{
    section::Section,
    units::{ByteSize, Span},
};

/// What viewers may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The request line and all header fields.
    pub header_bytes: usize,
    /// Path and query of a request.
    pub url_bytes: usize,
    /// All `Cookie` fields of a request.
    pub cookie_bytes: usize,
    /// Cookies in a request. `None`: any number.
    pub cookies: Option<usize>,
    /// A request's body. `None`: any.
    pub body_bytes: Option<u64>,
    /// Bytes a second that a body must come with on average, once it has come for a while. 0: any.
    pub body_rate: u64,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's header may take, from its first byte to its last.
    pub header: Duration,
    /// How long a connection may be kept without a request.
    pub idle: Duration,
    /// How long a viewer may pause while sending a body.
    pub read: Duration,
    /// How long a viewer may refuse to take a part of a response.
    pub write: Duration,
    /// How long a WebSocket may go on before its session is to be shown again. `None`: any time.
    pub websocket: Option<Duration>,
    /// Connections at a time; more wait in the system's queue.
    pub connections: NonZeroUsize,
    /// Requests of one connection.
    pub connection_requests: u32,
    /// Requests a minute of one viewer to the paths of sign-in, refresh and sign-out. 0: any.
    pub auth_requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 * 1024,
            url_bytes: 32 * 1024,
            cookie_bytes: 32 * 1024,
            cookies: None,
            body_bytes: None,
            body_rate: 200,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
            websocket: None,
            connections: NonZeroUsize::new(20_000).unwrap_or(NonZeroUsize::MIN),
            connection_requests: 10_000,
            auth_requests: 6000,
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let mut bytes = |key: &'static str| section.parsed::<ByteSize>(key, "a size as `32KiB`").map(|size| size.0);
    let header_bytes = bytes("header_bytes").unwrap_or(default.header_bytes);
    let url_bytes = bytes("url_bytes").unwrap_or(default.url_bytes);
    let cookie_bytes = bytes("cookie_bytes").unwrap_or(default.cookie_bytes);
    let body_rate = bytes("body_rate").map_or(default.body_rate, |rate| rate as u64);
    if !(1024..=64 * 1024).contains(&header_bytes) {
        section.refuse("header_bytes", header_bytes.to_string(), "1KiB to 64KiB");
    }
    let body_bytes = match section.text("body_bytes").as_deref() {
        None | Some("off") => None,
        Some(text) => {
            let size = text.parse::<ByteSize>().ok().map(|size| size.0 as u64);
            if size.is_none() {
                section.refuse("body_bytes", format!("{text:?}"), "a size as `10MiB`, or `off`");
            }
            size
        }
    };
    let websocket = match section.text("websocket_age").as_deref() {
        None | Some("off") => None,
        Some(_) => section
            .parsed::<Span>("websocket_age", "a duration as `1h`, or `off`")
            .map(|span| span.0),
    };
    let mut span = |key: &'static str, default: Duration| {
        let span = section.parsed::<Span>(key, "a duration as `30s`");
        if span == Some(Span(Duration::ZERO)) {
            section.refuse(key, "\"0s\"", "more than nothing");
        }
        span.map_or(default, |span| span.0)
    };
    let limits = Limits {
        header_bytes,
        url_bytes,
        cookie_bytes,
        body_bytes,
        body_rate,
        websocket,
        handshake: span("handshake_timeout", default.handshake),
        header: span("header_timeout", default.header),
        idle: span("idle_timeout", default.idle),
        read: span("read_timeout", default.read),
        write: span("write_timeout", default.write),
        cookies: section.parsed("cookies", "a number"),
        connections: section
            .parsed("connections", "a number from 1")
            .unwrap_or(default.connections),
        connection_requests: section
            .parsed::<std::num::NonZeroU32>("connection_requests", "a number from 1")
            .map_or(default.connection_requests, std::num::NonZeroU32::get),
        auth_requests: section
            .parsed("auth_requests_per_minute", "a number, 0 for any")
            .unwrap_or(default.auth_requests),
    };
    section.finish();
    limits
}
