//! A Range header's value, of a file as long as the input's first byte says.

use proxy::doors;

pub(crate) fn run(data: &[u8]) {
    let Some((&length, value)) = data.split_first() else {
        return;
    };
    if let Some((first, last)) = doors::byte_range(value, length.into()) {
        assert!(first <= last && last < u64::from(length));
    }
}
