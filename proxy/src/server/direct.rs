//! What the kernel takes from a file or a pipe by itself, instead of bytes from us: it goes past the cork, after
//! whatever waits there.

use std::{
    io,
    os::fd::AsFd,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use rustix::net::{SendFlags, send};
use tokio::{io::Interest, net::TcpStream};

use super::corked::Corked;

/// The kernel lets these bytes wait for those that follow at once.
#[cfg(target_os = "linux")]
const FIRST: SendFlags = SendFlags::MORE.union(SendFlags::NOSIGNAL);
#[cfg(not(target_os = "linux"))]
const FIRST: SendFlags = SendFlags::empty();

/// Sends what waits, and then as much as is taken at once of what `send_rest` sends.
pub(super) fn poll_send(
    stream: &mut Corked<TcpStream>,
    cx: &mut Context<'_>,
    mut send_rest: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    let (waiting, socket) = stream.parts();
    while !waiting.is_empty() {
        let sent = ready!(poll(socket, cx, || send_first(socket, waiting)))?;
        waiting.advance(sent);
    }
    *waiting = BytesMut::new();
    poll(socket, cx, || send_rest(socket))
}

fn send_first(to: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(to, bytes, FIRST)?)
}

/// Once the socket takes something.
fn poll(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(cx))?;
        match socket.try_io(Interest::WRITABLE, &mut send) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            sent => return Poll::Ready(sent),
        }
    }
}
