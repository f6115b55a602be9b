//! SIGHUP and changed files: the next request sees the new configuration, no request is dropped, and a bad
//! configuration changes nothing.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::support::{
    certificates::{Certificate, client, connect},
    http::{Request, Wire},
    origin::{Answer, CONTENT, Origin},
    process::Signal,
    site::{CLIENT_SECRET, HOST, Plan, Site},
};

const SUCCESSES: &str = "portcullis_config_reloads_total{result=\"success\"}";
const FAILURES: &str = "portcullis_config_reloads_total{result=\"failure\"}";

fn says(word: &'static str) -> Origin {
    Origin::start(move |_| Answer::ok(word))
}

#[test]
fn a_kept_connection_sees_the_new_configuration_with_its_next_request() {
    let (first, second) = (says("first"), says("second"));
    let mut site = Plan::custom(&first).start();
    let (host, session) = (site.authority(), site.session());
    let request = Request::get("/").header("Cookie", &*session);
    let mut wire = site.wire();
    assert_eq!(wire.send(&request, &host).text(), "first");
    site.reload(|config| {
        config["sites"][0]["origin"]["url"] = json!(second.url());
        config["sites"][0]["auth"]["httpHeaders"] = json!({ "X-Generation": "2" });
    });
    let response = wire.send(&request, &host);
    assert_eq!(response.text(), "second");
    assert_eq!(response.header("x-generation"), Some("2"));
    // A request is counted when it has been logged.
    site.process.messages(2, "request");
    assert_eq!(site.metric(SUCCESSES), 1.0);
    assert_eq!(
        site.metric("portcullis_requests_total{code=\"2xx\",decision=\"forward\",site=\"app\"}"),
        2.0,
        "counters continue"
    );
}

#[test]
fn a_request_in_flight_ends_under_the_configuration_it_began_with() {
    let first = Origin::start(|_| {
        Answer::Held(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst".to_vec(),
            b"-half".to_vec(),
        )
    });
    let second = says("second");
    let mut site = Plan::custom(&first).start();
    let session = site.session();
    let request = Request::get("/").header("Cookie", &*session);
    let mut wire = site.wire();
    wire.write(&request.bytes(&site.authority()));
    first.wait_for(1);
    site.reload(|config| config["sites"][0]["origin"]["url"] = json!(second.url()));
    assert_eq!(site.get("/", &session).text(), "second");
    first.release();
    assert_eq!(wire.response("GET").unwrap().text(), "first-half");
}

#[test]
fn a_bad_configuration_leaves_the_old_one_and_names_every_problem() {
    let mut site = Plan::directory().start();
    let session = site.session();
    site.rewrite(|config| {
        config["limits"] = json!({ "header_bytes": "1MiB", "heder_timeout": "1s" });
        config["sites"][0]["auth"]["clientSecret"] = json!(["no text"]);
    });
    site.process.signal(Signal::HangUp);
    let problems = site
        .process
        .messages(3, "not reloaded, the configuration before stays in force");
    let problems: String = problems
        .iter()
        .map(|event| event["problem"].as_str().unwrap())
        .collect();
    for key in ["limits.header_bytes", "limits.heder_timeout", "clientSecret"] {
        assert!(problems.contains(key), "{problems}");
    }
    assert_eq!(site.get("/", &session).status, 200);
    assert_eq!((site.metric(SUCCESSES), site.metric(FAILURES)), (0.0, 1.0));
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
}

#[test]
fn a_secret_in_a_file_is_read_again() {
    let plan = Plan::directory().confidential();
    let secret = plan.folder().join("secret");
    fs::write(&secret, "not-the-secret-at-all-0000\n").unwrap();
    let mut site = plan
        .auth("clientSecret", json!(null))
        .auth("clientSecretFile", json!(secret))
        .start();
    fs::write(&secret, CLIENT_SECRET).unwrap();
    site.reload(|_| {});
    site.signed_in();
}

#[test]
fn listeners_are_opened_and_closed_and_the_others_keep_their_connections() {
    let mut site = Plan::directory().start();
    let (host, session) = (site.authority(), site.session());
    let request = Request::get("/").header("Cookie", &*session);
    let mut wire = site.wire();
    assert_eq!(wire.send(&request, &host).status, 200);
    // A free port, as good as certain.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    site.reload(|config| config["listen"]["http"] = json!(["127.0.0.1:0", free]));
    assert_eq!(Wire::connect(free).send(&request, &host).status, 200);
    assert_eq!(wire.send(&request, &host).status, 200);
    site.reload(|config| config["listen"]["http"] = json!(["127.0.0.1:0"]));
    assert_eq!(site.get("/", &session).status, 200);
    assert_eq!(wire.send(&request, &host).status, 200);
    assert_eq!(site.metric(SUCCESSES), 2.0);
}

#[test]
fn an_address_that_is_taken_is_a_failed_reload() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut site = Plan::directory().start();
    site.rewrite(|config| config["listen"]["http"] = json!(["127.0.0.1:0", taken.local_addr().unwrap()]));
    site.process.signal(Signal::HangUp);
    let event = site
        .process
        .message("not reloaded, the configuration before stays in force");
    assert!(
        event["problem"].as_str().unwrap().starts_with("listen on 127.0.0.1:"),
        "{event}"
    );
    assert_eq!(site.get("/", &site.session()).status, 200);
}

#[test]
fn a_key_that_only_a_restart_changes_is_named() {
    let mut site = Plan::directory().start();
    site.reload(|config| config["threads"] = json!(3));
    let event = site
        .process
        .message("a change of this key needs a restart or an upgrade");
    assert_eq!(event["key"], "threads");
}

