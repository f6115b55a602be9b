//! What a viewer gets compressed, and what it does not: by type, size, and what the viewer accepts.

use std::{fs, io::Read as _};

use serde_json::json;

use crate::support::{
    http::{Request, Response},
    origin::{Answer, Asked, CONTENT, Origin},
    site::{Plan, Site},
};

const CODINGS: [&str; 3] = ["br", "zstd", "gzip"];

/// Compressible, and above CloudFront's thousand bytes.
fn page() -> String {
    format!("<p>{CONTENT}</p>\n").repeat(500)
}

fn decode(response: &Response) -> String {
    let body = response.body.as_slice();
    let mut plain = Vec::new();
    match response.header("content-encoding") {
        Some("br") => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut plain).unwrap()),
        Some("gzip") => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap()),
        Some("zstd") => plain = zstd::decode_all(body).unwrap(),
        other => assert_eq!(other, None),
    }
    if plain.is_empty() {
        plain = body.to_vec();
    }
    String::from_utf8(plain).unwrap()
}

/// Answers conditions as RFC 9110 has it, comparing tags weakly.
fn answer(asked: &Asked) -> Answer {
    let fields = [
        ("Content-Type", "text/html"),
        ("ETag", "\"tag\""),
        ("Accept-Ranges", "bytes"),
    ];
    if asked
        .header("if-none-match")
        .is_some_and(|tags| tags.contains("\"tag\""))
    {
        return Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\n\r\n".to_vec());
    }
    if asked.method() == "HEAD" {
        let length = page().len();
        return Answer::Bytes(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: text/html\r\nETag: \"tag\"\r\n\
                 Accept-Ranges: bytes\r\n\r\n"
            )
            .into_bytes(),
        );
    }
    Answer::with("200 OK", &fields, &page())
}

fn custom() -> (Origin, Site) {
    let origin = Origin::start(answer);
    let site = Plan::custom(&origin).site("compress", true).start();
    (origin, site)
}

fn directory() -> Site {
    let plan = Plan::directory().site("compress", true);
    fs::write(plan.folder().join("content/long.html"), page()).unwrap();
    fs::write(plan.folder().join("content/image.png"), page()).unwrap();
    plan.start()
}

fn get(target: &str, session: &str, encodings: &str) -> Request {
    Request::get(target)
        .header("Cookie", session)
        .header("Accept-Encoding", encodings)
}

fn s3() -> (Origin, Site) {
    let origin = Origin::start(|asked| {
        // A store compares tags byte for byte.
        match asked.header("if-none-match") {
            Some("\"tag\"") => Answer::Bytes(b"HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\n\r\n".to_vec()),
            _ => Answer::with("200 OK", &[("Content-Type", "text/html"), ("ETag", "\"tag\"")], &page()),
        }
    });
    let settings = json!({
        "kind": "s3", "bucket": "b", "region": "us-east-1", "endpoint": origin.url(), "path_style": true,
        "access_key_id": "AKIDEXAMPLE", "secret_access_key": "not-so-secret-in-a-test",
    });
    let site = Plan::bare().origin(settings).site("compress", true).start();
    (origin, site)
}

#[test]
fn each_kind_of_origin_is_compressed_in_each_coding() {
    let (_custom, custom) = custom();
    let (_s3, s3) = s3();
    let directory = directory();
    for (what, site, target) in [
        ("custom", &custom, "/"),
        ("s3", &s3, "/x"),
        ("directory", &directory, "/long.html"),
    ] {
        let session = site.session();
        for coding in CODINGS {
            let response = site.ask(&get(target, &session, coding));
            assert_eq!(
                response.header("content-encoding"),
                Some(coding),
                "{what}: {:?}",
                response.headers
            );
            assert!(response.body.len() < page().len() / 4, "{what} {coding}");
            assert!(decode(&response) == page(), "{what} {coding}");
            assert_eq!(response.all("vary"), ["Accept-Encoding"], "{what}");
            assert!(response.header("etag").unwrap().starts_with("W/\""), "{what}");
            assert_eq!(response.header("accept-ranges"), None, "{what}");
            assert_eq!(response.header("content-length"), None, "{what}");
        }
    }
}

#[test]
fn weights_count_and_a_zero_refuses() {
    let (_origin, site) = custom();
    let session = site.session();
    for (encodings, expected) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br;q=0.5, gzip;q=0.9", Some("gzip")),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("*;q=0.1, br;q=0, zstd;q=0", Some("gzip")),
        ("deflate", None),
    ] {
        let response = site.ask(&get("/", &session, encodings));
        assert_eq!(response.header("content-encoding"), expected, "{encodings}");
        assert!(decode(&response) == page());
        assert_eq!(response.all("vary"), ["Accept-Encoding"], "{encodings}");
    }
    let plain = site.get("/", &session);
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("etag"), Some("\"tag\""));
    assert_eq!(plain.header("content-length"), Some(page().len().to_string().as_str()));
}

