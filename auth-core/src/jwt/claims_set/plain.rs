//! Reading claims as issuers write them: an object of texts without escapes, whole numbers, truth values, nulls and
//! lists of these. That takes half of the instructions that serde_json needs for the same. Whatever is written otherwise
//! is left to it, and of what is read here it says the same.

use memchr::memchr;

use super::{Span, Table, Value};

/// Reads an object into an empty table. `None`: it is written otherwise, or is none.
pub(super) fn read(text: &str, members: &mut Table) -> Option<()> {
    if !is_plain(text) {
        return None;
    }
    let mut rest = Rest {
        text: text.as_bytes(),
        at: 0,
    };
    rest.expect(b'{')?;
    loop {
        rest.expect(b'"')?;
        let name = rest.text()?;
        rest.expect(b':')?;
        match rest.next()? {
            b'[' => rest.list(name, members)?,
            first => members.push((name, rest.scalar(first)?)),
        }
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    rest.next().is_none().then_some(())
}

/// What is still to be read.
struct Rest<'t> {
    text: &'t [u8],
    at: usize,
}

impl Rest<'_> {
    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            if byte != b' ' {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// What stands in a list of that name, of which the bracket has been read.
    fn list(&mut self, name: Span, members: &mut Table) -> Option<()> {
        let at = members.len();
        members.push((name, Value::list(0)));
        let mut first = self.next()?;
        if first != b']' {
            loop {
                members.push((Span::NONE, self.scalar(first)?));
                match self.next()? {
                    b',' => first = self.next()?,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        members[at].1 = Value::list(members.len() - at - 1);
        Some(())
    }

    /// What begins with that byte.
    fn scalar(&mut self, first: u8) -> Option<Value> {
        match first {
            b'"' => self.text().map(Value::text),
            b'0'..=b'9' => self.number(first),
            b't' => self.literal(b"rue", Value::bool(true)),
            b'f' => self.literal(b"alse", Value::bool(false)),
            b'n' => self.literal(b"ull", Value::NULL),
            _ => None,
        }
    }

    fn literal(&mut self, rest: &[u8], value: Value) -> Option<Value> {
        let is_there = self.text[self.at..].starts_with(rest);
        self.at += rest.len();
        is_there.then_some(value)
    }

    /// A number of so few digits that a double has them all.
    fn number(&mut self, first: u8) -> Option<Value> {
        let mut number = u64::from(first - b'0');
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit());
        let mut count = 0;
        for digit in digits.take(15) {
            number = number * 10 + u64::from(digit - b'0');
            count += 1;
        }
        self.at += count;
        // A fraction or an exponent is seen by whoever looks for what comes next.
        let is_plain = count < 15 && (first != b'0' || count == 0);
        is_plain.then_some(Value::number(number as f64))
    }

    /// A text of which the quotation mark has been read; there is nothing in it that could not stand there so.
    fn text(&mut self) -> Option<Span> {
        let start = self.at;
        let length = memchr(b'"', &self.text[start..])?;
        self.at += length + 1;
        Span::new(start, length)
    }
}

/// Whether there is nothing escaped in it, and nothing that would have to be. All of it is looked at, since that can be
/// done many bytes at a time.
fn is_plain(text: &str) -> bool {
    let is_special = |byte: u8| byte < b' ' || byte == b'\\';
    !text.bytes().fold(false, |found, byte| found | is_special(byte))
}

#[cfg(test)]
mod tests {
    use super::{super::Members, *};

    fn names(text: &str) -> Option<Vec<&str>> {
        let mut table = Table::new();
        read(text, &mut table)?;
        Some(Members(&table).map(|(name, ..)| &text[name.range()]).collect())
    }

    #[test]
    fn what_issuers_write_is_read() {
        let text = r#" {"sub" : "é, 12345678", "exp":1795323600,"x":[ "a" ,true,0],"y":[],"z":null,"a":false}"#;
        assert_eq!(names(text), Some(vec!["sub", "exp", "x", "y", "z", "a"]));
    }

    #[test]
    fn what_stands_anywhere_is_seen() {
        for length in 0..100 {
            let text = "x".repeat(length);
            assert!(is_plain(&text));
            for special in ['\0', '\n', '\u{1f}', '\\'] {
                for at in 0..=length {
                    let mut text = text.clone();
                    text.insert(at, special);
                    assert!(!is_plain(&text), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_otherwise_is_left_to_others() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"a""#,
            r#"{"a":"b"#,
            r#"{"a":"b""#,
            r#"{"a":1}x"#,
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":1.5}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-1}"#,
            r#"{"a":1234567890123456}"#,
            r#"{"a":tru}"#,
            r#"{"a":tr"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[[]]}"#,
            r#"{"a":{}}"#,
            r#"{"a\n":1}"#,
            "{\"a\":\"\u{1f}\"}",
            "{\n\"a\":1}",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
