//! A chunked body and what follows it: how it is cut into pieces does not matter.

use proxy::chunked_body::ChunkedBody;

pub(crate) fn run(data: &[u8]) {
    let mut whole = ChunkedBody::BEGIN;
    let length = whole.take(data);
    if whole == ChunkedBody::Ended {
        assert!(data[..length].ends_with(b"\r\n\r\n"));
        assert_eq!(whole.take(&data[length..]), 0);
    } else {
        assert_eq!(length, data.len());
    }
    for size in 1..=data.len().min(8) {
        let mut pieces = ChunkedBody::BEGIN;
        let taken: usize = data.chunks(size).map(|piece| pieces.take(piece)).sum();
        assert_eq!((taken, pieces), (length, whole));
    }
}