#[test]
fn head_has_the_header_of_get() {
    let (_origin, custom) = custom();
    let directory = directory();
    for (site, target) in [(&custom, "/"), (&directory, "/long.html")] {
        let session = site.session();
        let shown = |method: &str| {
            let request = Request::new(method, target)
                .header("Cookie", &*session)
                .header("Accept-Encoding", "br");
            let response = site.ask(&request);
            assert_eq!(response.status, 200);
            [
                "content-type",
                "content-encoding",
                "etag",
                "vary",
                "content-length",
                "accept-ranges",
            ]
            .map(|name| response.header(name).map(ToOwned::to_owned))
        };
        assert_eq!(shown("HEAD"), shown("GET"));
    }
}

#[test]
fn a_weak_tag_is_confirmed_by_every_kind_of_origin() {
    let (_custom, custom) = custom();
    let (s3_origin, s3) = s3();
    let directory = directory();
    for (what, site, target) in [
        ("custom", &custom, "/"),
        ("s3", &s3, "/x"),
        ("directory", &directory, "/long.html"),
    ] {
        let session = site.session();
        let tag = site
            .ask(&get(target, &session, "gzip"))
            .header("etag")
            .unwrap()
            .to_owned();
        let again = site.ask(&get(target, &session, "gzip").header("If-None-Match", &*tag));
        assert_eq!(again.status, 304, "{what}");
        assert_eq!(again.header("etag"), Some(&*tag), "{what}");
        assert_eq!(again.all("vary"), ["Accept-Encoding"], "{what}");
        assert!(again.body.is_empty());
    }
    assert_eq!(s3_origin.last().header("if-none-match"), Some("\"tag\""));
}

#[test]
fn a_range_is_one_of_the_plain_bytes() {
    let site = directory();
    let session = site.session();
    let part = site.ask(&get("/long.html", &session, "br").header("Range", "bytes=3-9"));
    assert_eq!((part.status, part.text().as_str()), (206, &page()[3..10]));
    assert_eq!(part.header("content-encoding"), None);
    assert!(part.header("etag").unwrap().starts_with('"'));
    let weak = format!("W/{}", part.header("etag").unwrap());
    let whole = site.ask(
        &get("/long.html", &session, "br")
            .header("Range", "bytes=3-9")
            .header("If-Range", weak),
    );
    assert_eq!((whole.status, whole.header("content-encoding")), (200, None));
}

#[test]
fn other_types_sizes_and_what_is_encoded_already_pass_untouched() {
    let directory = directory();
    let session = directory.session();
    for target in ["/image.png", "/page.html"] {
        let response = directory.ask(&get(target, &session, "gzip"));
        assert_eq!(
            (response.status, response.header("content-encoding")),
            (200, None),
            "{target}"
        );
        assert_eq!(response.header("vary"), None, "{target}");
    }
    let body = page();
    let origin = Origin::start(move |asked| {
        let field = match asked.target() {
            "/encoded" => ("Content-Encoding", "deflate"),
            _ => ("Cache-Control", "no-transform"),
        };
        Answer::with(
            "200 OK",
            &[("Content-Type", "text/css"), field, ("ETag", "\"a\"")],
            &body,
        )
    });
    let site = Plan::custom(&origin).site("compress", true).start();
    let session = site.session();
    for (target, encoding) in [("/encoded", Some("deflate")), ("/no-transform", None)] {
        let response = site.ask(&get(target, &session, "gzip, br"));
        assert_eq!(response.header("content-encoding"), encoding);
        assert_eq!(response.header("etag"), Some("\"a\""));
        assert!(response.text() == page());
    }
}

#[test]
fn events_arrive_as_they_happen() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let first = [&head[..], b"d\r\ndata: first\n\n\r\n"].concat();
    let origin = Origin::start(move |_| Answer::Held(first.clone(), b"e\r\ndata: second\n\n\r\n0\r\n\r\n".to_vec()));
    let site = Plan::custom(&origin).site("compress", true).start();
    let mut wire = site.wire();
    wire.write(&get("/events", &site.session(), "gzip, br").bytes(&site.authority()));
    assert_eq!(wire.head().unwrap().header("content-encoding"), None);
    assert!(
        String::from_utf8(wire.some(100)).unwrap().contains("first"),
        "before the second happens"
    );
    origin.release();
}

#[test]
fn nothing_is_compressed_unless_it_is_wanted_and_the_edge_has_no_zstandard() {
    let origin = Origin::start(answer);
    let off = Plan::custom(&origin).start();
    let response = off.ask(&get("/", &off.session(), "gzip, br, zstd"));
    assert_eq!(
        (response.header("content-encoding"), response.header("vary")),
        (None, None)
    );
    let edge = Plan::custom(&origin).site("compress", "edge").start();
    let session = edge.session();
    for (encodings, expected) in [
        ("zstd", None),
        ("zstd, gzip", Some("gzip")),
        ("gzip, br, zstd", Some("br")),
    ] {
        let response = edge.ask(&get("/", &session, encodings));
        assert_eq!(response.header("content-encoding"), expected, "{encodings}");
    }
}
