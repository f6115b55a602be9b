//! Rules: who may see which path, in whatever way its address is written.

use auth_core::{Access, Authenticator, Capabilities, Config, NoHeaders, Reason, Request, Scheme, Step, json::Json};
use serde_json::{Value, json};

use crate::fixture::{self, NOW, Rng, config, forward, reason, response, token};

/// A site of the enhanced profile under these rules, as the edge decides for it.
fn site(rules: Value) -> Authenticator {
    site_with(json!({}), json!({ "rules": rules }))
}

fn site_with(overrides: Value, enhancements: Value) -> Authenticator {
    let mut overrides = overrides;
    overrides["profile"] = json!("enhanced");
    overrides["enhancements"] = enhancements;
    let json = Json::parse(config(overrides).to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::EDGE)
}

fn problems(rules: Value) -> String {
    let json = config(json!({"profile": "enhanced", "enhancements": {"rules": rules}}));
    let json = Json::parse(json.to_string().as_bytes()).unwrap();
    Config::from_json(&json).map_or_else(|error| error.to_string(), |_| String::new())
}

/// What becomes of a request with this id token, or without any.
fn ask(auth: &Authenticator, method: &str, target: &str, token: Option<&str>) -> Step {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let cookie = token.map(|token| format!("ID-TOKEN={token}")).unwrap_or_default();
    let request = Request {
        method,
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query,
        cookies: &[&cookie],
        headers: &NoHeaders,
    };
    auth.begin(&request, NOW, &mut Rng)
}

fn anonymous(auth: &Authenticator, target: &str) -> Reason {
    reason(ask(auth, "GET", target, None))
}

fn holder(auth: &Authenticator, target: &str, claims: Value) -> Reason {
    match reason(ask(auth, "GET", target, Some(&token(claims)))) {
        // Seen before.
        Reason::SessionKnown => Reason::SessionVerified,
        other => other,
    }
}

#[test]
fn pain_17_public_paths_and_groups_by_path() {
    let auth = site(json!([
        {"under": ["/assets"], "paths": ["/favicon.ico"], "require": "public"},
        {"under": ["/admin"], "require": {"groups": ["admins", "ops"]}},
        {"under": ["/"], "require": "signedIn"},
    ]));
    assert_eq!(anonymous(&auth, "/assets/app.js"), Reason::Public);
    assert_eq!(anonymous(&auth, "/favicon.ico"), Reason::Public);
    assert_eq!(anonymous(&auth, "/"), Reason::SessionAbsent);
    assert_eq!(holder(&auth, "/", json!({})), Reason::SessionVerified);
    assert_eq!(holder(&auth, "/admin/x", json!({})), Reason::GroupRequired);
    assert_eq!(
        holder(&auth, "/admin/x", json!({"cognito:groups": ["users"]})),
        Reason::GroupRequired
    );
    assert_eq!(
        holder(&auth, "/admin/x", json!({"cognito:groups": ["users", "ops"]})),
        Reason::SessionVerified
    );
}

#[test]
fn pain_16_a_denied_viewer_gets_a_page_with_403_and_never_a_redirect() {
    let auth = site(json!([{"require": {"groups": ["admins"]}}]));
    let token = token(json!({"email": "jane@example.com"}));
    let answer = response(ask(&auth, "GET", "/", Some(&token)));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.headers.first("location"), None);
    assert!(
        answer.body.contains("jane@example.com"),
        "who is signed in is not shown"
    );
    assert!(answer.body.contains("/signout"), "no way to another account");
    assert_eq!(answer.headers.first("cache-control"), Some("no-store"));
}

#[test]
fn pain_16_a_pool_that_anyone_can_join_is_warned_about_until_a_rule_narrows_it() {
    let warned = |overrides: Value, enhancements: Value| {
        let auth = site_with(overrides, enhancements);
        auth.config()
            .warnings()
            .iter()
            .any(|warning| warning.contains("identity providers"))
    };
    let open = json!([{"require": "signedIn"}]);
    let narrowed = json!([{"under": ["/a"], "require": {"emailDomains": ["example.com"]}}, {"require": "deny"}]);
    assert!(warned(json!({}), json!({"federated": true})));
    assert!(warned(json!({}), json!({"federated": true, "rules": open})));
    assert!(!warned(json!({}), json!({"federated": true, "rules": narrowed})));
    assert!(!warned(json!({"requiredGroup": "staff"}), json!({"federated": true})));
    assert!(!warned(json!({}), json!({})));
}

