//! What the two processes say to each other: one line of JSON with the sockets beside it from the old one,
//! `ready` from the new one, `yours` in return.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    cmsg_space,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        recvmsg, sendmsg,
    },
};
use serde::{Deserialize, Serialize};

use super::UpgradeError;
use crate::server::listeners::{Bound, Port};

/// From the new process, once it accepts.
pub(super) const READY: &[u8; 6] = b"ready\n";
/// From the old process, once it has decided to leave.
pub(super) const YOURS: &[u8; 6] = b"yours\n";

/// Sockets in one message; the system allows 253.
const MOST: usize = 128;
/// More than so many ports take in JSON.
const LONGEST: usize = 16 * 1024;
/// Both processes must mean the same by a message.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Manifest {
    version: u32,
    /// In the order of the sockets.
    listeners: Vec<Port>,
}

/// Sends all listeners in one message; a fresh socket has room for it.
pub(super) fn send(socket: impl AsFd, lent: &[(Port, OwnedFd)]) -> Result<(), UpgradeError> {
    if lent.len() > MOST {
        return Err(UpgradeError::TooMany);
    }
    let manifest = Manifest {
        version: VERSION,
        listeners: lent.iter().map(|(port, _)| *port).collect(),
    };
    let mut line = serde_json::to_vec(&manifest).map_err(|_| UpgradeError::Protocol)?;
    line.push(b'\n');
    let descriptors: Vec<BorrowedFd<'_>> = lent.iter().map(|(_, socket)| socket.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(UpgradeError::TooMany);
    }
    let sent = sendmsg(socket, &[IoSlice::new(&line)], &mut control, SendFlags::NOSIGNAL)
        .map_err(|error| UpgradeError::system("send the listeners")(error.into()))?;
    if sent == line.len() {
        Ok(())
    } else {
        Err(UpgradeError::Protocol)
    }
}

/// Receives them. Blocks.
pub(super) fn receive(socket: impl AsFd) -> Result<Vec<Bound>, UpgradeError> {
    let mut line = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut line)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(|error| UpgradeError::system("receive the listeners")(error.into()))?;
    let sockets: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
            _ => None,
        })
        .flatten()
        .collect();
    line.truncate(received.bytes);
    let manifest = line.strip_suffix(b"\n").ok_or(UpgradeError::Protocol)?;
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|_| UpgradeError::Protocol)?;
    if manifest.version != VERSION || manifest.listeners.len() != sockets.len() {
        return Err(UpgradeError::Protocol);
    }
    let bound = manifest.listeners.into_iter().zip(sockets).map(|(port, socket)| Bound {
        port,
        socket: socket.into(),
    });
    Ok(bound.collect())
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, net::TcpListener, os::unix::net::UnixStream};

    use super::*;
    use crate::server::listeners::Kind;

    #[test]
    fn listeners_arrive_as_what_they_were() {
        let (old, new) = UnixStream::pair().unwrap();
        let listeners: Vec<TcpListener> = (0..20).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = listeners.iter().map(|socket| socket.local_addr().unwrap()).collect();
        let lent: Vec<(Port, OwnedFd)> = listeners
            .into_iter()
            .zip(&addresses)
            .map(|(socket, &configured)| {
                (
                    Port {
                        kind: Kind::Http,
                        configured,
                    },
                    socket.into(),
                )
            })
            .collect();
        send(&old, &lent).unwrap();
        drop(lent);
        let bound = receive(&new).unwrap();
        assert_eq!(bound.len(), 20);
        for (bound, address) in bound.iter().zip(addresses) {
            assert_eq!(bound.port.configured, address);
            assert_eq!(bound.socket.local_addr().unwrap(), address);
            std::net::TcpStream::connect(address).unwrap();
        }
    }

    #[test]
    fn a_message_of_another_kind_is_refused() {
        for message in [
            &b"{\"version\":2,\"listeners\":[]}\n"[..],
            b"{\"version\":1,\"listeners\":[{\"kind\":\"http\",\"configured\":\"127.0.0.1:0\"}]}\n",
            b"{\"version\":1,\"listeners\":[]}",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"",
        ] {
            let (mut old, new) = UnixStream::pair().unwrap();
            old.write_all(message).unwrap();
            drop(old);
            assert!(matches!(receive(&new), Err(UpgradeError::Protocol)), "{message:?}");
        }
    }
}
