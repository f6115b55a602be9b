//! What programs are told (pain 3): the same kind of answer in every branch in which a request cannot pass.

use auth_core::{Authenticator, CallError, Capabilities, HttpReply, Reason, Response, Step};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    enhanced_renewal::{
        FETCH, answer, cookies_of, enhanced, enhanced_at, expired, page, refused, reply, script, session,
    },
    fixture::{Asking, NOW, ask, foreign_token, forward, json_reply, response, token},
};

/// One way in which a session is not good: its cookies, and what the token endpoint says if it is asked.
struct Branch {
    name: &'static str,
    cookies: String,
    provider: Option<Result<HttpReply, CallError>>,
    status: u16,
    reason: Reason,
}

fn branches() -> Vec<Branch> {
    let branch = |name, cookies: String, provider, status, reason| Branch {
        name,
        cookies,
        provider,
        status,
        reason,
    };
    let id = |token: String| format!("ID-TOKEN={token}");
    let refused = || Some(refused(400, "invalid_grant"));
    vec![
        branch("missing", String::new(), None, 401, Reason::SessionAbsent),
        branch("malformed", id("x".to_owned()), None, 401, Reason::TokenMalformed),
        branch("forged", id(foreign_token()), None, 401, Reason::TokenSignature),
        branch(
            "of another client",
            id(token(json!({"aud": "b", "cognito:groups": ["g"]}))),
            None,
            401,
            Reason::TokenAudience,
        ),
        branch(
            "of another kind",
            id(token(json!({"token_use": "access", "cognito:groups": ["g"]}))),
            None,
            401,
            Reason::TokenUse,
        ),
        branch(
            "of another issuer",
            id(token(json!({"iss": "b"}))),
            None,
            401,
            Reason::TokenIssuer,
        ),
        branch(
            "of tomorrow",
            id(token(json!({"nbf": NOW.as_secs() + 60}))),
            None,
            401,
            Reason::TokenNotYetValid,
        ),
        branch("expired", id(expired()), None, 401, Reason::SessionExpired),
        branch(
            "refused",
            session(&expired()),
            refused(),
            401,
            Reason::RefreshTokenRejected,
        ),
        branch(
            "refused without an id token",
            "REFRESH-TOKEN=r".to_owned(),
            refused(),
            401,
            Reason::RefreshTokenRejected,
        ),
        branch(
            "not refreshable",
            session(&expired()),
            Some(crate::enhanced_renewal::refused(400, "unauthorized_client")),
            401,
            Reason::SessionNotRefreshable,
        ),
        branch(
            "renewed as somebody else",
            session(&expired()),
            Some(reply(&token(json!({"sub": "b", "cognito:groups": ["g"]})))),
            401,
            Reason::TokenSubject,
        ),
        branch(
            "renewed with a forgery",
            session(&expired()),
            Some(reply(&foreign_token())),
            503,
            Reason::TokenReply,
        ),
        branch(
            "renewed without a token",
            session(&expired()),
            Some(Ok(json_reply(&json!({})))),
            503,
            Reason::TokenReply,
        ),
        branch(
            "provider down",
            session(&expired()),
            Some(Err(CallError::Timeout)),
            503,
            Reason::TokenEndpoint,
        ),
        branch(
            "provider busy",
            session(&expired()),
            Some(Err(CallError::Busy)),
            503,
            Reason::TokenEndpoint,
        ),
        branch(
            "not in the group",
            id(token(json!({}))),
            None,
            403,
            Reason::GroupRequired,
        ),
        branch(
            "no longer in the group",
            session(&expired()),
            Some(reply(&token(json!({})))),
            403,
            Reason::GroupRequired,
        ),
    ]
}

