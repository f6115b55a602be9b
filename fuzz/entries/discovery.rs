//! An issuer, then what its address answers in place of a discovery document.

use proxy::doors;

pub(crate) fn run(data: &[u8]) {
    let at = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (issuer, document) = data.split_at(at);
    let issuer = String::from_utf8_lossy(issuer).into_owned();
    let document = document.get(1..).unwrap_or_default();
    if doors::discovery_document(document, &issuer) {
        // Nobody is taken for somebody else: a document that counts has the issuer in it.
        assert!(!doors::discovery_document(document, &format!("{issuer}/")));
    }
}
