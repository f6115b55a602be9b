//! Servers that ask whether a request may pass: what they are told, and that nobody else learns anything.

use dev_idp::Overrides;
use serde_json::{Value, json};

use crate::support::{
    browser::Browser,
    http::{Request, Response, exchange},
    nginx::Nginx,
    origin::{CONTENT, Origin},
    process::Process,
    site::{ALICE, BOB, Plan, Site},
    url::{Url, open_base64url},
};

const SERVERS: [&str; 4] = ["nginx", "traefik", "caddy", "envoy"];

fn plan(trusted: &[&str]) -> Plan {
    Plan::bare()
        .origin(json!({ "kind": "none" }))
        .top("trusted_proxies", json!(trusted))
        .top("forward_auth", json!({ "servers": SERVERS }))
        .site(
            "identity",
            json!({ "headers": {
                "X-Forwarded-User": "sub",
                "X-Forwarded-Email": "email",
                "X-Forwarded-Groups": "cognito:groups",
            } }),
        )
}

fn site() -> Site {
    plan(&["127.0.0.1/32"]).start()
}

/// What a kind of server sends about a viewer's request.
fn question(server: &str, method: &str, host: &str, target: &str) -> Request {
    let path = format!("/_portcullis/forward-auth/{server}");
    match server {
        "nginx" => Request::get(&path)
            .header("X-Original-Method", method)
            .header("X-Original-URL", format!("http://{host}{target}")),
        "envoy" => Request::new(method, &format!("{path}{target}")).header("X-Forwarded-Proto", "http"),
        _ => Request::get(&path)
            .header("X-Forwarded-Method", method)
            .header("X-Forwarded-Proto", "http")
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Uri", target),
    }
}

/// Where a sign-in returns to.
fn requested(response: &Response) -> Value {
    open_base64url(&Url::parse(response.location()).param("state").unwrap())["requestedUri"].clone()
}

fn yes(response: &Response) -> bool {
    (200..300).contains(&response.status)
}

