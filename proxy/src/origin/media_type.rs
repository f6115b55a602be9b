//! The Content-Type of a file, by its name.

use std::path::Path;

/// The media type for a file name's extension, text marked as UTF-8. Unknown extensions are bytes, so that no
/// browser shows what nobody declared.
pub(crate) fn of(path: &Path) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("text", _) | ("application", "javascript" | "json" | "xml") => format!("{mime}; charset=utf-8"),
        _ => mime.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_and_the_unknown_is_bytes() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("tide.json", "application/json; charset=utf-8"),
            ("gate.svg", "image/svg+xml"),
            ("a.wasm", "application/wasm"),
            ("no-extension", "application/octet-stream"),
            ("a.strange", "application/octet-stream"),
        ] {
            assert_eq!(of(Path::new(name)), expected, "{name}");
        }
    }
}
