//! What the origin and the viewer see in edge parity, and what they do not.

use super::{
    super::support::http::{Request, Response},
    drive::{Rewrite, Stage, passing_vector},
};

const HOST: &str = "d111111abcdef8.cloudfront.net";

/// A proxy, and the cookies of a session that passes there.
pub(super) fn stage() -> (Stage, String) {
    let vector = passing_vector();
    let cookies = vector.cf()["request"]["headers"]["cookie"].as_array().unwrap().clone();
    let fields: Vec<&str> = cookies.iter().map(|field| field["value"].as_str().unwrap()).collect();
    (
        Stage::set(vector.config.get(), vector.now, Rewrite::Off),
        fields.join("; "),
    )
}

fn names(response: &Response) -> Vec<String> {
    response.headers.iter().map(|(name, _)| name.to_lowercase()).collect()
}

#[test]
fn the_origin_sees_nothing_of_the_viewer_that_cloudfront_would_not_show() {
    let (stage, cookies) = stage();
    let request = Request::get("/a?b=c").headers(&[
        ("Cookie", &cookies),
        ("Cookie", "theme=dark"),
        ("Authorization", "Basic eDp5"),
        ("Referer", "https://elsewhere.example/"),
        ("Accept-Language", "en"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("User-Agent", "browser"),
        ("X-Request-Id", "mine"),
        ("Range", "bytes=0-3"),
        ("X-Custom", "kept"),
    ]);
    assert_eq!(stage.send(HOST, &request).status, 200);
    let asked = stage.origin.last();
    assert_eq!(asked.target(), "/a?b=c");
    for gone in [
        "cookie",
        "authorization",
        "referer",
        "accept-language",
        "x-forwarded-proto",
        "x-forwarded-host",
    ] {
        assert_eq!(asked.all(gone), [""; 0], "{gone}: {}", asked.head);
    }
    assert_eq!(asked.header("host"), Some(stage.origin.address.to_string().as_str()));
    assert_eq!(asked.header("user-agent"), Some("Amazon CloudFront"));
    assert_eq!(asked.header("accept-encoding"), Some("br,gzip"));
    assert_eq!(asked.header("range"), Some("bytes=0-3"));
    assert_eq!(asked.header("x-custom"), Some("kept"));
    // The viewer's own, which CloudFront passes on as any other header.
    assert_eq!(asked.header("x-request-id"), Some("mine"));
}

#[test]
fn answers_have_no_header_that_the_edge_would_not_set() {
    let (stage, cookies) = stage();
    let passed = stage.send(HOST, &Request::get("/a").header("Cookie", &*cookies));
    assert_eq!(passed.status, 200);
    let redirect = stage.send(HOST, &Request::get("/a"));
    assert_eq!(redirect.status, 307);
    for response in [passed, redirect] {
        for own in ["x-request-id", "x-cache", "cache-control", "server"] {
            assert!(!names(&response).contains(&own.to_owned()), "{own}: {response:?}");
        }
    }
}

/// T-PATH-2: decided as at the edge, passed on to nobody.
#[test]
fn a_path_with_two_readings_is_decided_upon_and_never_passed_on() {
    let (stage, cookies) = stage();
    for path in ["/a/../b", "/a%2fb", "/a\\b", "/%00", "/a%zz", "/%2e%2e/b", "/%ff"] {
        assert_eq!(stage.send(HOST, &Request::get(path)).status, 307, "{path}");
        let asked = stage.origin.asked().len();
        let request = Request::get(path).header("Cookie", &*cookies);
        assert_eq!(stage.send(HOST, &request).status, 400, "{path}");
        assert_eq!(stage.origin.asked().len(), asked, "{path}");
    }
}

#[test]
fn methods_that_a_behaviour_does_not_allow_are_refused_before_any_decision() {
    let (stage, cookies) = stage();
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request = Request::new(method, "/a").header("Cookie", &*cookies);
        assert_eq!(stage.send(HOST, &request).status, 403, "{method}");
    }
    assert_eq!(stage.origin.asked().len(), 0);
}

#[test]
fn what_cloudfront_would_not_take_of_a_function_is_not_answered() {
    let (stage, _) = stage();
    // The state repeats the path, in base64 and percent-encoding: more than 40 KiB.
    let target = format!("/{}", "a".repeat(31_000));
    assert_eq!(stage.send(HOST, &Request::get(&target)).status, 502);
}