const KINDS: &[(&str, &[(&str, &str)])] = &[
    ("GET", FETCH),
    ("GET", &[("accept", "application/json")]),
    ("GET", &[("x-requested-with", "XMLHttpRequest")]),
    ("GET", &[("upgrade", "websocket"), ("connection", "upgrade")]),
    ("GET", &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
    ("POST", FETCH),
    ("PUT", &[]),
    ("INVENTED", &[]),
    ("OPTIONS", &[]),
];

fn site() -> Authenticator {
    enhanced_at(
        Capabilities::PROXY,
        json!({"corsOrigins": ["https://app.example"]}),
        json!({"requiredGroup": "g"}),
    )
}

fn body(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap()
}

fn told(auth: &Authenticator, branch: &Branch, method: &str, fields: &[(&str, &str)]) -> Response {
    let cookies: &[&str] = &[&branch.cookies];
    let asking = Asking {
        method,
        target: "/data?q",
        cookies,
        fields,
    };
    match (ask(auth, &asking, NOW), &branch.provider) {
        (step @ Step::Call(_), Some(outcome)) => response(answer(step, outcome.clone())),
        (step, None) => response(step),
        (step, Some(_)) => panic!("{}: no call: {step:?}", branch.name),
    }
}

#[test]
fn pain_03_a_program_is_told_in_json_in_every_branch_of_failure() {
    for branch in branches() {
        for (method, fields) in KINDS {
            let name = format!("{} {method} {fields:?}", branch.name);
            let answer = told(&site(), &branch, method, fields);
            assert_eq!((answer.status, answer.reason), (branch.status, branch.reason), "{name}");
            let body = body(&answer);
            assert_eq!(body["reason"], branch.reason.as_str(), "{name}");
            assert_eq!(answer.headers.first("content-type"), Some("application/json"), "{name}");
            assert_eq!(answer.headers.first("cache-control"), Some("no-store"), "{name}");
            assert_eq!(answer.headers.first("location"), None, "{name}");
            assert!(cookies_of(&answer).is_empty(), "{name}: {answer:?}");
            if answer.status == 401 {
                assert!(
                    answer
                        .headers
                        .first("www-authenticate")
                        .unwrap()
                        .starts_with("Bearer realm="),
                    "{name}"
                );
                let url = body["sign_in_url"].as_str().unwrap();
                assert!(
                    url.starts_with("https://site.example/_portcullis/sign-in"),
                    "{name}: {url}"
                );
                assert!(body.as_object().unwrap().contains_key("refresh_url"), "{name}");
            }
            if answer.status == 503 {
                assert_eq!(answer.headers.first("retry-after"), Some("5"), "{name}");
            }
        }
    }
}

/// Whoever follows `sign_in_url` wants to be back on the page that they were on, or at what they asked for.
#[test]
fn the_sign_in_that_a_program_is_told_of_leads_back_to_where_its_user_is() {
    let auth = enhanced(json!({"apiPaths": ["/api/**"]}));
    let cors: &[(&str, &str)] = &[("sec-fetch-mode", "cors")];
    let curl: &[(&str, &str)] = &[("accept", "application/json")];
    let from = |page: &'static str| ("referer", page);
    let here = from("https://site.example/reports/?q=a%20b&x#part");
    let back = Some("/reports/?q=a%20b&x");
    for (method, target, fields, expected) in [
        ("GET", "/data.json", [cors, &[here]].concat(), back),
        ("POST", "/data.json", [cors, &[here]].concat(), back),
        ("GET", "/api/x", vec![here], back),
        ("GET", "/data.json", cors.to_vec(), None),
        ("POST", "/form", cors.to_vec(), None),
        ("PUT", "/form", vec![], None),
        ("GET", "/api/x", vec![], None),
        ("GET", "/report?a=1%2F", curl.to_vec(), Some("/report?a=1%2F")),
        ("HEAD", "/report", curl.to_vec(), Some("/report")),
        ("GET", "/report", [curl, &[("x-requested-with", "x")]].concat(), None),
        ("GET", "/socket", vec![("upgrade", "websocket")], None),
        ("GET", "//evil.example/", curl.to_vec(), None),
        ("GET", "/_portcullis/session", curl.to_vec(), None),
        // Neither a path where something is done, nor another origin, however it is spelled.
        ("GET", "/api/x", vec![from("https://site.example/signout?x")], None),
        (
            "GET",
            "/api/x",
            vec![from("https://site.example/parseauth?code=c&state=s")],
            None,
        ),
        ("GET", "/api/x", vec![from("https://site.example/%73ignout")], None),
        ("GET", "/api/x", vec![from("https://evil.example/")], None),
        ("GET", "/api/x", vec![from("http://site.example/")], None),
        ("GET", "/api/x", vec![from("https://site.example.evil.example/")], None),
        ("GET", "/api/x", vec![from("https://site.example@evil.example/")], None),
        ("GET", "/api/x", vec![from("https://site.example//evil.example")], None),
        ("GET", "/api/x", vec![from("https://site.example/\\evil.example")], None),
        ("GET", "/api/x", vec![here, here], None),
    ] {
        let asking = Asking {
            method,
            target,
            cookies: &[],
            fields: &fields,
        };
        let told = body(&response(ask(&auth, &asking, NOW)));
        let url = told["sign_in_url"].as_str().unwrap();
        let query = url.strip_prefix("https://site.example/_portcullis/sign-in").unwrap();
        let query = query.strip_prefix('?').unwrap_or(query);
        let parsed: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let expected: Vec<(String, String)> = expected
            .map(|path: &str| ("return_to".to_owned(), path.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(parsed, expected, "{method} {target} {fields:?}");
    }
}

#[test]
fn pain_03_pages_of_listed_origins_may_read_every_such_answer_and_others_none() {
    for branch in branches() {
        for (origin, is_listed) in [
            ("https://app.example", true),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let fields = &[FETCH, &[("origin", origin)]].concat()[..];
            let answer = told(&site(), &branch, "GET", fields);
            let allowed = answer.headers.first("access-control-allow-origin");
            assert_eq!(allowed, is_listed.then_some(origin), "{}", branch.name);
            assert_eq!(
                answer.headers.first("access-control-allow-credentials").is_some(),
                is_listed
            );
            assert_eq!(answer.status, branch.status, "{}", branch.name);
        }
    }
}

#[test]
fn a_preflight_is_answered_for_listed_origins_alone() {
    let preflight = |origin: &'static str| {
        [
            ("origin", origin),
            ("access-control-request-method", "DELETE"),
            ("access-control-request-headers", "content-type,x-a"),
        ]
    };
    for target in ["/data", "/_portcullis/session", "/_portcullis/refresh"] {
        let asking = |fields| Asking {
            method: "OPTIONS",
            target,
            cookies: &[],
            fields,
        };
        let fields = preflight("https://app.example");
        let leave = response(ask(&site(), &asking(&fields), NOW));
        assert_eq!((leave.status, leave.reason), (204, Reason::Preflight), "{target}");
        assert_eq!(leave.headers.first("access-control-allow-methods"), Some("DELETE"));
        assert_eq!(
            leave.headers.first("access-control-allow-headers"),
            Some("content-type,x-a")
        );
        assert_eq!(leave.headers.first("cache-control"), Some("no-store"));
        let fields = preflight("https://evil.example");
        let refused = response(ask(&site(), &asking(&fields), NOW));
        assert!(matches!(refused.status, 401 | 405), "{target}: {refused:?}");
        assert_eq!(refused.headers.first("access-control-allow-origin"), None);
    }
    // With a session it is a request like any other.
    let good = format!("ID-TOKEN={}", token(json!({"cognito:groups": ["g"]})));
    let fields = preflight("https://app.example");
    let asking = Asking {
        method: "OPTIONS",
        target: "/data",
        cookies: &[&good],
        fields: &fields,
    };
    assert_eq!(forward(ask(&site(), &asking, NOW)).reason, Reason::SessionVerified);
    for odd in ["a\r\nb: c", "<script>", ""] {
        let fields = [
            ("origin", "https://app.example"),
            ("access-control-request-method", odd),
        ];
        let asking = Asking {
            method: "OPTIONS",
            target: "/data",
            cookies: &[],
            fields: &fields,
        };
        assert_eq!(response(ask(&site(), &asking, NOW)).status, 401, "{odd:?}");
    }
}

#[test]
fn api_paths_are_for_programs_whoever_asks() {
    let auth = enhanced(json!({"apiPaths": ["/api/**", "/exact"]}));
    for (target, status) in [
        ("/api/x", 401),
        ("/%61pi/x", 401),
        ("/exact", 401),
        ("/exactly", 302),
        ("/apix", 302),
    ] {
        assert_eq!(response(ask(&auth, &page(target, &[]), NOW)).status, status, "{target}");
    }
}

#[test]
fn switched_off_programs_are_answered_like_persons() {
    let auth = enhanced(json!({"apiResponses": false}));
    for (method, fields) in KINDS {
        let answer = response(ask(
            &auth,
            &Asking {
                method,
                target: "/",
                cookies: &[],
                fields,
            },
            NOW,
        ));
        assert!(answer.headers.first("location").is_some(), "{method} {fields:?}");
    }
    let own = response(ask(&auth, &script("/_portcullis/session", &[]), NOW));
    assert!(own.headers.first("location").is_some());
}

#[test]
fn a_refresh_path_of_its_own_is_where_scripts_are_sent_to_renew() {
    let hidden = json!({"cookieSettings": {"refreshToken": "Path=/refreshauth; Secure; HttpOnly"}});
    let auth = enhanced_at(Capabilities::PROXY, json!({}), hidden);
    let told = response(ask(&auth, &script("/data", &[&format!("ID-TOKEN={}", expired())]), NOW));
    assert_eq!(body(&told)["refresh_url"], "https://site.example/refreshauth");
    let fields = &[FETCH, &[("sec-fetch-site", "same-origin")]].concat()[..];
    let cookie = session(&expired());
    let asking = Asking {
        method: "POST",
        target: "/refreshauth",
        cookies: &[&cookie],
        fields,
    };
    let renewed = response(answer(ask(&auth, &asking, NOW), reply(&token(json!({})))));
    assert_eq!(renewed.status, 204);
    assert!(!cookies_of(&renewed).is_empty());
}

/// T-LEAK-2
#[test]
fn t_leak_2_a_session_is_described_by_its_listed_claims_and_no_token() {
    let id = token(json!({"cognito:groups": ["a"], "secret": "claim-that-is-not-listed"}));
    for (settings, claims) in [
        (
            json!({}),
            json!({"sub": "s", "cognito:username": "jane", "email": "jane@example.com", "cognito:groups": ["a"]}),
        ),
        (json!({"sessionClaims": ["sub", "nothing"]}), json!({"sub": "s"})),
        (json!({"sessionClaims": []}), json!({})),
    ] {
        let auth = enhanced(settings);
        let cookie = session(&id);
        let told = response(ask(&auth, &script("/_portcullis/session", &[&cookie]), NOW));
        assert_eq!(told.status, 200);
        assert_eq!(
            body(&told),
            json!({"expires_at": NOW.as_secs() + 3600, "claims": claims})
        );
        assert_eq!(told.headers.first("cache-control"), Some("no-store"));
        for secret in [&id, "the-refresh-token", "claim-that-is-not-listed"] {
            assert!(!format!("{told:?}").contains(secret));
        }
    }
}

#[test]
fn a_session_that_has_expired_is_renewed_before_it_is_described() {
    let auth = enhanced(json!({}));
    let step = ask(&auth, &script("/_portcullis/session", &[&session(&expired())]), NOW);
    let told = response(answer(step, reply(&token(json!({})))));
    assert_eq!((told.status, told.reason), (200, Reason::Refreshed));
    assert!(cookies_of(&told).iter().any(|cookie| cookie.starts_with("ID-TOKEN=")));
}

#[test]
fn a_script_has_its_session_renewed_by_a_post_of_its_own_origin_alone() {
    let auth = enhanced(json!({"corsOrigins": ["https://app.example"]}));
    let good = session(&token(json!({})));
    let post = |method, fields| {
        ask(
            &auth,
            &Asking {
                method,
                target: "/_portcullis/refresh",
                cookies: &[&good],
                fields,
            },
            NOW,
        )
    };
    for fields in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://site.example")],
        &[("origin", "https://app.example"), ("sec-fetch-site", "cross-site")],
    ] {
        let renewed = response(answer(post("POST", fields), reply(&token(json!({"jti": "1"})))));
        assert_eq!((renewed.status, renewed.body.as_str()), (204, ""), "{fields:?}");
        assert!(!cookies_of(&renewed).is_empty());
    }
    for fields in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("origin", "http://site.example")],
        &[("origin", "null")],
    ] {
        let refused = response(post("POST", fields));
        assert_eq!((refused.status, refused.reason), (403, Reason::CrossSite), "{fields:?}");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let refused = response(post(method, &[("sec-fetch-site", "same-origin")]));
        assert_eq!((refused.status, refused.headers.first("allow")), (405, Some("POST")));
    }
    let same = &[("sec-fetch-site", "same-origin")][..];
    let over = response(answer(post("POST", same), refused(400, "invalid_grant")));
    assert_eq!((over.status, body(&over)["refresh_url"].clone()), (401, Value::Null));
    assert!(
        cookies_of(&over)
            .iter()
            .any(|cookie| cookie.starts_with("REFRESH-TOKEN=; "))
    );
    let later = response(answer(post("POST", same), Err(CallError::Timeout)));
    assert_eq!(later.status, 503);
}

