//! The provider's signing keys: learnt when they change, and no more often than that.

use dev_idp::{Endpoint, Fault, OldKeys, Overrides};
use serde_json::json;

use crate::support::{
    http::Request,
    origin::CONTENT,
    site::{ALICE, Plan, Site},
};

fn fetches(site: &Site) -> usize {
    site.idp.requests().count(Endpoint::Jwks)
}

#[test]
fn keys_of_the_configuration_need_no_fetch() {
    let site = Plan::directory().start();
    assert_eq!(site.get("/page.html", &site.session()).status, 200);
    assert_eq!(fetches(&site), 0);
}

#[test]
fn without_keys_in_the_configuration_the_first_token_brings_them() {
    let site = Plan::directory().auth("jwks", json!({ "keys": [] })).start();
    assert_eq!(site.get("/page.html", &site.session()).status, 200);
    assert_eq!(site.get("/page.html", &site.session()).status, 200);
    assert_eq!(fetches(&site), 1);
}

#[test]
fn a_rotated_key_is_fetched_once_and_sessions_go_on() {
    let site = Plan::directory().start();
    let before = site.session();
    assert_eq!(site.get("/page.html", &before).status, 200);
    site.idp.rotate_keys(OldKeys::StayPublished);
    let after = site.session();
    for _ in 0..5 {
        assert!(site.get("/page.html", &after).text().contains(CONTENT));
        assert!(site.get("/page.html", &before).text().contains(CONTENT));
    }
    assert_eq!(fetches(&site), 1);
    assert_eq!(
        site.metric("portcullis_jwks_fetch_total{result=\"replied\",site=\"app\"}"),
        1.0
    );
}

#[test]
fn a_withdrawn_key_closes_its_sessions_once_the_new_set_is_known() {
    let site = Plan::directory().start();
    let before = site.session();
    assert_eq!(site.get("/page.html", &before).status, 200);
    site.idp.rotate_keys(OldKeys::Withdrawn);
    assert_eq!(site.get("/page.html", &site.session()).status, 200);
    assert!(site.is_sign_in(&site.get("/page.html", &before)));
}

/// T-JWT-5: one fetch for a flood, and known keys go on being good.
#[test]
fn a_flood_of_unknown_keys_is_one_fetch_and_harms_no_known_session() {
    let site = Plan::directory().start();
    let good = site.session();
    let flood: Vec<String> = (0..60)
        .map(|number| site.session_with(ALICE.0, &Overrides::none().header("kid", format!("made-up-{number}"))))
        .collect();
    let site = &site;
    std::thread::scope(|scope| {
        for part in flood.chunks(15) {
            let good = &good;
            scope.spawn(move || {
                for cookies in part {
                    assert!(site.is_sign_in(&site.get("/page.html", cookies)));
                    assert_eq!(site.get("/page.html", good).status, 200);
                }
            });
        }
    });
    assert_eq!(fetches(site), 1);
}

/// T-JWT-4: only the configured address is asked, whatever the token says.
#[test]
fn a_token_cannot_name_where_its_key_is() {
    let trap = crate::support::origin::Origin::content();
    let site = Plan::directory().start();
    let overrides = Overrides::none()
        .claim("iss", trap.url())
        .header("kid", "trap")
        .header("jku", format!("{}/jwks.json", trap.url()))
        .header("x5u", format!("{}/x5u", trap.url()));
    assert!(site.is_sign_in(&site.get("/page.html", &site.session_with(ALICE.0, &overrides))));
    assert!(trap.asked().is_empty());
    assert_eq!(
        fetches(&site),
        0,
        "a foreign issuer is refused before its key is looked for"
    );
}

#[test]
fn a_key_set_that_cannot_be_had_leads_to_the_sign_in_and_not_to_an_error() {
    for fault in [
        Fault::status(500),
        Fault::Garbage,
        Fault::Close,
        Fault::HugeBody { bytes: 2 << 20 },
    ] {
        let site = Plan::directory().auth("jwks", json!({ "keys": [] })).start();
        site.idp.faults().set(Endpoint::Jwks, fault.clone());
        let response = site.get("/page.html", &site.session());
        assert!(site.is_sign_in(&response), "{fault:?}: {response:?}");
    }
}

#[test]
fn requests_that_wait_for_one_fetch_share_it() {
    let site = Plan::directory().auth("jwks", json!({ "keys": [] })).start();
    let delay = std::time::Duration::from_millis(300);
    site.idp.faults().set(Endpoint::Jwks, Fault::delay(delay));
    let cookies = site.session();
    let site = &site;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let request = Request::get("/page.html").header("Cookie", &*cookies);
            scope.spawn(move || assert_eq!(site.ask(&request).status, 200));
        }
    });
    assert_eq!(fetches(site), 1);
}
