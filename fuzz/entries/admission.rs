//! A request: its target in the first line, then header fields. What is admitted has one plain reading.

use proxy::doors;

pub(crate) fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let fields = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..at], line[at + 1..].trim_ascii()))
    });
    let Some(seen) = doors::admit(target, fields) else {
        return;
    };
    assert!(!seen.host.is_empty() && seen.host == seen.host.to_ascii_lowercase());
    assert!(
        seen.host
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte))
    );
    if let Some(path) = seen.path {
        assert!(path.starts_with('/') && !path.starts_with("//"));
        assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
    }
}