/// T-WS-1: at the edge nothing stands before the core that looks at Origin.
#[test]
fn t_ws_1_a_page_of_another_origin_opens_no_socket() {
    let auth = enhanced_at(
        Capabilities::EDGE,
        json!({"corsOrigins": ["https://app.example"]}),
        json!({}),
    );
    let good = format!("ID-TOKEN={}", token(json!({})));
    let upgrade = |origins: &[&'static str]| {
        let mut fields = vec![("upgrade", "websocket")];
        fields.extend(origins.iter().map(|origin| ("origin", *origin)));
        ask(
            &auth,
            &Asking {
                method: "GET",
                target: "/socket",
                cookies: &[&good],
                fields: &fields,
            },
            NOW,
        )
    };
    for own in [
        &["https://site.example"][..],
        &["https://site.example:443"],
        &["https://app.example"],
        &[],
    ] {
        let _ = forward(upgrade(own));
    }
    for foreign in [
        &["https://evil.example"][..],
        &["null"],
        &["http://site.example"],
        &["https://site.example", "https://evil.example"],
    ] {
        assert_eq!(response(upgrade(foreign)).status, 403, "{foreign:?}");
    }
    let none = Asking {
        method: "GET",
        target: "/socket",
        cookies: &[],
        fields: &[("upgrade", "websocket"), ("origin", "https://site.example")],
    };
    assert_eq!(response(ask(&auth, &none, NOW)).status, 401);
}

#[test]
fn a_person_is_never_told_in_json() {
    for branch in branches() {
        let answer = told(&site(), &branch, "GET", NAVIGATION);
        assert_ne!(
            answer.headers.first("content-type"),
            Some("application/json"),
            "{}",
            branch.name
        );
        assert_ne!(answer.status, 401, "{}", branch.name);
    }
}