#[test]
fn every_kind_of_server_hears_who_the_viewer_is() {
    let site = site();
    let session = site.session();
    for server in SERVERS {
        for method in ["GET", "POST", "OPTIONS", "PROPFIND"] {
            let request = question(server, method, &site.authority(), "/page?a=b").header("Cookie", &*session);
            let answer = site.ask(&request);
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{server} {method}");
            assert_eq!(answer.header("x-forwarded-groups"), Some("readers,writers"));
            assert_eq!(answer.header("x-forwarded-user").unwrap().len(), 36);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    let bob = site.session_with(BOB.0, &Overrides::none());
    let answer = site.ask(&question("envoy", "GET", "", "/").header("Cookie", bob));
    assert_eq!(answer.all("x-forwarded-groups"), [""], "rather than the viewer's own");
}

#[test]
fn a_viewer_without_a_session_is_shown_the_way_to_sign_in() {
    let site = site();
    for server in SERVERS {
        let answer = site.ask(&question(server, "GET", &site.authority(), "/a%20b?c=d&e"));
        let cookies = answer.all("set-cookie");
        assert_eq!(cookies.len(), 3, "{server}");
        assert_eq!(requested(&answer), "/a%20b?c=d&e", "{server}");
        assert!(answer.header("x-forwarded-user").is_none());
        if server == "nginx" {
            assert_eq!((answer.status, answer.body.len()), (401, 0));
            for (index, cookie) in cookies.iter().enumerate() {
                let name = format!("x-portcullis-set-cookie-{}", index + 1);
                assert_eq!(answer.all(&name), [*cookie]);
            }
        } else {
            assert!(site.is_sign_in(&answer), "{server}: {answer:?}");
        }
    }
}

/// T-LEAK-1: pages of the sign-in have status 200, which these servers would take for a yes.
#[test]
fn no_viewer_who_may_not_pass_gets_a_yes() {
    let site = plan(&["127.0.0.1/32"]).auth("requiredGroup", "readers").start();
    let expired = site.session_with(ALICE.0, &Overrides::expired());
    let outsider = site.session_with(BOB.0, &Overrides::none());
    let foreign = site.session_with(ALICE.0, &Overrides::none().claim("aud", "another"));
    let good = site.session();
    for server in SERVERS {
        for (who, cookies) in [
            ("nobody", ""),
            ("expired", &expired),
            ("outsider", &outsider),
            ("foreign", &foreign),
        ] {
            for (method, target) in [("GET", "/"), ("POST", "/x"), ("OPTIONS", "/"), ("GET", "/signout")] {
                let request = question(server, method, &site.authority(), target).header("Cookie", cookies);
                let answer = site.ask(&request);
                assert!(!yes(&answer), "{server} {who} {method} {target}: {answer:?}");
                assert!(answer.header("x-forwarded-user").is_none());
            }
        }
        let request = question(server, "GET", &site.authority(), "/").header("Cookie", &*outsider);
        assert_eq!(site.ask(&request).status, 403, "{server}");
        let request = question(server, "GET", &site.authority(), "/").header("Cookie", &*good);
        assert_eq!(site.ask(&request).status, 200, "{server}");
    }
}

/// T-FWD-1
#[test]
fn a_stranger_who_asks_is_told_nothing() {
    let site = plan(&["10.0.0.0/8"]).start();
    let session = site.session();
    for server in SERVERS {
        for cookies in ["", &session] {
            let request = question(server, "GET", &site.authority(), "/").header("Cookie", cookies);
            let answer = site.ask(&request);
            assert_eq!(answer.status, 403, "{server}");
            for name in ["location", "set-cookie", "x-forwarded-user", "x-forwarded-email"] {
                assert!(answer.header(name).is_none(), "{server} {name}");
            }
        }
    }
}

/// T-FWD-1
#[test]
fn words_of_other_servers_and_doubled_ones_do_not_count() {
    let site = site();
    let host = site.authority();
    let answer = site.ask(
        &question("nginx", "GET", &host, "/mine")
            .header("X-Forwarded-Uri", "/other")
            .header("X-Forwarded-Host", "evil.example")
            .header("X-Rewrite-URL", "/other"),
    );
    assert_eq!((answer.status, requested(&answer)), (401, json!("/mine")));
    for server in ["nginx", "traefik", "caddy"] {
        let other = if server == "nginx" { "traefik" } else { "nginx" };
        let path = format!("/_portcullis/forward-auth/{server}");
        let mut request = question(other, "GET", &host, "/");
        request.target.clone_from(&path);
        assert_eq!(refused(&site, &request), 403, "{server}");
        assert_eq!(refused(&site, &Request::get(&path)), 403, "{server}");
        let doubled = question(server, "GET", &host, "/")
            .header("X-Original-URL", format!("http://{host}/other"))
            .header("X-Forwarded-Uri", "/other");
        assert_eq!(refused(&site, &doubled), 403, "{server}");
    }
}

/// The status of an answer that says nothing.
fn refused(site: &Site, request: &Request) -> u16 {
    let answer = site.ask(&request.clone().header("Cookie", site.session()));
    assert!(answer.header("location").is_none() && answer.header("set-cookie").is_none());
    assert!(answer.header("x-forwarded-user").is_none());
    answer.status
}

/// T-PATH-2, T-REDIR-4
#[test]
fn the_described_request_is_admitted_like_any_other() {
    let site = site();
    let host = site.authority();
    for server in SERVERS {
        let by_status = server == "nginx";
        for target in ["/a%2fb", "/%2e%2e/x", "/a/../b", "/a\\b", "/%00", "/a%5cb"] {
            let status = refused(&site, &question(server, "GET", &host, target));
            assert_eq!(status, if by_status { 403 } else { 400 }, "{server} {target}");
        }
        for target in ["/#x", "/public#/../private", "/a?b#c"] {
            let status = refused(&site, &question(server, "GET", &host, target));
            assert!(matches!(status, 400 | 403), "{server} {target}: {status}");
        }
        if server == "envoy" {
            continue;
        }
        for (host, status) in [("evil.example", 421), ("app.localhost@evil.example", 400)] {
            let expected = if by_status { 403 } else { status };
            assert_eq!(
                refused(&site, &question(server, "GET", host, "/")),
                expected,
                "{server} {host}"
            );
        }
    }
}

/// T-LEAK-1
#[test]
fn an_answer_has_nothing_of_an_origin() {
    let origin = Origin::content();
    let plan = plan(&["127.0.0.1/32"]).origin(json!({ "kind": "custom", "url": origin.url() }));
    let site = plan.start();
    for server in SERVERS {
        let request = question(server, "GET", &site.authority(), "/").header("Cookie", site.session());
        let answer = site.ask(&request);
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{server}");
    }
    assert!(origin.asked().is_empty());
}

#[test]
fn a_site_without_an_origin_has_its_sign_in_and_nothing_else() {
    let site = site();
    let session = site.session();
    assert_eq!(site.get("/", &session).status, 404);
    assert_eq!(
        site.ask(&Request::new("POST", "/x").header("Cookie", &*session)).status,
        405
    );
    assert!(site.is_sign_in(&site.get("/", "")));
    assert_eq!(site.get("/signout", &session).status, 307);
}

#[test]
fn a_site_that_wants_https_says_so_to_those_who_ask() {
    let site = plan(&["127.0.0.1/32"]).site("redirect_http_to_https", true).start();
    let session = site.session();
    for server in SERVERS {
        let http = question(server, "GET", &site.authority(), "/a?b").header("Cookie", &*session);
        let answer = site.ask(&http);
        assert_eq!(answer.status, if server == "nginx" { 401 } else { 301 }, "{server}");
        assert_eq!(answer.location(), "https://app.localhost/a?b", "{server}");
        assert!(answer.header("x-forwarded-user").is_none());
    }
}

#[test]
fn asking_is_configured_together_with_who_may_ask() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = "[forward_auth]\nservers = [\"nginx\", \"apache\"]\npath = \"/a/\"\n";
    std::fs::write(&file, text).unwrap();
    let mut check = Process::start(&["check", "--config", file.to_str().unwrap()], &[]);
    assert!(!check.end().success());
    let said = check.output();
    for expected in ["forward_auth.servers[1]", "forward_auth.path", "trusted_proxies"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

/// nginx with the documented configuration, in front of an application.
fn behind_nginx(plan: Plan) -> (Site, Origin, Nginx) {
    let application = Origin::content();
    let site = plan.start();
    let nginx = Nginx::start(site.address(), application.address);
    (site, application, nginx)
}

fn url(nginx: &Nginx, target: &str) -> String {
    format!("http://app.localhost:{}{target}", nginx.address.port())
}

fn ask(nginx: &Nginx, request: &Request) -> Response {
    exchange(
        nginx.address,
        &format!("app.localhost:{}", nginx.address.port()),
        request,
    )
}

#[test]
fn a_viewer_signs_in_through_nginx_and_out_again() {
    let (site, application, nginx) = behind_nginx(plan(&["127.0.0.1/32"]));
    let mut browser = Browser::new();
    let link = url(&nginx, "/docs/a%20b?from=mail&x=%2F");
    let refused = browser.get(&link);
    assert_eq!(refused.status, 302);
    assert!(!refused.text().contains(CONTENT) && application.asked().is_empty());
    let page = browser.sign_in(&link, ALICE.0, ALICE.1);
    assert_eq!((page.status, page.text().as_str()), (200, CONTENT));
    assert_eq!(browser.here().to_string(), link);
    let asked = application.last();
    assert_eq!(asked.target(), "/docs/a%20b?from=mail&x=%2F");
    assert_eq!(asked.all("x-forwarded-user").len(), 1);
    assert_eq!(asked.all("x-forwarded-groups"), ["readers,writers"]);
    assert!(asked.header("x-forwarded-email").unwrap().contains('@'));

    let before = application.asked().len();
    let out = browser.open(&url(&nginx, "/signout"));
    assert!(
        out.text().contains("_csrf"),
        "the hosted UI asks to sign in anew: {out:?}"
    );
    let again = browser.get(&link);
    assert_eq!(again.status, 302);
    assert!(
        again
            .location()
            .starts_with(&format!("{}/oauth2/authorize?", site.idp.url()))
    );
    assert_eq!(application.asked().len(), before);
}

/// T-HDR-1, T-FWD-1: behind nginx a viewer is who the session says.
#[test]
fn behind_nginx_nobody_speaks_for_another() {
    let (site, application, nginx) = behind_nginx(plan(&["127.0.0.1/32"]));
    let forged = |request: Request| {
        let names = [
            "X-Forwarded-User",
            "x-forwarded-email",
            "X_Forwarded_User",
            "X-FORWARDED-GROUPS",
        ];
        let request = names
            .iter()
            .fold(request, |request, name| request.header(name, "forged"));
        request
            .header("X-Original-URL", "http://app.localhost/other")
            .header("X-Original-Method", "OPTIONS")
            .header("X-Forwarded-Host", "evil.example")
            .header("X-Forwarded-Uri", "/other")
    };
    let bob = site.session_with(BOB.0, &Overrides::none());
    let answer = ask(&nginx, &forged(Request::get("/mine")).header("Cookie", bob));
    assert_eq!(answer.status, 200);
    let asked = application.last();
    assert_eq!(asked.all("x-forwarded-user").len(), 1);
    assert!(!asked.head.contains("forged"), "{}", asked.head);
    assert_eq!(asked.header("x-forwarded-groups"), None, "bob is in no group");
    let answer = ask(&nginx, &forged(Request::get("/mine")));
    assert_eq!((answer.status, requested(&answer)), (302, json!("/mine")));
    assert_eq!(ask(&nginx, &Request::get("/_portcullis/forward-auth")).status, 404);
    assert_eq!(application.asked().len(), 1);
}

/// T-LEAK-1
#[test]
fn behind_nginx_nobody_without_access_gets_content() {
    let (site, application, nginx) = behind_nginx(plan(&["127.0.0.1/32"]).auth("requiredGroup", "readers"));
    let outsider = site.session_with(BOB.0, &Overrides::none());
    let expired = site.session_with(ALICE.0, &Overrides::expired());
    for (method, target, cookies, status) in [
        ("GET", "/", outsider.as_str(), 403),
        ("POST", "/form", &outsider, 403),
        ("GET", "/", &expired, 302),
        ("POST", "/form", "", 302),
        ("DELETE", "/x", "a=b", 302),
        ("GET", "/a%2fb", &site.session(), 403),
    ] {
        let request = Request::new(method, target).header("Cookie", cookies).body("secret=1");
        let answer = ask(&nginx, &request);
        assert_eq!(answer.status, status, "{method} {target}");
        assert!(!answer.text().contains(CONTENT));
    }
    assert!(application.asked().is_empty());
    let post = Request::new("POST", "/form")
        .header("Cookie", site.session())
        .body("a=1");
    assert_eq!(ask(&nginx, &post).text(), CONTENT);
    assert_eq!(application.last().body, b"a=1");
}

#[test]
fn without_portcullis_nginx_lets_nobody_in() {
    let application = Origin::content();
    let site = site();
    let session = site.session();
    let nginx = Nginx::start(crate::support::origin::nobody(), application.address);
    let answer = ask(&nginx, &Request::get("/").header("Cookie", session));
    assert_eq!(answer.status, 500);
    assert!(application.asked().is_empty());
}
