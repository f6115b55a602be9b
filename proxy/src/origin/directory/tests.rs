//! What is served from a folder, and what is not.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tempfile::TempDir;

use super::*;
use crate::origin::Forwarded;

struct Site {
    folder: TempDir,
    origin: DirectoryOrigin,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("docs")).unwrap();
        fs::write(root.join("digits.txt"), "0123456789").unwrap();
        fs::write(root.join("docs/é a+b.html"), "<p>").unwrap();
        fs::write(root.join("empty"), "").unwrap();
        fs::write(folder.path().join("outside"), "outside").unwrap();
        let origin = DirectoryOrigin::open(&DirectorySettings { root }).unwrap();
        Self { folder, origin }
    }

    fn ask(&self, method: Method, path: &str, pairs: &[(&'static str, &str)]) -> Result<FileAnswer, OriginError> {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        self.origin.answer(&OriginRequest {
            method: &method,
            path: &CanonicalPath::parse(path).unwrap(),
            query: "",
            headers: &headers,
            identity: &[],
            forwarded: Forwarded {
                client: [192, 0, 2, 7].into(),
                via: Some(("https", "app.example.com")),
            },
        })
    }

    fn get(&self, path: &str, pairs: &[(&'static str, &str)]) -> FileAnswer {
        self.ask(Method::GET, path, pairs).unwrap()
    }

    #[track_caller]
    fn is_missing(&self, path: &str) {
        assert_eq!(
            self.ask(Method::GET, path, &[]).unwrap_err(),
            OriginError::NotFound,
            "{path}"
        );
    }
}

async fn body(answer: &mut FileAnswer) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.next_chunk().await.unwrap() {
        assert!(!chunk.is_empty() && chunk.len() <= 64 * 1024);
        body.extend_from_slice(&chunk);
    }
    body
}

#[tokio::test]
async fn a_file_is_served_with_type_length_and_validators() {
    let mut answer = Site::new().get("/digits.txt", &[]);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["content-length"], "10");
    assert_eq!(answer.headers["accept-ranges"], "bytes");
    assert!(answer.headers.contains_key("etag") && answer.headers.contains_key("last-modified"));
    assert_eq!(body(&mut answer).await, b"0123456789");
}

#[tokio::test]
async fn names_with_spaces_plus_and_unicode_are_found() {
    let mut answer = Site::new().get("/docs/%C3%A9%20a+b.html", &[]);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(body(&mut answer).await, b"<p>");
}

#[tokio::test]
async fn an_empty_file_is_an_empty_answer() {
    let mut answer = Site::new().get("/empty", &[]);
    assert_eq!(
        (answer.status, &answer.headers["content-length"]),
        (StatusCode::OK, &HeaderValue::from_static("0"))
    );
    assert_eq!(body(&mut answer).await, b"");
}

#[test]
fn directories_and_missing_files_are_not_found() {
    let site = Site::new();
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/none",
        "/digits.txt/",
        "/digits.txt/x",
        "//digits.txt",
        "/docs//x",
    ] {
        site.is_missing(path);
    }
    site.is_missing(&format!("/{}", "x".repeat(300)));
}

#[test]
fn only_reading_is_allowed() {
    let refused = Site::new().ask(Method::DELETE, "/digits.txt", &[]).unwrap_err();
    assert_eq!(refused, OriginError::MethodNotAllowed);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_within_the_root_only() {
    use std::os::unix::fs::symlink;
    let site = Site::new();
    let root = site.folder.path().join("root");
    symlink("../digits.txt", root.join("docs/inside")).unwrap();
    symlink("../outside", root.join("out")).unwrap();
    symlink(site.folder.path(), root.join("up")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert_eq!(body(&mut site.get("/docs/inside", &[])).await, b"0123456789");
    for path in ["/out", "/up", "/up/outside", "/loop"] {
        site.is_missing(path);
    }
}

#[tokio::test]
async fn head_has_the_header_without_the_body() {
    let site = Site::new();
    let mut head = site.ask(Method::HEAD, "/digits.txt", &[]).unwrap();
    assert_eq!(head.headers, site.get("/digits.txt", &[]).headers);
    assert_eq!(body(&mut head).await, b"");
}

#[tokio::test]
async fn a_range_is_served_alone() {
    let mut answer = Site::new().get("/digits.txt", &[("range", "bytes=2-4")]);
    assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.headers["content-range"], "bytes 2-4/10");
    assert_eq!(answer.headers["content-length"], "3");
    assert_eq!(body(&mut answer).await, b"234");
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused_with_the_length() {
    let mut answer = Site::new().get("/digits.txt", &[("range", "bytes=10-")]);
    assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(answer.headers["content-range"], "bytes */10");
    assert_eq!(body(&mut answer).await, b"");
}

#[tokio::test]
async fn what_the_viewer_has_is_not_sent_again() {
    let site = Site::new();
    let first = site.get("/digits.txt", &[]);
    for (name, known) in [("if-none-match", "etag"), ("if-modified-since", "last-modified")] {
        let mut answer = site.get("/digits.txt", &[(name, first.headers[known].to_str().unwrap())]);
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{name}");
        assert_eq!(answer.headers["etag"], first.headers["etag"]);
        assert!(!answer.headers.contains_key("content-length"));
        assert_eq!(body(&mut answer).await, b"");
    }
    assert_eq!(
        site.get("/digits.txt", &[("if-match", "\"other\"")]).status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        site.get("/digits.txt", &[("if-none-match", "\"other\"")]).status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_changed_file_has_another_tag_and_voids_a_range() {
    let site = Site::new();
    let etag = site.get("/digits.txt", &[]).headers["etag"].clone();
    fs::write(site.folder.path().join("root/digits.txt"), "9876543210!").unwrap();
    let answer = site.get(
        "/digits.txt",
        &[("range", "bytes=0-1"), ("if-range", etag.to_str().unwrap())],
    );
    assert_ne!(answer.headers["etag"], etag);
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_long_file_comes_in_chunks() {
    let site = Site::new();
    let long: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(site.folder.path().join("root/long.bin"), &long).unwrap();
    let mut answer = site.get("/long.bin", &[]);
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert_eq!(body(&mut answer).await, long);
}

#[tokio::test]
async fn a_file_that_shrinks_meanwhile_is_an_error_and_no_short_answer() {
    let site = Site::new();
    let mut answer = site.get("/digits.txt", &[]);
    fs::write(site.folder.path().join("root/digits.txt"), "012").unwrap();
    assert_eq!(answer.next_chunk().await.unwrap().unwrap().as_ref(), b"012");
    assert_eq!(
        answer.next_chunk().await.unwrap_err().kind(),
        std::io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn a_root_that_is_no_folder_is_refused() {
    let site = Site::new();
    let file = site.folder.path().join("outside");
    let refused = DirectoryOrigin::open(&DirectorySettings { root: file.clone() }).unwrap_err();
    assert_eq!(refused, OriginSetupError::NotADirectory { path: file });
    let missing = site.folder.path().join("missing");
    assert!(matches!(
        DirectoryOrigin::open(&DirectorySettings { root: missing }),
        Err(OriginSetupError::Unreadable {
            kind: ErrorKind::NotFound,
            ..
        })
    ));
}
