//! Numbers as JavaScript reads and prints them.

/// `parseInt(text)`: leading white space, a sign, `0x` and hexadecimal digits or decimal digits, the
/// rest ignored. `None` is NaN.
pub(crate) fn parse_int(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, text) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None => (10, text),
    };
    let end = text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    let digits = &text[..end];
    if digits.is_empty() {
        return None;
    }
    let value = if radix == 10 {
        digits.parse().ok()?
    } else {
        digits.chars().fold(0.0, |value, digit| {
            value * 16.0 + f64::from(digit.to_digit(16).unwrap_or(0))
        })
    };
    Some(if negative { -value } else { value })
}

/// `String(number)` for the numbers JSON can hold.
pub(crate) fn print(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_int_takes_the_leading_digits() {
        for (text, value) in [
            ("12", Some(12.0)),
            (" \t12abc", Some(12.0)),
            ("-5", Some(-5.0)),
            ("+5", Some(5.0)),
            ("0x1F", Some(31.0)),
            ("1e3", Some(1.0)),
            ("", None),
            ("x", None),
            ("-", None),
        ] {
            assert_eq!(parse_int(text), value, "{text:?}");
        }
    }

    #[test]
    fn numbers_print_as_in_javascript() {
        for (number, text) in [
            (42.0, "42"),
            (2.5, "2.5"),
            (-0.0, "0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (12345678901234567890.0, "12345678901234567000"),
        ] {
            assert_eq!(print(number), text);
        }
    }
}
