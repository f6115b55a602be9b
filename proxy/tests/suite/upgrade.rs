//! Another process takes over: no request fails, a failed successor changes nothing, strangers get nothing.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use serde_json::json;

use crate::support::{
    http::Request,
    load::Load,
    origin::CONTENT,
    process::{Process, Signal},
    site::{Plan, Site},
};

/// A site whose listeners can be taken over, and the path of its socket.
fn upgradable() -> (PathBuf, Site) {
    let plan = Plan::directory();
    let socket = plan.folder().join("upgrade.sock");
    let site = plan.top("upgrade", json!({ "socket": socket })).start();
    (socket, site)
}

fn successor(site: &Site) -> Process {
    Process::start(&["run", "--upgrade", "--config", site.file().to_str().unwrap()], &[])
}

#[test]
fn reloads_and_an_upgrade_under_load_fail_no_request() {
    let (_, mut site) = upgradable();
    let request = Request::get("/page.html").header("Cookie", site.session());
    let load = Load::start(200, site.address(), &site.authority(), &request, CONTENT);
    load.wait_for(1000);
    for generation in 1..=3 {
        site.reload(|config| {
            config["sites"][0]["auth"]["httpHeaders"] = json!({ "X-Generation": generation.to_string() })
        });
        load.wait_for(500);
    }
    let mut next = successor(&site);
    next.message("ready");
    assert_eq!(site.process.end().code(), Some(0), "{}", site.process.output());
    site.process.message("drained");
    load.wait_for(1000);
    let (answered, failures) = load.stop();
    assert!(
        failures.is_empty(),
        "{} of {answered}: {:?}",
        failures.len(),
        failures.first()
    );
    assert!(answered > 3500);
    next.signal(Signal::Terminate);
    assert_eq!(next.end().code(), Some(0));
}

#[test]
fn a_kept_connection_is_answered_once_more_and_told_to_end() {
    let (_, site) = upgradable();
    let (host, session) = (site.authority(), site.session());
    let request = Request::get("/").header("Cookie", &*session);
    let mut wire = site.wire();
    assert_eq!(wire.send(&request, &host).header("connection"), Some("keep-alive"));
    let next = successor(&site);
    next.message("ready");
    site.process
        .event(|event| event["message"] == "handed over: draining" && event["to"] == next.id());
    let last = wire.send(&request, &host);
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert!(wire.is_closed());
    assert_eq!(
        site.get("/", &session).status,
        200,
        "the successor answers at the same address"
    );
    site.process.message("drained");
}

#[test]
fn the_successor_s_admin_listener_is_at_the_same_address() {
    let (_, mut site) = upgradable();
    let next = successor(&site);
    let ready = next.message("ready");
    assert_eq!(site.process.end().code(), Some(0));
    assert_eq!(ready["admin"], site.admin.unwrap().to_string());
    assert_eq!(site.admin("/readyz").status, 200);
}

#[test]
fn a_successor_that_cannot_start_leaves_the_old_process_in_service() {
    let (_, mut site) = upgradable();
    let session = site.session();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    site.rewrite(|config| config["listen"]["http"] = json!(["127.0.0.1:0", taken.local_addr().unwrap()]));
    let mut next = successor(&site);
    assert_eq!(next.end().code(), Some(1));
    site.process.message("an upgrade has failed, this process goes on");
    assert_eq!(site.get("/", &session).status, 200);
    assert_eq!(site.admin("/readyz").status, 200);
    site.rewrite(|config| config["listen"]["http"] = json!(["127.0.0.1:0"]));
    successor(&site).message("ready");
    assert_eq!(site.process.end().code(), Some(0));
}

#[test]
fn sigusr2_starts_the_successor() {
    let (_, site) = upgradable();
    site.process.signal(Signal::Succeed);
    // Its output is ours: it was started by the process whose output we read.
    let ready = site.process.messages(2, "ready");
    let pid = i32::try_from(ready[1]["pid"].as_i64().unwrap()).unwrap();
    site.process.message("drained");
    assert_eq!(site.get("/", &site.session()).status, 200);
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    site.process.messages(2, "stopped");
}

#[test]
fn without_a_process_to_take_over_from_there_is_no_upgrade() {
    let (socket, mut site) = upgradable();
    site.process.signal(Signal::Terminate);
    assert_eq!(site.process.end().code(), Some(0));
    assert!(socket.exists());
    let mut next = successor(&site);
    assert_eq!(next.end().code(), Some(1));
    assert!(
        next.err().contains("connect to the process to take over from"),
        "{}",
        next.err()
    );
}

#[test]
fn the_socket_is_private_and_its_folder_must_be() {
    let (socket, site) = upgradable();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(site.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut next = successor(&site);
    assert_eq!(next.end().code(), Some(78));
    assert!(next.err().contains("nobody else may write to it"), "{}", next.err());
    let mut anew = Process::run(site.file(), &[]);
    assert_eq!(anew.end().code(), Some(78));
}