#[test]
fn the_limits_and_the_log_level_follow_the_configuration() {
    let mut site = Plan::directory().start();
    let session = site.session();
    let long = Request::get("/")
        .header("Cookie", &*session)
        .header("X-Long", "x".repeat(40_000));
    assert_eq!(site.ask(&long).status, 431);
    site.reload_quietly(|config| {
        config["limits"] = json!({ "header_bytes": "64KiB", "connections": 30_000 });
        config["log"]["level"] = json!("error");
    });
    assert_eq!(site.ask(&long).status, 200);
    assert!(!site.process.out().contains("\"status\":200"), "only errors are logged");
    site.reload_quietly(|config| config["limits"] = json!({ "connections": 10 }));
    assert_eq!(site.ask(&long).status, 431);
}

fn encrypted() -> (Certificate, Site) {
    let plan = Plan::directory();
    let certificate = Certificate::write(plan.folder(), HOST);
    let listen = json!({
        "http": ["127.0.0.1:0"],
        "https": ["127.0.0.1:0"],
        "tls": [{ "cert": plan.folder().join("live/tls.crt"), "key": plan.folder().join("live/tls.key") }],
    });
    // As Kubernetes does it: the files are reached through a link to the folder of the day.
    let day = plan.folder().join("one");
    fs::create_dir(&day).unwrap();
    fs::copy(&certificate.cert, day.join("tls.crt")).unwrap();
    fs::copy(&certificate.key, day.join("tls.key")).unwrap();
    symlink(plan.folder().join("one"), plan.folder().join("live")).unwrap();
    let site = plan
        .top("listen", listen)
        .top("reload", json!({ "interval": "100ms" }))
        .start();
    (certificate, site)
}

fn turn(site: &Site, day: &str, certificate: &Certificate) {
    let folder = site.folder();
    fs::create_dir(folder.join(day)).unwrap();
    fs::copy(&certificate.cert, folder.join(day).join("tls.crt")).unwrap();
    fs::copy(&certificate.key, folder.join(day).join("tls.key")).unwrap();
    symlink(folder.join(day), folder.join("next")).unwrap();
    fs::rename(folder.join("next"), folder.join("live")).unwrap();
}

#[test]
fn certificates_are_exchanged_when_their_files_change_and_connections_live_on() {
    let (old, site) = encrypted();
    let (address, session) = (site.https.unwrap(), site.session());
    let host = format!("{HOST}:{}", address.port());
    let request = Request::get("/").header("Cookie", &*session);
    let trusts_old = client(&[&old], &[b"http/1.1"]);
    let mut kept = connect(address, HOST, &trusts_old);
    assert_eq!(kept.send(&request, &host).status, 200);
    let ends = site.metric(&format!("portcullis_tls_cert_not_after_seconds{{name=\"{HOST}\"}}"));
    assert!(ends > 4e9, "{ends}");

    let renewed = tempfile::tempdir().unwrap();
    let new = Certificate::write(renewed.path(), HOST);
    turn(&site, "two", &new);
    site.process.message("certificates reloaded");
    assert_eq!(kept.send(&request, &host).status, 200);
    let trusts_new = client(&[&new], &[b"http/1.1"]);
    assert_eq!(connect(address, HOST, &trusts_new).send(&request, &host).status, 200);
}

#[test]
fn a_certificate_that_does_not_fit_its_key_is_not_taken() {
    let (old, site) = encrypted();
    let renewed = tempfile::tempdir().unwrap();
    let new = Certificate::write(renewed.path(), HOST);
    let mixed = Certificate {
        cert: new.cert,
        key: old.key.clone(),
        der: new.der,
    };
    turn(&site, "two", &mixed);
    let event = site
        .process
        .message("not reloaded, the configuration before stays in force");
    assert!(
        event["problem"].as_str().unwrap().starts_with("listen.tls[0].key"),
        "{event}"
    );
    let address = site.https.unwrap();
    let request = Request::get("/").header("Cookie", site.session());
    let response = connect(address, HOST, &client(&[&old], &[b"http/1.1"])).send(&request, HOST);
    assert_eq!(response.status, 200);
}

#[test]
fn the_configuration_file_is_watched_where_that_is_asked_for() {
    let mut site = Plan::directory()
        .top("reload", json!({ "watch": "all", "interval": "100ms" }))
        .start();
    site.rewrite(|config| config["sites"][0]["auth"]["httpHeaders"] = json!({ "X-Generation": "2" }));
    site.process.message("configuration reloaded");
    assert_eq!(site.get("/", &site.session()).header("x-generation"), Some("2"));
}

#[test]
fn a_service_manager_is_told_of_start_reload_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager
        .set_read_timeout(Some(std::time::Duration::from_secs(40)))
        .unwrap();
    let hear = || {
        let mut said = [0; 256];
        let length = manager.recv(&mut said).unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    let mut site = Plan::directory()
        .variable("NOTIFY_SOCKET", socket.to_str().unwrap())
        .start();
    assert_eq!(hear(), "READY=1");
    site.reload(|_| {});
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear(), "READY=1");
    site.process.signal(Signal::Quit);
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(site.process.end().code(), Some(0));
}

#[test]
fn keys_and_verified_tokens_of_an_unchanged_site_are_kept() {
    let origin = Origin::content();
    let mut site = Plan::custom(&origin).start();
    let session = site.session();
    assert_eq!(site.get("/", &session).text(), CONTENT);
    site.reload(|config| config["limits"] = json!({ "header_bytes": "16KiB" }));
    assert_eq!(site.get("/", &session).text(), CONTENT);
    let new = site.metric("portcullis_upstream_connections_total{origin=\"custom\",reused=\"no\",site=\"app\"}");
    let kept = site.metric("portcullis_upstream_connections_total{origin=\"custom\",reused=\"yes\",site=\"app\"}");
    assert_eq!(new + kept, 2.0);
}
