//! Lines that the head of a response gets as it is written.
//!
//! Pingora keeps a head in two tables, in which each field is hashed twice, and which have to grow for what most sites
//! add. Fields that are the same in each response of a site are a few bytes to copy instead.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use bytes::BytesMut;
use pingora::{
    protocols::{IO, tls::TlsStream},
    proxy::Session,
};

use super::InTurn;
use crate::server::ViewerStream;

const LINE_END: &[u8] = b"\r\n";

/// Lines to be added to the head that is written next, each with its end.
#[derive(Default)]
pub(crate) struct LinesToAdd(Mutex<Option<Vec<u8>>>);

impl LinesToAdd {
    /// Those of the connection that a session writes to; `None`: it is none whose heads have lines.
    pub(crate) fn of(session: &Session) -> Option<&Self> {
        let stream: &dyn IO = &**session.as_downstream().as_http1()?.stream();
        let stream = stream.as_any();
        match stream.downcast_ref::<InTurn<ViewerStream>>() {
            Some(plain) => Some(&plain.lines),
            None => Some(&stream.downcast_ref::<InTurn<TlsStream<ViewerStream>>>()?.lines),
        }
    }

    /// The head has to be the next that is written.
    pub(crate) fn set(&self, lines: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
    }

    /// Takes back what still waits for its head; whether there was anything.
    pub(crate) fn take_back(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// The head with them, if there are any.
    pub(super) fn added_to(&mut self, head: &[u8]) -> io::Result<Option<BytesMut>> {
        let Some(lines) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(None);
        };
        let fields = head.strip_suffix(LINE_END).filter(|fields| fields.ends_with(LINE_END));
        let fields = fields.ok_or(io::ErrorKind::InvalidInput)?;
        let mut longer = BytesMut::with_capacity(head.len() + lines.len());
        for part in [fields, &lines, LINE_END] {
            longer.extend_from_slice(part);
        }
        Ok(Some(longer))
    }
}
