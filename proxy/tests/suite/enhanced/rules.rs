//! Rules by host, path and method, in front of a real origin.

use dev_idp::Overrides;
use serde_json::{Value, json};

use crate::support::{
    http::Request,
    origin::{Answer, CONTENT, Origin},
    process::Process,
    site::{ALICE, BOB, Plan, Site},
};

fn plan(origin: &Origin, rules: Value) -> Plan {
    let plan = Plan::custom(origin).auth("profile", "enhanced");
    plan.auth("enhancements", json!({ "rules": rules }))
}

fn rules() -> Value {
    json!([
        { "paths": ["/favicon.ico"], "under": ["/public"], "require": "public" },
        { "under": ["/admin"], "require": { "groups": ["admins"] } },
        { "under": ["/read"], "require": { "groups": ["readers"] } },
        { "under": ["/closed"], "require": "deny" },
        { "methods": ["GET", "POST"], "require": "signedIn" },
    ])
}

fn json_of(site: &Site, request: Request) -> (u16, Option<String>) {
    let answer = site.ask(&request.header("Accept", "application/json"));
    (answer.status, answer.header("location").map(str::to_owned))
}

#[test]
fn pain_17_rules_by_path_hold_in_front_of_the_origin() {
    let origin = Origin::content();
    let site = plan(&origin, rules()).start();
    let (alice, bob) = (site.session(), site.session_with(BOB.0, &Overrides::none()));
    for path in ["/favicon.ico", "/public", "/public/a/b?c=d"] {
        assert_eq!(site.get(path, "").status, 200, "{path}");
    }
    assert_eq!(origin.last().target(), "/public/a/b?c=d");
    let before = origin.asked().len();
    for (path, cookies, status) in [
        ("/admin", &alice, 403),
        ("/admin/x", &alice, 403),
        ("/read/x", &bob, 403),
        ("/closed", &alice, 403),
    ] {
        let answer = site.get(path, cookies);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("location"), None, "{path}");
        assert!(!answer.text().contains(CONTENT), "{path}");
    }
    assert_eq!(origin.asked().len(), before, "a denied request reached the origin");
    for (path, cookies) in [("/read/x", &alice), ("/", &bob)] {
        assert_eq!(site.get(path, cookies).status, 200, "{path}");
    }
}

#[test]
fn pain_16_who_is_turned_away_reads_as_whom_and_is_never_sent_round() {
    let origin = Origin::content();
    let site = plan(&origin, rules()).start();
    let answer = site.get("/admin", &site.session());
    assert_eq!(answer.page(), (403, "not-authorized".into(), "group-required".into()));
    let text = answer.text();
    assert!(text.contains("alice@example.com"), "{text}");
    assert!(text.contains("/signout"), "{text}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.all("set-cookie").is_empty());
    assert_eq!(
        json_of(&site, Request::get("/admin").header("Cookie", site.session())),
        (403, None)
    );
}

/// T-LEAK-4
#[test]
fn t_leak_4_a_refusal_says_nothing_of_what_is_there() {
    let origin = Origin::start(|asked| match asked.target() {
        "/admin/there" => Answer::ok("content"),
        _ => Answer::with("404 Not Found", &[], "nothing"),
    });
    let site = plan(&origin, rules()).start();
    let body = |path: &str, cookies: &str| {
        let answer = site.get(path, cookies);
        let text = answer.text();
        // All but the request's own id.
        let (before, after) = text.split_once("Request: <code>").unwrap();
        let (_, after) = after.split_once('<').unwrap();
        (answer.status, format!("{before}{after}"))
    };
    for cookies in [site.session(), site.session_with(BOB.0, &Overrides::none())] {
        assert_eq!(body("/admin/there", &cookies), body("/admin/missing", &cookies));
    }
    assert!(origin.asked().is_empty());
}

/// T-AUTHZ-1
#[test]
fn t_authz_1_what_no_rule_fits_is_denied() {
    let origin = Origin::content();
    let site = plan(&origin, rules()).start();
    let request = Request::new("PUT", "/elsewhere").header("Cookie", site.session());
    assert_eq!(site.ask(&request).status, 403);
    assert!(origin.asked().is_empty());
}

/// T-AUTHZ-2: what counts is what the token says now.
#[test]
fn t_authz_2_new_claims_count_at_once() {
    let origin = Origin::content();
    let site = plan(&origin, rules()).start();
    let session = |groups: Value| site.session_with(ALICE.0, &Overrides::none().claim("cognito:groups", groups));
    assert_eq!(site.get("/admin", &session(json!(["admins"]))).status, 200);
    assert_eq!(site.get("/admin", &session(json!(["readers"]))).status, 403);
    assert_eq!(site.get("/admin", &session(json!(["admins"]))).status, 200);
}

/// T-HDR-3: on a path that is public by rule too.
#[test]
fn t_hdr_3_a_public_path_scrubs_what_viewers_say_of_themselves() {
    let origin = Origin::content();
    let identity = json!({ "headers": { "X-Forwarded-User": "cognito:username" }, "remove": ["App-*"] });
    let site = plan(&origin, rules()).site("identity", identity).start();
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PATCH"] {
        let request = Request::new(method, "/public/x")
            .header("X-Forwarded-User", "forged-1")
            .header("X_Forwarded_User", "forged-2")
            .header("X-Portcullis-Assertion", "forged-3")
            .header("App-User", "forged-4");
        assert_eq!(site.ask(&request).status, 200, "{method}");
        assert!(
            !origin.last().head.contains("forged"),
            "{method}: {}",
            origin.last().head
        );
        assert_eq!(origin.last().header("x-forwarded-user"), None, "{method}");
    }
    // Who has a session is told to the origin there too; a bad one is nobody and no reason to be sent away.
    assert_eq!(site.get("/public/x", &site.session()).status, 200);
    assert_eq!(origin.last().header("x-forwarded-user"), Some(ALICE.0));
    let expired = site.session_with(ALICE.0, &Overrides::expired());
    let answer = site.get("/public/x", &expired);
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_eq!(origin.last().header("x-forwarded-user"), None);
}

