//! A large body that is passed on as it is, between two plain connections, does not come up to us at all.

use http::header;
use pingora::{
    Error, ErrorType, Result,
    protocols::{
        IO,
        http::v1::{client::HttpSession as Origin, server::HttpSession as Viewer},
    },
};
use tokio::time::timeout;

use super::fetch::gone;
use crate::{
    server::{InTurn, ViewerConnection, ViewerStream},
    upstreams::{Pipe, PlainStream, Upstreams},
};

/// Below that, copying costs no more.
const LEAST: usize = 32 * 1024;
/// As much is asked of the origin at once; a pipe seldom takes it all.
const AT_ONCE: usize = 256 * 1024;
/// Stands for what is in the pipe when it is written: as long, and never looked at.
static PLACE: [u8; AT_ONCE] = [0; AT_ONCE];

/// Passes on what is left of a body; false: it is left to be copied.
pub(super) async fn pass(viewer: &mut Viewer, origin: &mut Origin, upstreams: &Upstreams) -> Result<bool> {
    let connection = ViewerConnection::in_digest(viewer.stream().get_proxy_digest().as_ref());
    let (Some(connection), Some(length)) = (connection, spliceable(viewer, origin)) else {
        return Ok(false);
    };
    if has_read_ahead(origin)
        && let Some(part) = origin.read_body_ref().await.map_err(Error::into_up)?
    {
        viewer.write_body(part).await.map_err(Error::into_down)?;
    }
    let mut left = length.saturating_sub(origin.body_bytes_received());
    if left < LEAST {
        return Ok(false);
    }
    let Some(mut pipe) = upstreams.pipes.take() else {
        return Ok(false);
    };
    while left > 0 {
        let count = tokio::select! {
            biased;
            count = fill(&mut pipe, origin, left.min(AT_ONCE)) => count.map_err(Error::into_up)?,
            left = viewer.read_body_or_idle(true) => return Err(gone(left)),
        };
        connection.lend(pipe);
        let written = viewer.write_body(PLACE.get(..count).unwrap_or(&PLACE)).await;
        let Some(lent) = connection.take_back() else {
            return Err(super::failure::internal("a pipe that was lent is gone"));
        };
        written.map_err(Error::into_down)?;
        pipe = lent;
        left -= count.min(left);
    }
    upstreams.pipes.give_back(pipe);
    viewer.finish_body().await.map_err(Error::into_down)?;
    Ok(true)
}

/// The length of a body that can be passed on so.
fn spliceable(viewer: &Viewer, origin: &mut Origin) -> Option<usize> {
    let is_plain = is::<InTurn<ViewerStream>>(&**viewer.stream()) && is::<PlainStream>(&**origin.stream());
    if !is_plain || origin.is_body_done() || origin.get_header(header::TRANSFER_ENCODING).is_some() {
        return None;
    }
    let said = origin.get_header(header::CONTENT_LENGTH)?;
    let is_same = viewer.response_written()?.headers.get(header::CONTENT_LENGTH) == Some(said);
    let length: usize = said.to_str().ok()?.parse().ok()?;
    (is_same && length >= LEAST).then_some(length)
}

fn is<S: 'static>(stream: &dyn IO) -> bool {
    stream.as_any().is::<S>()
}

fn plain(origin: &Origin) -> Option<&PlainStream> {
    (**origin.stream()).as_any().downcast_ref()
}

/// Whether more than the header may have been read. Too much is expected after an informational response, and no
/// harm done.
fn has_read_ahead(origin: &Origin) -> bool {
    plain(origin).is_none_or(|stream| stream.has_read() > origin.get_headers_raw_bytes().len())
}

async fn fill(pipe: &mut Pipe, origin: &Origin, most: usize) -> Result<usize> {
    let Some(stream) = plain(origin) else {
        return Err(super::failure::internal("a connection that cannot be spliced"));
    };
    let filling = pipe.fill(stream.socket(), most);
    let filled = match origin.read_timeout {
        Some(limit) => timeout(limit, filling)
            .await
            .map_err(|_| Error::explain(ErrorType::ReadTimedout, "reading a body"))?,
        None => filling.await,
    };
    match filled {
        Ok(0) => Error::e_explain(ErrorType::ConnectionClosed, "a body has ended too early"),
        Ok(count) => Ok(count),
        Err(error) => Err(Error::because(ErrorType::ReadError, "reading a body", error)),
    }
}