#[test]
fn t_authz_1_what_no_rule_fits_is_denied_to_everybody() {
    let auth = site(json!([{"under": ["/open"], "require": "public"}]));
    assert_eq!(anonymous(&auth, "/other"), Reason::NoRule);
    assert_eq!(holder(&auth, "/other", json!({})), Reason::NoRule);
    assert_eq!(response(ask(&auth, "GET", "/other", None)).status, 403);
}

#[test]
fn t_authz_1_a_rule_that_asks_for_nothing_refuses_to_load() {
    for rules in [
        json!([]),
        json!([{"under": ["/a"]}]),
        json!([{"require": {}}]),
        json!([{"require": []}]),
        json!([{"require": "anyone"}]),
        json!([{"require": {"groups": []}}]),
        json!([{"require": {"groups": [""]}}]),
        json!([{"require": {"group": "admins"}}]),
        json!([{"require": {"groups": "admins"}}]),
        json!([{"require": {"allGroups": []}}]),
        json!([{"require": {"claims": {}}}]),
        json!([{"require": {"claims": {"a": []}}}]),
        json!([{"require": {"emailDomains": []}}]),
        json!([{"require": {"emailDomains": ["@example.com"]}}]),
        json!([{"require": {"emailDomains": ["*.example.com"]}}]),
        json!([{"require": {"scopes": ["a b"]}}]),
        json!([{"require": [{"groups": ["a"]}, {}]}]),
        json!([{"paths": [], "require": "public"}]),
        json!([{"under": [], "require": "public"}]),
        json!([{"hosts": [], "require": "public"}]),
        json!([{"methods": [], "require": "public"}]),
        json!([{"methods": ["get"], "require": "public"}]),
        json!([{"paths": ["^/a.*$"], "require": "public"}]),
        json!([{"path": ["/a"], "require": "public"}]),
        json!({"require": "public"}),
    ] {
        assert_ne!(problems(rules.clone()), "", "{rules}");
    }
    let several = problems(json!([{"paths": ["a", "/b?c"], "hosts": ["https://x"], "require": {"groups": []}}]));
    insta::assert_snapshot!(several);
}

#[test]
fn t_dos_4_there_are_bounds_to_what_can_be_configured() {
    let rule = json!({"require": "signedIn"});
    assert_ne!(problems(Value::Array(vec![rule.clone(); 201])), "");
    assert_eq!(problems(Value::Array(vec![rule; 200])), "");
    let paths: Vec<String> = (0..201).map(|index| format!("/{index}")).collect();
    assert_ne!(problems(json!([{"paths": paths, "require": "public"}])), "");
}

#[test]
fn without_rules_any_session_will_do_and_the_required_group_holds() {
    let auth = site_with(json!({}), json!({}));
    assert_eq!(holder(&auth, "/", json!({})), Reason::SessionVerified);
    let auth = site_with(json!({"requiredGroup": "staff"}), json!({}));
    assert_eq!(holder(&auth, "/", json!({})), Reason::GroupRequired);
    assert_eq!(
        holder(&auth, "/", json!({"cognito:groups": ["staff"]})),
        Reason::SessionVerified
    );
}

#[test]
fn the_first_rule_that_fits_holds() {
    let auth = site(json!([
        {"under": ["/a/b"], "require": "deny"},
        {"under": ["/a"], "require": "public"},
        {"under": ["/a/c"], "require": "deny"},
    ]));
    assert_eq!(anonymous(&auth, "/a/b/x"), Reason::RuleDenied);
    assert_eq!(anonymous(&auth, "/a/c/x"), Reason::Public);
    assert_eq!(holder(&auth, "/a/b/x", json!({})), Reason::RuleDenied);
}

