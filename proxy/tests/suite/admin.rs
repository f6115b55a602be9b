//! The operators' listener.

use std::collections::BTreeSet;

use dev_idp::{Fault, Overrides};

use crate::support::{
    http::{Request, exchange},
    origin::Origin,
    process::{Process, Signal},
    site::{ALICE, Plan, Site},
};

/// Every series: name and labels, without the value.
fn series(site: &Site) -> BTreeSet<String> {
    let text = site.admin("/metrics").text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

#[test]
fn after_traffic_every_documented_metric_is_there() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let mut browser = crate::support::browser::Browser::new();
    browser.sign_in(&site.url("/page"), ALICE.0, ALICE.1);
    site.idp.rotate_keys(dev_idp::OldKeys::StayPublished);
    assert_eq!(site.get("/page", &site.session()).status, 200);
    browser.tamper(".idToken", |_| site.tokens(ALICE.0, &Overrides::expired()).id_token);
    assert_eq!(browser.open(&site.url("/page")).status, 200);
    browser.open(&site.url("/signout"));
    site.raw(b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
    // A request is counted when it has ended, which is when its event is written.
    site.process.event(|event| event["site"] == "unknown");

    let response = site.admin("/metrics");
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").unwrap().starts_with("text/plain"));
    let text = response.text();
    for name in [
        "portcullis_requests_total{code=\"2xx\",decision=\"forward\",site=\"app\"}",
        "portcullis_requests_total{code=\"3xx\",decision=\"respond\",site=\"app\"}",
        "portcullis_requests_total{code=\"4xx\",decision=\"refused\",site=\"unknown\"}",
        "portcullis_request_duration_seconds_bucket{",
        "portcullis_auth_decisions_total{decision=\"respond\",reason=\"session-absent\",site=\"app\"}",
        "portcullis_auth_decisions_total{decision=\"respond\",reason=\"signed-in\",site=\"app\"}",
        "portcullis_auth_decision_duration_seconds_bucket{",
        "portcullis_logins_total{result=\"success\",site=\"app\"} 1",
        "portcullis_refreshes_total{result=\"success\",site=\"app\"} 1",
        "portcullis_token_requests_total{grant=",
        "portcullis_token_request_duration_seconds_bucket{",
        "portcullis_jwks_fetch_total{result=\"replied\",site=\"app\"} 1",
        "portcullis_upstream_duration_seconds_bucket{",
        "portcullis_upstream_connections_total{",
        "portcullis_response_bytes_total{site=\"app\"}",
        "portcullis_open_connections{listener=\"http\"}",
        "portcullis_draining 0",
        "portcullis_config_last_reload_success_timestamp_seconds ",
        "portcullis_build_info{version=",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("portcullis_"), "{line}");
        for secret in ["alice", "eyJ", "nobody.example", "/page", "127.0.0.1"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn what_viewers_make_up_makes_no_new_series() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let session = site.session();
    let traffic = |tag: &str| {
        for number in 0..20 {
            let host = format!("{tag}{number}.example");
            site.raw(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            let target = format!("/{tag}/{number}?{tag}");
            site.ask(&Request::new(&format!("{tag}{number}"), &target).header("Cookie", &*session));
            site.get(&target, &format!("{tag}={number}"));
        }
    };
    traffic("ONE");
    let before = series(&site);
    traffic("TWO");
    assert_eq!(series(&site), before);
}

/// T-ADMIN-1, T-HEALTH-1
#[test]
fn each_listener_answers_only_its_own() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    for path in ["/livez", "/healthz", "/ping", "/readyz", "/ready", "/metrics"] {
        assert_eq!(site.admin(path).status, 200, "{path}");
        let request = Request::get(path).header("User-Agent", "GoogleHC/1.0");
        assert!(site.is_sign_in(&site.ask(&request)), "{path} on the viewers' port");
    }
    for path in ["/", "/debug/pprof", "/metrics/x", "/config"] {
        assert_eq!(site.admin(path).status, 404, "{path}");
    }
    let posted = exchange(
        site.admin.unwrap(),
        "admin",
        &Request::new("POST", "/metrics").body("x"),
    );
    assert_eq!(posted.status, 405);
    assert!(origin.asked().is_empty());
}

#[test]
fn health_asks_nobody() {
    let site = Plan::directory().start();
    site.idp.faults().set(dev_idp::Endpoint::Jwks, Fault::Hang);
    for _ in 0..5 {
        assert_eq!(site.admin("/readyz").text(), "ready\n");
        assert_eq!(site.admin("/livez").text(), "ok\n");
    }
    assert_eq!(site.idp.requests().count(dev_idp::Endpoint::Jwks), 0);
}

#[test]
fn the_admin_listener_can_be_left_out() {
    let site = Plan::directory()
        .top("admin", serde_json::json!({ "listen": "off" }))
        .start();
    assert_eq!(site.admin, None);
    assert_eq!(site.get("/", &site.session()).status, 200);
}

#[test]
fn a_request_id_is_kept_or_made_and_found_in_the_log() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).start();
    let request = Request::get("/page?secret=1").header("Cookie", site.session());
    let own = site.ask(&request.clone().header("X-Request-Id", "trace-4711-abc"));
    assert_eq!(own.header("x-request-id"), Some("trace-4711-abc"));
    assert_eq!(origin.last().header("x-request-id"), Some("trace-4711-abc"));
    let event = site
        .process
        .event(|event| event["request_id"] == "trace-4711-abc" && event["message"] == "request");
    assert_eq!(event["status"], 200);
    assert_eq!(event["path"], "/page");
    assert_eq!(event["decision"], "forward");
    assert_eq!(event["site"], "app");
    assert_eq!(event["client"], "127.0.0.1");
    let made = site.ask(&request.header("X-Request-Id", "no good: <script>"));
    let id = made.header("x-request-id").unwrap().to_owned();
    assert!(!id.contains('<') && id.len() >= 16, "{id}");
    site.process.event(|event| event["request_id"] == id.as_str());
}

