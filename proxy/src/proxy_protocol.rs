//! The PROXY protocol, versions 1 and 2: who the viewer is, said by a balancer before anything else.
//!
//! Only listeners that are configured for it read it, and only from trusted peers; there it must be. What
//! is not understood is refused, never skipped. Extensions of version 2 (TLVs) are read over; version 2's
//! checksum is one of them. (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.)

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;
/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;
/// More than addresses and usual extensions take; the format itself allows 64 KiB.
const LONGEST_BINARY: usize = 4096;

/// More than this is never needed to read a header.
pub const LONGEST: usize = FIXED + LONGEST_BINARY;

/// What the beginning of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Part of a header, perhaps.
    Incomplete,
    /// A header.
    Complete {
        /// Who the viewer is.
        source: Source,
        /// The bytes that the header takes.
        length: usize,
    },
}

/// Who a connection is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This viewer, whose connection the peer passes on.
    Viewer(SocketAddr),
    /// The peer itself, as for a health check, or somebody whom it cannot name.
    Peer,
}

/// Why the beginning of a connection is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// It begins neither as version 1 nor as version 2.
    #[error("no PROXY header")]
    Missing,
    /// A line of version 1 that is none.
    #[error("malformed PROXY line")]
    Line,
    /// A version, command or length that version 2 does not have.
    #[error("malformed PROXY header")]
    Binary,
}

/// Reads the beginning of a connection.
///
/// # Errors
/// It is no header, whatever follows.
pub fn parse(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let begins_as = |start: &[u8]| bytes.iter().zip(start).all(|(byte, expected)| byte == expected);
    if begins_as(&SIGNATURE) {
        binary(bytes)
    } else if begins_as(b"PROXY ") {
        line(bytes)
    } else {
        Err(HeaderError::Missing)
    }
}

fn line(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let window = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
    let Some(end) = memchr::memchr(b'\n', window) else {
        return if bytes.len() < LONGEST_LINE {
            Ok(Parsed::Incomplete)
        } else {
            Err(HeaderError::Line)
        };
    };
    let text = window.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let text = text
        .and_then(|line| std::str::from_utf8(line).ok())
        .ok_or(HeaderError::Line)?;
    Ok(Parsed::Complete {
        source: words(text).ok_or(HeaderError::Line)?,
        length: end + 1,
    })
}

fn words(line: &str) -> Option<Source> {
    let mut words = line.split(' ');
    if words.next()? != "PROXY" {
        return None;
    }
    let family = words.next()?;
    if family == "UNKNOWN" {
        // Whatever follows is to be ignored.
        return Some(Source::Peer);
    }
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse().ok().map(IpAddr::V4),
            "TCP6" => text.parse().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let source = address(words.next()?)?;
    address(words.next()?)?;
    let source_port = port(words.next()?)?;
    port(words.next()?)?;
    words
        .next()
        .is_none()
        .then(|| Source::Viewer(SocketAddr::new(source, source_port)))
}

fn port(text: &str) -> Option<u16> {
    let plain = text == "0" || !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

fn binary(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else {
        return Ok(Parsed::Incomplete);
    };
    let &[.., version_and_command, family, high, low] = fixed;
    let is_local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return Err(HeaderError::Binary),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_BINARY {
        return Err(HeaderError::Binary);
    }
    let Some(rest) = bytes.get(FIXED..FIXED + length) else {
        return Ok(Parsed::Incomplete);
    };
    let source = match (is_local, family) {
        // TCP over IPv4 and over IPv6. Datagrams and UNIX sockets do not come in over TCP listeners.
        (false, 0x11) => Source::Viewer(ipv4(rest).ok_or(HeaderError::Binary)?),
        (false, 0x21) => Source::Viewer(ipv6(rest).ok_or(HeaderError::Binary)?),
        (true, _) | (false, 0x00) => Source::Peer,
        (false, _) => return Err(HeaderError::Binary),
    };
    Ok(Parsed::Complete {
        source,
        length: FIXED + length,
    })
}

/// Source and target address, source and target port.
fn ipv4(bytes: &[u8]) -> Option<SocketAddr> {
    let &[a, b, c, d, _, _, _, _, high, low, _, _] = bytes.first_chunk::<12>()?;
    Some((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])).into())
}

fn ipv6(bytes: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = bytes.split_first_chunk::<16>()?;
    let &[high, low, _, _] = rest.get(16..)?.first_chunk::<4>()?;
    Some((Ipv6Addr::from(*source), u16::from_be_bytes([high, low])).into())
}

#[cfg(test)]
mod tests;