/// T-PATH-2: no spelling of a path is decided upon as one and forwarded as another.
#[test]
fn t_path_2_no_spelling_gets_round_a_rule() {
    let origin = Origin::content();
    let site = plan(&origin, rules()).start();
    let session = site.session();
    for path in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..;/admin",
        "/public/..%3b/admin",
        "/public%2f..%2fadmin",
        "/public/%252e%252e/admin",
        "/public\\..\\admin",
        "/public/x%00",
        "/public/%c0%ae%c0%ae/admin",
        "//admin",
        "/;x/admin",
        "/admin%00",
        "/./admin",
        "/public/./x",
        "/public%5c..%5cadmin",
        "/admin;/../public",
    ] {
        for cookies in ["", &session] {
            let answer = site.get(path, cookies);
            assert_eq!(answer.status, 400, "{path}");
        }
    }
    assert!(origin.asked().is_empty());
    for path in ["/%61dmin", "/admin/", "/admin//x", "/admin/x;a=b", "/adm%69n/%78"] {
        assert_eq!(site.get(path, &session).status, 403, "{path}");
    }
    assert!(origin.asked().is_empty());
}

/// T-PATH-5
#[test]
fn t_path_5_a_rule_that_denies_everything_leaves_the_sign_in_alone() {
    let origin = Origin::content();
    let site = plan(&origin, json!([{ "require": "deny" }])).start();
    assert_eq!(site.get("/", &site.session()).status, 403);
    for path in ["/parseauth", "/refreshauth", "/signout", "/_portcullis/session"] {
        let answer = site.get(path, "");
        assert!(!answer.text().contains("rule-denied"), "{path}: {}", answer.text());
    }
}

#[test]
fn rules_in_toml_are_read_shown_and_explained() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(
        &file,
        r#"
[listen]
http = ["127.0.0.1:0"]

[[sites]]
hosts = ["app.example.com"]
origin = { kind = "directory", root = "." }

[sites.auth]
user_pool_arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E"
client_id = "client"
client_secret = "a-secret-of-the-client-8231"
cognito_auth_domain = "login.example.com"

[sites.auth.enhancements]
federated = true
session_secrets = ["what-sessions-are-sealed-with-4471"]

[[sites.auth.enhancements.rules]]
under = ["/assets"]
methods = ["GET"]
require = "public"

[[sites.auth.enhancements.rules]]
paths = ["/reports/*.pdf"]
require = { all_groups = ["staff", "finance"], claims = { "custom:cost_centre" = ["7"] } }

[[sites.auth.enhancements.rules]]
require = "signedIn"
"#,
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.splice(1..1, ["--config", file.to_str().unwrap()]);
        let mut process = Process::start(&all, &[]);
        let code = process.end().code();
        assert_eq!(code, Some(0), "{}", process.output());
        process.output()
    };
    let shown = run(&["check"]);
    for part in ["/assets", "/reports/*.pdf", "allGroups", "custom:cost_centre"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("warning"), "{shown}");
    assert!(!shown.contains("what-sessions-are-sealed-with"), "{shown}");
    let explained = run(&["explain", "GET", "https://app.example.com/reports/a.pdf"]);
    for part in ["rules[0]: for other paths", "rules[1]: holds", "a session is needed"] {
        assert!(explained.contains(part), "{part} in {explained}");
    }
    let explained = run(&["explain", "POST", "https://app.example.com/assets/a"]);
    assert!(explained.contains("rules[0]: for other methods"), "{explained}");
    let explained = run(&["explain", "GET", "https://app.example.com/assets/a"]);
    assert!(
        explained.contains("anyone may pass") && explained.contains("public"),
        "{explained}"
    );

    let claims = folder.path().join("claims.json");
    let mut holder = json!({
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", "aud": "client", "token_use": "id",
        "exp": 4_000_000_000_u64, "cognito:groups": ["staff", "finance"],
    });
    let url = "https://app.example.com/reports/a.pdf";
    let explain = |holder: &Value| {
        std::fs::write(&claims, holder.to_string()).unwrap();
        run(&["explain", "GET", url, "--claims", claims.to_str().unwrap()])
    };
    let explained = explain(&holder);
    assert!(
        explained.contains("has not the claims") && explained.contains("claim-required"),
        "{explained}"
    );
    holder["custom:cost_centre"] = json!("7");
    assert!(explain(&holder).contains("the rule admits the viewer"));
}

#[test]
fn pain_16_check_warns_of_a_pool_that_others_fill_without_a_rule_that_narrows_it() {
    let origin = Origin::content();
    for (rules, warned) in [
        (json!([{ "require": "signedIn" }]), true),
        (json!([{ "require": { "emailDomains": ["example.com"] } }]), false),
    ] {
        let plan = Plan::custom(&origin).auth("profile", "enhanced");
        let plan = plan.auth("enhancements", json!({ "federated": "true", "RULES": rules }));
        let site = plan.start();
        let mut process = Process::start(&["check", "--config", site.file().to_str().unwrap()], &[]);
        process.end();
        let output = process.output();
        assert_eq!(output.contains("no rule narrows who may pass"), warned, "{output}");
    }
}