#[test]
fn a_session_on_a_public_path_is_known_and_a_bad_one_costs_nothing() {
    let auth = site(json!([{"require": "public"}]));
    let good = forward(ask(&auth, "GET", "/", Some(&token(json!({})))));
    let Access::Session(viewer) = good.access else {
        panic!("the session got lost")
    };
    assert_eq!(viewer.username(), Some("jane"));
    for bad in [token(json!({"exp": 1})), "x".to_owned(), fixture::foreign_token()] {
        let passed = forward(ask(&auth, "GET", "/", Some(&bad)));
        assert!(matches!(passed.access, Access::Public));
        assert_eq!(passed.reason, Reason::Public);
    }
    let unknown_key = fixture::token_with_header(&json!({"alg": "RS256", "kid": "other"}));
    assert!(matches!(
        forward(ask(&auth, "GET", "/", Some(&unknown_key))).access,
        Access::Public
    ));
}

#[test]
fn t_authz_3_a_public_rule_never_widens() {
    let auth = site(json!([
        {"paths": ["/health", "/docs/*.html"], "under": ["/assets"], "require": "public"},
        {"require": "signedIn"},
    ]));
    for public in ["/health", "/docs/a.html", "/assets", "/assets/", "/assets/a/b"] {
        assert_eq!(anonymous(&auth, public), Reason::Public, "{public}");
    }
    for other in [
        "/health/",
        "/healthz",
        "/health.json",
        "/health/x",
        "/Health",
        "/docs/a.html/",
        "/docs/a.htmlx",
        "/docs/a/b.html",
        "/docs/",
        "/assetsx",
        "/assets.zip",
        "/x/assets/",
        "/ASSETS/a",
    ] {
        assert_eq!(anonymous(&auth, other), Reason::SessionAbsent, "{other}");
    }
}

#[test]
fn t_path_1_the_query_is_no_part_of_it() {
    let auth =
        site(json!([{"under": ["/public"], "paths": ["/**.png"], "require": "public"}, {"require": "signedIn"}]));
    for target in [
        "/private?/public/x",
        "/private?x=/a.png",
        "/private?a=1&b=.png",
        "/?/public/",
    ] {
        assert_eq!(anonymous(&auth, target), Reason::SessionAbsent, "{target}");
    }
    assert_eq!(anonymous(&auth, "/public/x?/private"), Reason::Public);
}

/// T-PATH-2: at the edge nothing stands before the core.
#[test]
fn t_path_2_a_path_with_two_readings_is_refused_where_a_rule_depends_on_it() {
    let auth = site(json!([
        {"under": ["/public"], "paths": ["/**.png"], "require": "public"},
        {"under": ["/admin"], "require": {"groups": ["admins"]}},
        {"require": "signedIn"},
    ]));
    for path in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/.%2E/admin",
        "/public/./x",
        "/public/..;/admin",
        "/public/..;a=b/admin",
        "/public/..%3b/admin",
        "/public/%252e%252e/admin",
        "/public/%252fx",
        "/public%2fx",
        "/public%2Fx",
        "/public\\x",
        "/public/..\\admin",
        "/public%5cx",
        "/public/x%00.png",
        "/admin%00.png",
        "/admin%3f.png",
        "/admin%23.png",
        "/admin#.png",
        "/public/%c0%ae%c0%ae/admin",
        "/public/%ff",
        "/public/%",
        "/public/%2",
        "/public/%zz",
        "public/x",
        "",
        "/public/x%0d%0a",
        "//public/x",
        "/;a/public/x",
        "/admin;.png",
    ] {
        assert_eq!(anonymous(&auth, path), Reason::PathAmbiguous, "{path}");
        let admin = json!({"cognito:groups": ["admins"]});
        assert_eq!(holder(&auth, path, admin), Reason::PathAmbiguous, "{path}");
    }
    assert_eq!(response(ask(&auth, "GET", "/public/../admin", None)).status, 400);
    // Spellings of one path are one path, and what every reader takes for the same rule's may pass.
    for path in [
        "/%70ublic/x",
        "/public/a%20b",
        "/public/%C3%A9",
        "/public/é",
        "/public//x",
        "/public/x;v=1",
    ] {
        assert_eq!(anonymous(&auth, path), Reason::Public, "{path}");
    }
    for path in ["/%61dmin/x", "/admin//x", "/admin/x;v=1"] {
        assert_eq!(holder(&auth, path, json!({})), Reason::GroupRequired, "{path}");
    }
}

