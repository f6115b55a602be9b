//! Where a chunked body ends (RFC 9112, section 7.1).
//!
//! Pingora decodes the body and judges it. This only tells its bytes from those of the next request, and is stricter:
//! what is not beyond doubt has no end here, and no request is looked for after it (T-SMUG-3).

/// How far a chunked body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkedBody {
    /// In a chunk's size, after so many digits.
    Size {
        /// How many there were.
        digits: u8,
        /// What they say.
        size: u64,
    },
    /// After the digits; what extends them is of no interest.
    Extension {
        /// What they say.
        size: u64,
    },
    /// After the carriage return that ends the size's line.
    SizeEnd {
        /// What it says.
        size: u64,
    },
    /// So much of a chunk is to come.
    Data {
        /// In bytes.
        left: u64,
    },
    /// After a chunk's last byte.
    DataEnd,
    /// After the carriage return there.
    DataLineEnd,
    /// Where a line of the trailer section begins.
    Trailer,
    /// Within such a line.
    Field,
    /// After its carriage return.
    FieldEnd,
    /// After the carriage return of the empty line.
    LastLine,
    /// Nothing of the body is to come.
    Ended,
    /// It is no chunked body.
    Malformed,
}

/// As many digits as a number of 64 bits has.
const MOST_DIGITS: u8 = 16;

impl ChunkedBody {
    /// Of which nothing has come.
    pub const BEGIN: Self = Self::Size { digits: 0, size: 0 };

    /// Takes what comes next; how much of it belongs to the body.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while *self != Self::Ended
            && let Some((first, others)) = rest.split_first()
        {
            if let Self::Data { left } = *self {
                let data = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                *self = match left.saturating_sub(data as u64) {
                    0 => Self::DataEnd,
                    left => Self::Data { left },
                };
                rest = rest.get(data..).unwrap_or_default();
            } else {
                *self = self.after(*first);
                rest = others;
            }
        }
        bytes.len() - rest.len()
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size { digits: 1.., size } | Self::Extension { size }, b'\r') => Self::SizeEnd { size },
            (Self::Size { digits: 1.., size }, b';' | b' ' | b'\t') => Self::Extension { size },
            (Self::Size { digits, size }, _) if digits < MOST_DIGITS => match char::from(byte).to_digit(16) {
                Some(digit) => Self::Size {
                    digits: digits + 1,
                    size: size << 4 | u64::from(digit),
                },
                None => Self::Malformed,
            },
            (Self::Extension { size }, 0..=9 | 11..) => Self::Extension { size },
            (Self::SizeEnd { size: 0 }, b'\n') | (Self::FieldEnd, b'\n') => Self::Trailer,
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: size },
            (Self::DataEnd, b'\r') => Self::DataLineEnd,
            (Self::DataLineEnd, b'\n') => Self::BEGIN,
            (Self::Trailer, b'\r') => Self::LastLine,
            (Self::LastLine, b'\n') => Self::Ended,
            (Self::Field, b'\r') => Self::FieldEnd,
            (Self::Trailer | Self::Field, 0..=9 | 11..) => Self::Field,
            _ => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(bytes: &[u8]) -> (usize, ChunkedBody) {
        let mut chunks = ChunkedBody::BEGIN;
        (chunks.take(bytes), chunks)
    }

    #[test]
    fn the_end_is_after_the_empty_line_of_the_last_chunk() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "a;name=\"value\"\r\n0123456789\r\n00\r\n\r\n",
            "1 \r\n\r\r\n0\r\nA: b\r\nC: d\r\n\r\n",
            "5\r\n0\r\n\r\n\r\n0;last\r\n\r\n",
        ] {
            let next = format!("{body}GET / HTTP/1.1\r\n\r\n");
            assert_eq!(taken(next.as_bytes()), (body.len(), ChunkedBody::Ended), "{body:?}");
            let (_, cut) = taken(&body.as_bytes()[..body.len() - 1]);
            assert_eq!(cut, ChunkedBody::LastLine, "{body:?}");
        }
    }

    #[test]
    fn what_is_no_chunk_has_no_end() {
        for body in [
            "\r\n0\r\n\r\n",
            "x\r\n",
            "-1\r\n",
            "0x5\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello\r0\r\n\r\n",
            "5;a\nb\r\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
            "0\r\nA: b\nC: d\r\n\r\n",
            "0\r\n\n",
            "0\r\n\rx",
        ] {
            let next = format!("{body}GET / HTTP/1.1\r\n\r\n");
            assert_eq!(taken(next.as_bytes()), (next.len(), ChunkedBody::Malformed), "{body:?}");
        }
    }

    #[test]
    fn the_longest_chunk_is_counted() {
        let (_, chunks) = taken(b"ffffffffffffffff\r\nx");
        assert_eq!(chunks, ChunkedBody::Data { left: u64::MAX - 1 });
    }

    proptest! {
        #[test]
        fn pieces_have_the_end_that_the_whole_has(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
            next in proptest::collection::vec(any::<u8>(), 0..40),
            piece in 1_usize..50,
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend(format!("{:x}\r\n", chunk.len()).bytes());
                body.extend(chunk);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let whole = [&*body, &*next].concat();
            let mut found = ChunkedBody::BEGIN;
            let count: usize = whole.chunks(piece).map(|piece| found.take(piece)).sum();
            prop_assert_eq!((count, found), (body.len(), ChunkedBody::Ended));
        }

        #[test]
        fn no_bytes_are_taken_twice_or_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (count, chunks) = taken(&bytes);
            prop_assert!(count == bytes.len() || chunks == ChunkedBody::Ended);
        }
    }
}
