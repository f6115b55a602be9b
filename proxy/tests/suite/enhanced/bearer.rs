//! Bearer tokens, of people and of machines, from a real token endpoint.

use dev_idp::{Client, Overrides};
use serde_json::{Value, json};

use crate::support::{
    http::{Request, exchange},
    origin::Origin,
    site::{ALICE, CLIENT, Plan, Site},
};

const MACHINE: &str = "4machine4client4fl3mg5e62";
const MACHINE_SECRET: &str = "only-the-machine-knows-5521";

fn plan(origin: &Origin, bearer: Value) -> Plan {
    let plan = Plan::custom(origin).auth("profile", "enhanced");
    let rules = json!([
        { "under": ["/api"], "require": [{ "scopes": ["api/read"] }, { "groups": ["readers"] }] },
        { "require": "signedIn" },
    ]);
    let plan = plan.auth("enhancements", json!({ "bearerTokens": bearer, "rules": rules }));
    plan.provider(|idp| {
        idp.clients
            .push(Client::machine(MACHINE, MACHINE_SECRET).scopes(["api/read", "api/write"]));
    })
}

/// What the token endpoint gives the machine.
fn machine_token(site: &Site, scope: &str) -> String {
    let form =
        format!("grant_type=client_credentials&client_id={MACHINE}&client_secret={MACHINE_SECRET}&scope={scope}");
    let request = Request::new("POST", "/oauth2/token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    let reply = exchange(site.idp.addr(), "idp", &request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply: Value = serde_json::from_str(&reply.text()).unwrap();
    assert_eq!(reply.get("id_token"), None);
    reply["access_token"].as_str().unwrap().to_owned()
}

fn bearing(target: &str, token: &str) -> Request {
    Request::get(target).header("Authorization", format!("Bearer {token}"))
}

#[test]
fn a_machine_passes_where_its_scope_is_asked_for_and_its_token_stays_here() {
    let origin = Origin::content();
    let identity = json!({
        "headers": { "App-User": "cognito:username", "App-Email": "email", "App-Client": "client_id" },
    });
    let site = plan(&origin, json!({ "clients": [CLIENT, MACHINE] }))
        .site("identity", identity)
        .start();
    let token = machine_token(&site, "api/read");
    assert_eq!(site.ask(&bearing("/api/x", &token)).status, 200);
    let asked = origin.last();
    assert_eq!(asked.header("app-client"), Some(MACHINE));
    assert_eq!((asked.header("app-user"), asked.header("app-email")), (None, None));
    assert_eq!(asked.header("authorization"), None);
    assert!(!asked.head.contains(&token));
    let refused = site.ask(&bearing("/api/x", &machine_token(&site, "api/write")));
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("insufficient_scope")
    );
    // Any good token is a session where any session will do.
    assert_eq!(site.ask(&bearing("/x", &machine_token(&site, "api/write"))).status, 200);
}

#[test]
fn tokens_of_people_pass_and_are_passed_on_where_that_is_wished_for() {
    let origin = Origin::content();
    let site = plan(&origin, json!({ "pass_on": true })).start();
    let tokens = site.tokens(ALICE.0, &Overrides::none());
    for token in [&tokens.id_token, &tokens.access_token] {
        assert_eq!(site.ask(&bearing("/api/x", token)).status, 200);
        assert_eq!(origin.last().header("authorization"), Some(&*format!("Bearer {token}")));
    }
}

/// T-JWT-3
#[test]
fn t_jwt_3_tokens_of_other_clients_and_places_are_refused_without_a_redirect() {
    let origin = Origin::content();
    let site = plan(&origin, json!(true)).start();
    let tokens = site.tokens(ALICE.0, &Overrides::none());
    let expired = site.tokens(ALICE.0, &Overrides::expired());
    for token in [
        machine_token(&site, "api/read"),
        expired.id_token,
        tokens.refresh_token.clone(),
        "x".to_owned(),
        "x".repeat(9000),
    ] {
        // A good session beside it changes nothing.
        let answer = site.ask(&bearing("/api/x", &token).header("Cookie", site.session()));
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("location"), None);
        assert!(answer.all("set-cookie").is_empty());
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .contains("error=\"invalid_token\"")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(!answer.text().contains(&token));
    }
    // An access token is no session, where nothing can renew one.
    let mut posing = tokens.clone();
    posing.id_token = tokens.access_token;
    posing.refresh_token = "none".to_owned();
    assert!(site.get("/api/x", &site.cookies(ALICE.0, &posing)).status >= 300);
    assert!(origin.asked().is_empty());
}

#[test]
fn two_authorization_headers_are_refused() {
    let origin = Origin::content();
    let site = plan(&origin, json!(true)).start();
    let token = site.tokens(ALICE.0, &Overrides::none()).id_token;
    let answer = site.ask(&bearing("/", &token).header("Authorization", "Basic dTpw"));
    assert_eq!(answer.status, 400);
    assert!(origin.asked().is_empty());
}

#[test]
fn without_the_switch_a_bearer_token_is_the_origins_affair() {
    let origin = Origin::content();
    let site = Plan::custom(&origin).auth("profile", "enhanced").start();
    let token = site.tokens(ALICE.0, &Overrides::none()).id_token;
    assert_ne!(site.ask(&bearing("/", &token)).status, 200);
    let answer = site.ask(&bearing("/", &token).header("Cookie", site.session()));
    assert_eq!(answer.status, 200);
    assert_eq!(origin.last().header("authorization"), Some(&*format!("Bearer {token}")));
}