#[test]
fn where_no_rule_looks_at_the_path_any_path_will_do() {
    for rules in [
        json!([{"require": "signedIn"}]),
        json!([{"paths": ["/**"], "require": "signedIn"}]),
    ] {
        let auth = site(rules);
        for path in ["/a/../b", "/a%2fb", "//", "/a;b", "/%zz"] {
            assert_eq!(holder(&auth, path, json!({})), Reason::SessionVerified, "{path}");
            assert_eq!(anonymous(&auth, path), Reason::SessionAbsent, "{path}");
        }
    }
}

#[test]
fn t_path_4_methods_in_other_spellings_and_unknown_ones_are_protected() {
    let auth = site(json!([
        {"methods": ["POST", "DELETE"], "require": {"groups": ["editors"]}},
        {"methods": ["GET"], "require": "public"},
        {"under": ["/all"], "require": "public"},
        {"require": "signedIn"},
    ]));
    let asked = |method: &str, path: &str| reason(ask(&auth, method, path, None));
    assert_eq!(asked("GET", "/"), Reason::Public);
    assert_eq!(asked("HEAD", "/"), Reason::Public);
    assert_eq!(asked("PUT", "/all"), Reason::Public);
    for method in ["get", "Get", "GETX", "FOO", "TRACE", "PROPFIND", ""] {
        assert_eq!(asked(method, "/"), Reason::SessionAbsent, "{method}");
        assert_eq!(asked(method, "/all"), Reason::SessionAbsent, "{method}");
    }
    for method in ["POST", "post", "Delete"] {
        let step = ask(&auth, method, "/", Some(&token(json!({}))));
        assert_eq!(reason(step), Reason::GroupRequired, "{method}");
    }
}

#[test]
fn t_path_5_no_rule_shadows_a_path_of_ours() {
    for word in ["deny", "public"] {
        let auth = site(json!([{"require": word}]));
        for own in ["/parseauth", "/refreshauth", "/signout", "/%70arseauth"] {
            let reason = anonymous(&auth, own);
            assert!(
                !matches!(reason, Reason::RuleDenied | Reason::Public),
                "{own}: {reason:?}"
            );
        }
    }
    let auth = site(json!([{"require": "deny"}]));
    for similar in ["/signout-x", "/signout/", "/parseauthx", "/x/parseauth"] {
        assert_eq!(anonymous(&auth, similar), Reason::RuleDenied, "{similar}");
    }
}

#[test]
fn hosts_count_in_any_case_and_with_any_port() {
    let auth = site(json!([
        {"hosts": ["open.example.com", "*.open.example.com"], "require": "public"},
        {"require": "signedIn"},
    ]));
    let asked = |host: &str| {
        let request = Request {
            method: "GET",
            scheme: Scheme::Https,
            host,
            path: "/",
            query: "",
            cookies: &[],
            headers: &NoHeaders,
        };
        reason(auth.begin(&request, NOW, &mut Rng))
    };
    for host in [
        "open.example.com",
        "OPEN.example.com:8443",
        "open.example.com.",
        "a.b.open.example.com",
    ] {
        assert_eq!(asked(host), Reason::Public, "{host}");
    }
    for host in [
        "site.example",
        "xopen.example.com",
        "open.example.com.evil",
        "open.example.com@evil",
    ] {
        assert_eq!(asked(host), Reason::SessionAbsent, "{host}");
    }
}

#[test]
fn claims_are_compared_whole_and_lists_are_searched() {
    let auth = site(json!([
        {"paths": ["/all"], "require": {"claims": {"custom:team": ["red", "blue"], "level": 3}}},
        {"paths": ["/any"], "require": {"anyClaims": {"custom:team": "red", "staff": true}}},
        {"paths": ["/both"], "require": {"allGroups": ["a", "b"]}},
        {"paths": ["/either"], "require": [{"groups": ["a"]}, {"claims": {"staff": true}}]},
    ]));
    for (path, claims, expected) in [
        (
            "/all",
            json!({"custom:team": "red", "level": 3}),
            Reason::SessionVerified,
        ),
        (
            "/all",
            json!({"custom:team": ["green", "blue"], "level": "3"}),
            Reason::SessionVerified,
        ),
        ("/all", json!({"custom:team": "red"}), Reason::ClaimRequired),
        ("/all", json!({"custom:team": "Red", "level": 3}), Reason::ClaimRequired),
        (
            "/all",
            json!({"custom:team": "red,blue", "level": 3}),
            Reason::ClaimRequired,
        ),
        (
            "/all",
            json!({"custom:team": {"red": 1}, "level": 3}),
            Reason::ClaimRequired,
        ),
        ("/any", json!({"staff": true}), Reason::SessionVerified),
        ("/any", json!({"staff": "true"}), Reason::SessionVerified),
        ("/any", json!({"staff": "TRUE"}), Reason::ClaimRequired),
        ("/any", json!({"staff": 1}), Reason::ClaimRequired),
        ("/any", json!({}), Reason::ClaimRequired),
        (
            "/both",
            json!({"cognito:groups": ["b", "x", "a"]}),
            Reason::SessionVerified,
        ),
        ("/both", json!({"cognito:groups": ["a"]}), Reason::GroupRequired),
        ("/either", json!({"cognito:groups": ["a"]}), Reason::SessionVerified),
        ("/either", json!({"staff": true}), Reason::SessionVerified),
        ("/either", json!({}), Reason::GroupRequired),
    ] {
        assert_eq!(holder(&auth, path, claims.clone()), expected, "{path} {claims}");
    }
}

