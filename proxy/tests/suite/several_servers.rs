//! An origin of several servers: asked in turn, and without those that are down.

use serde_json::{Value, json};

use crate::support::{
    http::Request,
    origin::{Answer, Origin, nobody},
    site::{Plan, Site},
};

fn says(text: &'static str) -> Origin {
    Origin::start(move |asked| match asked.target() {
        "/health" => Answer::with("503 Service Unavailable", &[], ""),
        _ => Answer::ok(text),
    })
}

fn site(urls: &[String], more: Value) -> Site {
    let mut origin = json!({ "kind": "custom", "urls": urls });
    for (key, value) in more.as_object().unwrap() {
        origin[key] = value.clone();
    }
    Plan::bare().origin(origin).top("threads", 1).start()
}

const FIT: &str = "portcullis_upstream_healthy{origin=\"custom\",site=\"app\"}";

#[test]
fn requests_go_to_each_server_in_turn_with_its_own_host() {
    let (one, two) = (says("one"), says("two"));
    let site = site(&[one.url(), two.url()], json!({}));
    let session = site.session();
    let texts: Vec<String> = (0..4).map(|_| site.get("/", &session).text()).collect();
    assert_eq!(texts, ["one", "two", "one", "two"]);
    assert_eq!(one.last().header("host"), Some(one.address.to_string().as_str()));
    assert_eq!(two.last().header("host"), Some(two.address.to_string().as_str()));
    assert_eq!(site.metric(FIT), 2.0);
}

#[test]
fn a_server_that_is_down_is_noticed_by_nobody() {
    let up = says("up");
    let site = site(&[format!("http://{}", nobody()), up.url()], json!({}));
    let session = site.session();
    for method in ["GET", "POST", "PUT", "GET"] {
        let request = Request::new(method, "/").header("Cookie", &*session).body("content");
        let response = site.ask(&request);
        assert_eq!((response.status, response.text().as_str()), (200, "up"), "{method}");
        assert_eq!(up.last().body, b"content");
    }
    assert_eq!(site.metric(FIT), 1.0);
    let refused = site.metric("portcullis_upstream_errors_total{kind=\"connect\",origin=\"custom\",site=\"app\"}");
    assert_eq!(refused, 1.0, "it was left out after the first time");
}

#[test]
fn when_all_are_down_each_is_tried_once() {
    let down = || format!("http://{}", nobody());
    let site = site(&[down(), down(), down()], json!({}));
    assert_eq!(site.get("/", &site.session()).status, 502);
    let failures = site.metric("portcullis_upstream_errors_total{kind=\"connect\",origin=\"custom\",site=\"app\"}");
    assert_eq!(failures, 3.0);
}

#[test]
fn a_server_that_fails_its_health_check_is_not_asked() {
    let sick = says("sick");
    let well = Origin::start(|_| Answer::ok("well"));
    let site = site(
        &[sick.url(), well.url()],
        json!({ "health_path": "/health", "health_interval": "50ms" }),
    );
    sick.wait_for(3);
    // The second answer has been judged by the time the third is asked for.
    let session = site.session();
    for _ in 0..4 {
        assert_eq!(site.get("/", &session).text(), "well");
    }
    assert_eq!(site.metric(FIT), 1.0);
    assert!(sick.asked().iter().all(|asked| asked.target() == "/health"));
    assert_eq!(sick.last().header("cookie"), None);
}

/// Nothing is sent twice that may have been carried out.
#[test]
fn a_request_that_a_server_took_and_did_not_answer_is_not_sent_to_another() {
    let taker = || Origin::start(|_| Answer::Last(Vec::new()));
    let (one, two) = (taker(), taker());
    let site = site(&[one.url(), two.url()], json!({}));
    let request = Request::new("POST", "/").header("Cookie", site.session()).body("order");
    assert_eq!(site.ask(&request).status, 502);
    assert_eq!(one.asked().len() + two.asked().len(), 1);
}
