//! What is answered from the cache, or goes past it: parts, heads, conditions, other methods, bodies.

use super::{fresh, plan, shows};
use crate::support::{
    http::Request,
    origin::{Answer, Origin},
};

#[test]
fn parts_heads_and_conditions_are_answered_from_what_is_kept() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let whole = site.get("/a", &session);
    let ask = |method: &str, fields: &[(&str, &str)]| {
        site.ask(&Request::new(method, "/a").header("Cookie", &*session).headers(fields))
    };
    let part = ask("GET", &[("Range", "bytes=2-7")]);
    assert_eq!((part.status, part.text().as_str()), (206, "origin"));
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 2-7/{}", whole.body.len()).as_str())
    );
    assert_eq!(
        ask("GET", &[("Range", "bytes=-4")]).body,
        whole.body[whole.body.len() - 4..]
    );
    assert_eq!(ask("GET", &[("Range", "bytes=999-")]).status, 416);
    assert_eq!(
        ask("GET", &[("Range", "bytes=0-1"), ("If-Range", "\"old\"")]).status,
        200
    );
    assert_eq!(
        ask("GET", &[("Range", "bytes=0-1"), ("If-Range", "\"tag\"")]).status,
        206
    );
    let head = ask("HEAD", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(whole.body.len().to_string().as_str())
    );
    let unchanged = ask("GET", &[("If-None-Match", "W/\"tag\"")]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some("\"tag\""));
    assert_eq!(ask("GET", &[("If-None-Match", "\"other\"")]).status, 200);
    assert_eq!(ask("GET", &[("If-Match", "\"other\"")]).status, 412);
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn a_part_or_a_head_of_what_is_not_kept_is_the_origins_and_is_not_kept() {
    let origin = Origin::start(|asked| match (asked.method(), asked.header("range")) {
        (_, Some(_)) => Answer::with(
            "206 Partial Content",
            &[("Content-Range", "bytes 0-1/9"), ("Cache-Control", "max-age=600")],
            "pa",
        ),
        ("HEAD", _) => {
            Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nCache-Control: max-age=600\r\n\r\n".to_vec())
        }
        _ => Answer::with("200 OK", &[("Cache-Control", "max-age=600")], "part two."),
    });
    let site = plan(&origin).start();
    let session = site.session();
    let request = |method: &str| Request::new(method, "/a").header("Cookie", &*session);
    let part = site.ask(&request("GET").header("Range", "bytes=0-1"));
    assert_eq!((part.status, part.text().as_str()), (206, "pa"));
    assert_eq!(part.header("x-cache"), Some("bypass"));
    assert_eq!(site.ask(&request("HEAD")).header("x-cache"), Some("bypass"));
    let whole = site.get("/a", &session);
    assert_eq!((whole.status, whole.text().as_str()), (200, "part two."));
    assert_eq!(whole.header("x-cache"), Some("miss"));
}

#[test]
fn a_condition_on_what_is_not_kept_is_answered_while_all_of_it_is_fetched() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let request = Request::get("/a")
        .header("Cookie", &*session)
        .header("If-None-Match", "\"tag\"");
    assert_eq!(site.ask(&request).status, 304);
    assert_eq!(origin.last().header("if-none-match"), None);
    shows(&site.get("/a", &session), "hit", "1");
}

#[test]
fn other_methods_reach_the_origin_each_time() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    let post = Request::new("POST", "/a")
        .header("Cookie", format!("theme=dark; {session}"))
        .body("x=1");
    shows(&site.ask(&post), "bypass", "2");
    assert_eq!(origin.last().header("cookie"), Some("theme=dark"));
    shows(&site.get("/a", &session), "hit", "1");
}

/// T-SMUG-1: the body of a request that is answered from the cache is not taken for a request.
#[test]
fn the_body_of_a_request_that_is_answered_from_the_cache_is_not_a_request() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    shows(&site.get("/a", &session), "miss", "1");
    shows(&site.get("/b", &session), "miss", "2");
    let smuggled = format!(
        "GET /smuggled HTTP/1.1\r\nHost: {}\r\nCookie: {session}\r\n\r\n",
        site.authority()
    );
    let framings = [
        format!("Content-Length: {}\r\n\r\n{smuggled}", smuggled.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n",
            smuggled.len()
        ),
    ];
    for framing in framings {
        let mut wire = site.wire();
        let head = format!("GET /a HTTP/1.1\r\nHost: {}\r\nCookie: {session}\r\n", site.authority());
        wire.write(format!("{head}{framing}").as_bytes());
        shows(&wire.response("GET").unwrap(), "hit", "1");
        // What follows is the answer to the next request, or the end.
        wire.write(&Request::get("/b").header("Cookie", &*session).bytes(&site.authority()));
        if let Some(next) = wire.response("GET") {
            shows(&next, "hit", "2");
        }
    }
    assert!(origin.asked().iter().all(|asked| asked.target() != "/smuggled"));
}

#[test]
fn a_body_on_its_way_does_not_make_an_answer_for_others() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let request = Request::get("/a").header("Cookie", &*session).body("poison");
    shows(&site.ask(&request), "bypass", "1");
    shows(&site.get("/a", &session), "miss", "2");
}