#[test]
fn t_claim_1_a_group_with_a_comma_is_one_group() {
    let auth = site(json!([{"require": {"groups": ["admins"]}}]));
    for groups in [
        json!(["users,admins"]),
        json!("users,admins"),
        json!(["ADMINS"]),
        json!([" admins"]),
        json!({"admins": 1}),
    ] {
        assert_eq!(
            holder(&auth, "/", json!({"cognito:groups": groups})),
            Reason::GroupRequired,
            "{groups}"
        );
    }
}

#[test]
fn t_claim_1_an_address_has_one_at_sign_a_whole_domain_and_is_verified() {
    let auth = site(json!([{"require": {"emailDomains": ["good.example", "Other.example"]}}]));
    let with = |email: Value, verified: Value| holder(&auth, "/", json!({"email": email, "email_verified": verified}));
    for email in ["a@good.example", "a@GOOD.example", "a@other.example"] {
        assert_eq!(with(json!(email), json!(true)), Reason::SessionVerified, "{email}");
    }
    assert_eq!(with(json!("a@good.example"), json!("true")), Reason::SessionVerified);
    for email in [
        json!("a@good.example@evil.example"),
        json!("a@evil.example@good.example"),
        json!("\"a@b\"@good.example"),
        json!("a@xgood.example"),
        json!("a@sub.good.example"),
        json!("a@good.example.evil"),
        json!("@good.example"),
        json!("good.example"),
        json!("a@good.example "),
        json!("a@good.example."),
        json!("a@"),
        json!(""),
        json!(["a@good.example"]),
        json!(null),
        json!("a@good.example\n"),
    ] {
        assert_eq!(with(email.clone(), json!(true)), Reason::EmailDomain, "{email}");
    }
    for verified in [
        json!(false),
        json!("false"),
        json!(1),
        json!(null),
        json!("TRUE"),
        json!([true]),
    ] {
        assert_eq!(
            with(json!("a@good.example"), verified.clone()),
            Reason::EmailDomain,
            "{verified}"
        );
    }
}

#[test]
fn a_trace_tells_of_each_rule_why_it_does_not_fit() {
    let auth = site(json!([
        {"hosts": ["other.example"], "require": "public"},
        {"methods": ["POST"], "require": "deny"},
        {"under": ["/a"], "require": "public"},
        {"under": ["/b"], "require": {"groups": ["g"]}},
        {"require": "deny"},
    ]));
    let traced = |path: &str| {
        let request = Request {
            method: "GET",
            scheme: Scheme::Https,
            host: "site.example",
            path,
            query: "",
            cookies: &[],
            headers: &NoHeaders,
        };
        let trace = auth.trace_rules(&request).unwrap();
        format!(
            "{:?} {:?}",
            trace.steps.iter().map(|step| step.outcome).collect::<Vec<_>>(),
            trace.outcome
        )
    };
    assert_eq!(
        traced("/b/x"),
        "[OtherHost, OtherMethod, OtherPath, Holds] SessionAbsent"
    );
    assert_eq!(traced("/a"), "[OtherHost, OtherMethod, Holds] Public");
    assert!(
        traced("/b/../a").contains("Ambiguous(\"has a dot segment\")"),
        "{}",
        traced("/b/../a")
    );
}
