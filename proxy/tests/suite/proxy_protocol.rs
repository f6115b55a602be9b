//! Listeners behind a balancer that speaks the PROXY protocol: the viewer is whom it names, and nobody else
//! may name anyone (T-FWD-1).

use serde_json::json;

use crate::support::{
    http::Request,
    origin::Origin,
    site::{Plan, Site},
};

fn behind(origin: &Origin, trusted: &str) -> Site {
    Plan::custom(origin)
        .top(
            "listen",
            json!({ "http": ["127.0.0.1:0"], "proxy_protocol": ["127.0.0.1:0"] }),
        )
        .top("trusted_proxies", json!([trusted]))
        .start()
}

#[test]
fn the_viewer_is_whom_the_balancer_names() {
    let origin = Origin::content();
    let site = behind(&origin, "127.0.0.0/8");
    let request = Request::get("/")
        .header("Cookie", site.session())
        .header("X-Forwarded-For", "198.51.100.1")
        .bytes(&site.authority());
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n";
    let binary = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..],
        &[192, 0, 2, 7, 10, 0, 0, 1, 4, 210, 0, 80],
    ]
    .concat();
    for header in [&line[..], &binary] {
        let mut wire = site.wire();
        wire.write(&[header, &request].concat());
        assert_eq!(wire.response("GET").unwrap().status, 200);
        assert_eq!(
            origin.last().header("x-forwarded-for"),
            Some("192.0.2.7"),
            "the viewer is no proxy that may name another one"
        );
    }
}

#[test]
fn a_balancer_s_own_connection_is_its_own() {
    let origin = Origin::content();
    let site = behind(&origin, "127.0.0.0/8");
    let mut wire = site.wire();
    wire.write(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    let request = Request::get("/").header("Cookie", site.session());
    assert_eq!(wire.send(&request, &site.authority()).status, 200);
    assert_eq!(origin.last().header("x-forwarded-for"), Some("127.0.0.1"));
}

#[test]
fn without_a_header_or_from_a_stranger_there_is_no_answer() {
    let origin = Origin::content();
    let site = behind(&origin, "127.0.0.0/8");
    let bare = Request::get("/").bytes(&site.authority());
    assert!(site.raw(&bare).is_none());
    let site = behind(&origin, "10.0.0.0/8");
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n";
    assert!(site.raw(&[&line[..], &bare].concat()).is_none());
    assert!(origin.asked().is_empty());
}
