//! The id that ties a request's log event to those of its neighbours: kept from the viewer or made.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use auth_core::Entropy as _;
use auth_driver::SystemEntropy;
use http::HeaderMap;

/// Header in both directions.
pub(crate) const HEADER: &str = "x-request-id";
/// Longer ids are replaced.
const MAX_LENGTH: usize = 128;

static PROCESS: LazyLock<u64> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    SystemEntropy::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
});
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The viewer's id if it is one and looks harmless, else a new one.
pub(crate) fn of(headers: &HeaderMap) -> String {
    let mut given = headers.get_all(HEADER).iter();
    match (given.next(), given.next()) {
        (Some(id), None) if is_sane(id.as_bytes()) => String::from_utf8_lossy(id.as_bytes()).into_owned(),
        _ => made(*PROCESS, NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Hexadecimal digits of both, of the second at least eight. Each request needs one: without the formatting machinery.
fn made(process: u64, next: u64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (16 - next.leading_zeros() as usize / 4).max(8);
    let of = |number: u64, count: usize| {
        (0..count)
            .rev()
            .map(move |at| char::from(DIGITS[(number >> (at * 4) & 15) as usize]))
    };
    of(process, 16).chain(of(next, digits)).collect()
}

fn is_sane(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, id.parse().unwrap());
        headers
    }

    #[test]
    fn a_sane_id_is_kept() {
        assert_eq!(
            of(&with("Root=1-67891233-abcdef012345678912345678")),
            "Root=1-67891233-abcdef012345678912345678"
        );
    }

    #[test]
    fn an_id_that_could_break_a_log_is_replaced() {
        for id in ["", "a b", "a\"b", "a,b", &"a".repeat(129)] {
            assert_ne!(of(&with(id)), id);
        }
        let mut twice = with("a");
        twice.append(HEADER, "b".parse().unwrap());
        assert_ne!(of(&twice), "a");
    }

    #[test]
    fn a_made_id_is_the_process_and_the_number() {
        for (process, next) in [
            (0, 0),
            (0x0123_4567_89ab_cdef, 0xffff_ffff),
            (1, 0x1_0000_0000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(made(process, next), format!("{process:016x}{next:08x}"));
        }
    }

    #[test]
    fn made_ids_differ() {
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
