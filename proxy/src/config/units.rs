//! Durations and sizes as people write them: `20s`, `500ms`, `32KiB`.

use std::{str::FromStr, time::Duration};

/// A duration: digits and one of `ms`, `s`, `m`, `h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A number of bytes: digits and nothing, `B`, `kB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteSize(pub(super) usize);

/// Neither of the forms above, or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadUnit;

fn split(text: &str) -> Result<(u64, &str), BadUnit> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Ok((digits.parse().map_err(|_| BadUnit)?, unit.trim_start()))
}

impl FromStr for Span {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let (count, unit) = split(text.trim())?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(BadUnit),
        };
        count
            .checked_mul(millis)
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or(BadUnit)
    }
}

impl FromStr for ByteSize {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let (count, unit) = split(text.trim())?;
        let bytes = match unit {
            "" | "B" => 1,
            "kB" => 1000,
            "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            _ => return Err(BadUnit),
        };
        count
            .checked_mul(bytes)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .map(Self)
            .ok_or(BadUnit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!("20s".parse(), Ok(Span(Duration::from_secs(20))));
        assert_eq!("15m".parse(), Ok(Span(Duration::from_secs(900))));
        assert_eq!("1h".parse(), Ok(Span(Duration::from_secs(3600))));
        for wrong in ["", "20", "s", "-1s", "1.5s", "1d", "18446744073709551615h"] {
            assert_eq!(wrong.parse::<Span>(), Err(BadUnit), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_bytes_unless_a_unit_says_otherwise() {
        assert_eq!("100".parse(), Ok(ByteSize(100)));
        assert_eq!("32KiB".parse(), Ok(ByteSize(32_768)));
        assert_eq!("8 kB".parse(), Ok(ByteSize(8000)));
        assert_eq!("1GiB".parse(), Ok(ByteSize(1 << 30)));
        for wrong in ["", "KiB", "1KB", "-1", "18446744073709551615GiB"] {
            assert_eq!(wrong.parse::<ByteSize>(), Err(BadUnit), "{wrong}");
        }
    }
}
