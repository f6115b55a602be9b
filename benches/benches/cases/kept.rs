//! A cache hit without the socket: the key is computed, the object looked up, its header copied and completed.
//! What a request's decision, the site's own headers and the writing take is not in it.

use std::hint::black_box;

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, USER_AGENT},
};
use proxy::doors::KeptObject;

use super::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![hit("cache/hit_1_kb", 1_024), hit("cache/hit_100_kb", 102_400)]
}

fn hit(name: &'static str, length: usize) -> Case {
    let object = KeptObject::new(length).expect("the object has a header");
    let request = HeaderMap::from_iter([
        (ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br, zstd")),
        (USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64)")),
    ]);
    Case::new(name, move || {
        let (header, body) = object.answer(black_box(&request)).expect("the object is kept");
        assert_eq!((header.status.as_u16(), black_box(body).len()), (200, length));
    })
}
