//! The viewer's body while it comes: not more than it may be, not slower than it must be (T-DOS-2).

use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::{Error, ErrorType::HTTPStatus, Result};

use crate::config::Limits;

/// A body is not judged by its speed before.
const GRACE: Duration = Duration::from_secs(20);

/// What has come of a body.
#[derive(Debug, Default)]
pub(crate) struct Received {
    bytes: u64,
    limit: Option<u64>,
    rate: u64,
    began: Option<Instant>,
}

impl Received {
    /// Nothing yet.
    pub(crate) const fn within(limits: &Limits) -> Self {
        Self {
            bytes: 0,
            limit: limits.body_bytes,
            rate: limits.body_rate,
            began: None,
        }
    }

    /// Counts a part.
    ///
    /// # Errors
    /// 413 or 408, with the reason for the log.
    pub(super) fn part(&mut self, part: &Bytes, now: Instant) -> Result<(), (&'static str, Box<Error>)> {
        self.bytes += part.len() as u64;
        if self.limit.is_some_and(|limit| self.bytes > limit) {
            return Err(("body-too-large", Error::new_down(HTTPStatus(413))));
        }
        let elapsed = now.saturating_duration_since(*self.began.get_or_insert(now));
        if elapsed > GRACE && self.bytes < self.rate.saturating_mul(elapsed.as_secs()) {
            return Err(("body-slow", Error::new_down(HTTPStatus(408))));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(body_bytes: Option<u64>, body_rate: u64) -> Received {
        Received::within(&Limits {
            body_bytes,
            body_rate,
            ..Limits::default()
        })
    }

    fn reason(result: Result<(), (&'static str, Box<Error>)>) -> Option<&'static str> {
        result.err().map(|(reason, _)| reason)
    }

    #[test]
    fn a_body_of_the_limit_passes_and_a_byte_more_does_not() {
        let mut body = limits(Some(10), 0);
        let now = Instant::now();
        assert_eq!(reason(body.part(&Bytes::from_static(b"12345"), now)), None);
        assert_eq!(reason(body.part(&Bytes::from_static(b"67890"), now)), None);
        assert_eq!(
            reason(body.part(&Bytes::from_static(b"1"), now)),
            Some("body-too-large")
        );
    }

    #[test]
    fn a_body_that_drips_is_given_up_and_one_that_stalls_once_is_not() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut drip = limits(None, 10);
        for second in 0..=20 {
            assert_eq!(reason(drip.part(&Bytes::from_static(b"1"), at(second))), None);
        }
        assert_eq!(reason(drip.part(&Bytes::from_static(b"1"), at(21))), Some("body-slow"));
        let mut stalls = limits(None, 10);
        assert_eq!(reason(stalls.part(&Bytes::from_static(&[0; 1000]), at(0))), None);
        assert_eq!(reason(stalls.part(&Bytes::from_static(b"1"), at(50))), None);
    }
}
