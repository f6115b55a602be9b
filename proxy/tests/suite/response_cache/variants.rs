//! Answers that depend on the request's headers, compression among them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{plan, shows};
use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
};

#[test]
fn variants_are_kept_side_by_side() {
    let count = AtomicUsize::new(0);
    let origin = Origin::start(move |asked| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let language = asked.header("accept-language").unwrap_or("none");
        let fields = [("Cache-Control", "max-age=600"), ("Vary", "Accept-Language")];
        Answer::with("200 OK", &fields, &format!("{number} {language}"))
    });
    let site = plan(&origin).start();
    let session = site.session();
    let ask = |language: &str| {
        site.ask(
            &Request::get("/a")
                .header("Cookie", &*session)
                .header("Accept-Language", language),
        )
    };
    for (language, outcome, number) in [
        ("de", "miss", "1"),
        ("en", "miss", "2"),
        ("de", "hit", "1"),
        ("en", "hit", "2"),
        ("fr", "miss", "3"),
        ("de", "hit", "1"),
    ] {
        let response = ask(language);
        shows(&response, outcome, number);
        assert!(response.text().ends_with(language));
    }
}

#[test]
fn compressed_variants_are_kept_compressed() {
    let body = format!("<p>{CONTENT}</p>").repeat(400);
    let expected = body.clone();
    let origin = Origin::start(move |_| {
        let fields = [
            ("Cache-Control", "max-age=600"),
            ("Content-Type", "text/html"),
            ("ETag", "\"tag\""),
        ];
        Answer::with("200 OK", &fields, &body)
    });
    let site = plan(&origin).site("compress", true).start();
    let session = site.session();
    let ask = |encodings: &str| {
        let request = Request::get("/a").header("Cookie", &*session);
        site.ask(&request.header("Accept-Encoding", encodings))
    };
    for (encodings, outcome, encoding) in [
        ("gzip", "miss", Some("gzip")),
        ("gzip, deflate", "hit", Some("gzip")),
        ("br, gzip", "miss", Some("br")),
        ("identity", "miss", None),
        ("gzip;q=0", "hit", None),
        ("br;q=0.1", "hit", Some("br")),
    ] {
        let response = ask(encodings);
        assert_eq!(response.header("x-cache"), Some(outcome), "{encodings}");
        assert_eq!(response.header("content-encoding"), encoding, "{encodings}");
        assert_eq!(response.all("vary"), ["Accept-Encoding"]);
        if outcome == "hit" {
            assert_eq!(
                response.header("content-length"),
                Some(response.body.len().to_string().as_str())
            );
        }
    }
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*ask("gzip").body), &mut plain).unwrap();
    assert!(plain == expected);
    assert_eq!(origin.asked().len(), 3);
    assert_eq!(origin.last().header("accept-encoding"), Some("identity"));
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("Accept-Encoding", "br");
    let part = site.ask(&request.clone().header("Range", "bytes=3-9"));
    assert_eq!((part.status, part.text().as_str()), (206, &expected[3..10]));
    assert_eq!(part.header("etag"), Some("\"tag\""));
    assert_eq!(site.ask(&request.header("If-None-Match", "W/\"tag\"")).status, 304);
}

#[test]
fn a_compressed_variant_keeps_its_weak_tag_when_it_is_revalidated() {
    let origin = Origin::start(|asked| {
        if asked.header("if-none-match").is_some() {
            return Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\n\r\n".to_vec());
        }
        let fields = [
            ("Cache-Control", "no-cache"),
            ("Content-Type", "text/html"),
            ("ETag", "\"tag\""),
        ];
        Answer::with("200 OK", &fields, &"<p>".repeat(1000))
    });
    let site = plan(&origin).site("compress", true).start();
    let request = Request::get("/a")
        .header("Cookie", site.session())
        .header("Accept-Encoding", "gzip");
    site.ask(&request);
    for _ in 0..2 {
        let response = site.ask(&request);
        assert_eq!(response.header("x-cache"), Some("revalidated"));
        assert_eq!(response.header("content-encoding"), Some("gzip"));
        assert_eq!(response.header("etag"), Some("W/\"tag\""));
    }
}
