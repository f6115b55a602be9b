//! The beginning of a connection from a balancer: a PROXY header, or none; what follows does not matter.

use proxy::proxy_protocol::{LONGEST, Parsed, parse};

pub(crate) fn run(data: &[u8]) {
    let whole = parse(data);
    if let Ok(Parsed::Complete { length, .. }) = whole {
        assert!(length <= data.len() && length <= LONGEST);
        assert_eq!(parse(&data[..length]), whole);
        assert_eq!(parse(&data[..length - 1]), Ok(Parsed::Incomplete));
    }
    if whole == Ok(Parsed::Incomplete) {
        assert!(data.len() < LONGEST);
    }
}
