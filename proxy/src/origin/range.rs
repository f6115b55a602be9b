//! The Range header: one range of bytes (RFC 9110, section 14).
//!
//! Several ranges, other units and what is malformed are ignored, as section 14.2 allows: the answer is then
//! the whole representation.

use http::{HeaderMap, header::RANGE};

/// What a request asks for of a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requested {
    /// All of it.
    Whole,
    /// From byte `first` to byte `last`, both included and both there.
    Part {
        /// Position of the first byte.
        first: u64,
        /// Position of the last byte.
        last: u64,
    },
    /// 416: nothing of it is there.
    Unsatisfiable,
}

/// Reads the Range header for a representation of `length` bytes.
pub(crate) fn requested(headers: &HeaderMap, length: u64) -> Requested {
    let mut ranges = headers.get_all(RANGE).iter();
    match (ranges.next().and_then(|value| value.to_str().ok()), ranges.next()) {
        (Some(range), None) => parse(range, length).unwrap_or(Requested::Whole),
        _ => Requested::Whole,
    }
}

fn parse(range: &str, length: u64) -> Option<Requested> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    if first.is_empty() {
        return Some(suffix(position(last)?, length));
    }
    let first = position(first)?;
    let last = if last.is_empty() { u64::MAX } else { position(last)? };
    if last < first {
        return None;
    }
    Some(part(first, last, length))
}

fn suffix(count: u64, length: u64) -> Requested {
    if count == 0 {
        return Requested::Unsatisfiable;
    }
    part(length.saturating_sub(count), u64::MAX, length)
}

fn part(first: u64, last: u64, length: u64) -> Requested {
    if first >= length {
        return Requested::Unsatisfiable;
    }
    Requested::Part {
        first,
        last: last.min(length - 1),
    }
}

/// Digits only; what is beyond a u64 is beyond every file.
fn position(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of_ten(range: &'static str) -> Requested {
        requested(&HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]), 10)
    }

    #[test]
    fn one_range_is_read_and_clamped() {
        for (range, first, last) in [
            ("bytes=0-0", 0, 0),
            ("bytes=0-9", 0, 9),
            ("bytes=3-", 3, 9),
            ("bytes=9-9", 9, 9),
            ("bytes=9-10", 9, 9),
            ("bytes=5-99999999999999999999999", 5, 9),
            ("bytes=-1", 9, 9),
            ("bytes=-10", 0, 9),
            ("bytes=-11", 0, 9),
            ("Bytes=1-2", 1, 2),
            ("bytes= 1-2 ", 1, 2),
        ] {
            assert_eq!(of_ten(range), Requested::Part { first, last }, "{range}");
        }
    }

    #[test]
    fn a_range_beyond_the_end_is_unsatisfiable() {
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(of_ten(range), Requested::Unsatisfiable, "{range}");
        }
    }

    #[test]
    fn nothing_has_no_satisfiable_range() {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-"))]);
        assert_eq!(requested(&headers, 0), Requested::Unsatisfiable);
    }

    #[test]
    fn what_is_not_one_range_of_bytes_is_ignored() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=2-1",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=1--2",
            "items=0-1",
            "bytes=1-2-3",
            "bytes:0-1",
        ] {
            assert_eq!(of_ten(range), Requested::Whole, "{range}");
        }
        let mut twice = HeaderMap::new();
        twice.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(RANGE, HeaderValue::from_static("bytes=3-4"));
        assert_eq!(requested(&twice, 10), Requested::Whole);
        assert_eq!(requested(&HeaderMap::new(), 10), Requested::Whole);
    }
}