#[test]
fn the_healthcheck_s_exit_code_is_the_readiness() {
    let mut site = Plan::directory().start();
    let url = format!("http://{}/readyz", site.admin.unwrap());
    let check = || Process::start(&["healthcheck", "--url", &url], &[]).end().code();
    assert_eq!(check(), Some(0));
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
    assert_eq!(check(), Some(1));
    for wrong in ["https://127.0.0.1/", "http://", "http:///readyz"] {
        assert_eq!(
            Process::start(&["healthcheck", "--url", wrong], &[]).end().code(),
            Some(1)
        );
    }
}

fn lines(file: &std::path::Path, count: usize) -> Vec<String> {
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count {
            return lines;
        }
        std::thread::yield_now();
    }
}

#[test]
fn the_access_log_has_a_line_for_each_request_and_moves_to_a_new_file_on_sigusr1() {
    let plan = Plan::directory();
    let file = plan.folder().join("access.log");
    let mut site = plan
        .top("access_log", serde_json::json!({ "format": "combined", "file": file }))
        .start();
    let session = site.session();
    let request = Request::get("/page.html?code=secret-in-the-query")
        .header("Cookie", &*session)
        .header("User-Agent", "a \"browser\"");
    assert_eq!(site.ask(&request).status, 200);
    // A request is written down when it has ended, which may be after the next one's.
    lines(&file, 1);
    assert_eq!(site.get("/", "").status, 307);
    let written = lines(&file, 2);
    assert!(written[0].starts_with("127.0.0.1 - - ["), "{}", written[0]);
    assert!(
        written[0].contains("\"GET /page.html HTTP/1.1\" 200 "),
        "{}",
        written[0]
    );
    assert!(written[0].ends_with("\"-\" \"a \\x22browser\\x22\""), "{}", written[0]);
    assert!(!written.join("").contains("secret"));
    let moved = file.with_extension("1");
    std::fs::rename(&file, &moved).unwrap();
    site.process.signal(Signal::Reopen);
    lines(&file, 0);
    while !file.exists() {
        std::thread::yield_now();
    }
    assert_eq!(site.get("/", &session).status, 200);
    assert_eq!(lines(&file, 1).len(), 1);
    assert_eq!(lines(&moved, 2).len(), 2);
    site.reload(|config| config["access_log"] = serde_json::json!({ "format": "off" }));
    assert_eq!(site.get("/", &session).status, 200);
    assert!(!site.process.out().contains("\"message\":\"request\""));
}
